"""A home goes into an archive and into another home of either kind, whole, once, and with credentials that only the new key opens."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from contract.stores import BLOBS, DOCUMENTS, SEALERS, START, SetClock

from upid.adapters.archive.tar import TarBlobs
from upid.adapters.directory.blobs import open_blobs
from upid.adapters.passphrase.sealer import PassphraseSealer
from upid.domain.errors import ConflictError, InvalidError
from upid.domain.events import Event
from upid.ports.blobs import Blobs
from upid.ports.records import Key
from upid.services.transfer import TransferService

HOMES = {"embedded": ("sqlite", "directory", "keyfile"), "aws": ("dynamodb", "s3", "kms")}
CLUSTER = Key("t#a#clusters", "cl_1")
PASSPHRASE = PassphraseSealer("correct horse battery", b"0" * 16)


def quiet(_what: str, _done: int) -> None:
    pass


def home_at(kind: str, place: Path) -> TransferService:
    documents, blobs, sealer = HOMES[kind]
    place.mkdir(exist_ok=True)
    store = DOCUMENTS[documents](place, SetClock())
    return TransferService(store.records, store.events, BLOBS[blobs](place), SEALERS[sealer](place), SetClock())  # type: ignore[arg-type] # both adapters can tell everything


def event(number: int, tenant: str) -> Event:
    return Event(f"evt_{number}", "user.created", tenant, "usr_1", START + number, {"n": number}, "usr_0")


def fill(home: TransferService) -> None:
    sealed = base64.b64encode(home.sealer.seal(b"s3cr3t", context="cl_1")).decode()
    home.records.put(CLUSTER, {"id": "cl_1", "sealed": sealed, "name": "prod"})
    for number in range(60):
        home.records.put(Key("t#a#users", f"usr_{number:02}"), {"n": number}, expires_at=START + 50 if number % 2 else None)
    for partition in ("wf#running", "g#keys", "t#a#idempotency"):
        home.records.put(Key(partition, "stays"), {})
    home.events.append([event(number, "ab"[number % 2]) for number in range(30)])
    home.events.mark_published([stored.sequence for stored in home.events.unpublished(20)])
    for number in range(5):
        home.blobs.put(f"t/a/clusters/cl_1/profiles/{number:04}.bin", bytes([number]) * 1000)


def content(home: TransferService) -> dict[str, Any]:
    """Everything that is moved, with credentials opened."""
    records = {}
    for record in home.records.everything():
        body = dict(record.body)
        if "sealed" in body:
            body["sealed"] = home.sealer.open(base64.b64decode(body["sealed"]), context=body["id"])
        records[record.key] = (body, record.expires_at)
    return {
        "records": records,
        "events": {tenant: [asdict(stored.event) for stored in home.events.read(tenant)] for tenant in "ab"},
        "waiting": {stored.event.id for stored in home.events.unpublished()},
        "blobs": {name: home.blobs.get(name) for name in home.blobs.names("")},
    }


def moved(home: TransferService) -> dict[str, Any]:
    whole = content(home)
    return whole | {"records": {k: v for k, v in whole["records"].items() if k.sort != "stays"}}


@pytest.fixture(params=list(product(HOMES, HOMES)), ids="-to-".join)
def homes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[TransferService, TransferService]]:
    source, target = (home_at(kind, tmp_path / place) for kind, place in zip(request.param, ("one", "two"), strict=True))
    fill(source)
    return source, target


@pytest.fixture
def archive(tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path / "archive", START)


def test_a_home_is_moved_whole_and_a_second_import_changes_nothing(homes: tuple[TransferService, TransferService], archive: Blobs) -> None:
    source, target = homes
    manifest = source.export(archive, quiet, travelling=PASSPHRASE, salt=b"0" * 16)
    assert manifest.counts == {"records": 61, "events": 30, "blobs": 5, "bytes": 5000}

    first = target.read_in(archive, quiet, opener=PASSPHRASE)
    assert moved(source) == content(target)
    second = target.read_in(archive, quiet, opener=PASSPHRASE)

    assert [first.there, second.there] == [0, 66]
    assert moved(source) == content(target)


def test_no_credential_is_in_the_clear_in_an_archive(tmp_path: Path, archive: Blobs) -> None:
    source = home_at("embedded", tmp_path / "one")
    fill(source)
    source.export(archive, quiet, travelling=PASSPHRASE, salt=b"0" * 16)
    assert not any(b"s3cr3t" in archive.get(name) or b"correct horse" in archive.get(name) for name in archive.names(""))


def test_credentials_under_another_homes_key_are_refused_before_anything_is_written(tmp_path: Path, archive: Blobs) -> None:
    source, target = home_at("embedded", tmp_path / "one"), home_at("embedded", tmp_path / "two")
    fill(source)
    source.export(archive, quiet)
    with pytest.raises(InvalidError, match=r"cl_1 cannot be opened here.*--with-secrets"):
        target.read_in(archive, quiet)
    assert content(target) == {"records": {}, "events": {"a": [], "b": []}, "waiting": set(), "blobs": {}}


def test_a_wrong_passphrase_is_refused(tmp_path: Path, archive: Blobs) -> None:
    source = home_at("embedded", tmp_path / "one")
    fill(source)
    source.export(archive, quiet, travelling=PASSPHRASE, salt=b"0" * 16)
    with pytest.raises(InvalidError, match="another passphrase"):
        home_at("embedded", tmp_path / "two").read_in(archive, quiet, opener=PassphraseSealer("something else", b"0" * 16))
    with pytest.raises(InvalidError, match="give it"):
        home_at("embedded", tmp_path / "two").read_in(archive, quiet)


def test_the_same_home_takes_its_archive_back_without_a_passphrase(tmp_path: Path, archive: Blobs) -> None:
    source = home_at("embedded", tmp_path / "one")
    fill(source)
    source.export(archive, quiet)
    before = content(source)
    source.blobs.delete_all("t/")
    source.records.delete(CLUSTER)
    assert source.read_in(archive, quiet).there == 60
    assert content(source) == before


@pytest.mark.parametrize("kind", sorted(HOMES))
def test_other_data_gives_way_only_when_it_is_said(kind: str, tmp_path: Path, archive: Blobs) -> None:
    source, target = home_at("embedded", tmp_path / "one"), home_at(kind, tmp_path / "two")
    fill(source)
    source.export(archive, quiet, travelling=PASSPHRASE, salt=b"0" * 16)
    target.records.put(Key("t#a#users", "usr_07"), {"n": "another"})
    with pytest.raises(ConflictError, match="another record t#a#users usr_07"):
        target.read_in(archive, quiet, opener=PASSPHRASE)
    target.read_in(archive, quiet, opener=PASSPHRASE, replace=True)
    assert moved(source) == content(target)


def test_an_import_that_was_killed_goes_on(tmp_path: Path, archive: Blobs) -> None:
    source, target = home_at("embedded", tmp_path / "one"), home_at("aws", tmp_path / "two")
    fill(source)
    source.export(archive, quiet, travelling=PASSPHRASE, salt=b"0" * 16)

    def killed(what: str, done: int) -> None:
        if (what, done) == ("events", 12):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.read_in(archive, killed, opener=PASSPHRASE)
    target.read_in(archive, quiet, opener=PASSPHRASE)
    assert moved(source) == content(target)


@pytest.mark.parametrize(
    "part", ["records/000000.jsonl", "events/000000.jsonl", "blobs/t/a/clusters/cl_1/profiles/0003.bin", "manifest.json"]
)
@pytest.mark.parametrize("gone", [True, False])
def test_an_archive_that_was_changed_or_is_not_whole_is_refused(tmp_path: Path, archive: Blobs, part: str, gone: bool) -> None:
    source = home_at("embedded", tmp_path / "one")
    fill(source)
    source.export(archive, quiet)
    archive.delete(part)
    if not gone:
        archive.put(part, b"changed")
    with pytest.raises(InvalidError, match=r"archive"):
        source.read_in(archive, quiet)


def test_one_tar_file_holds_it_all_and_is_there_only_when_it_is_whole(tmp_path: Path) -> None:
    source, target, path = home_at("embedded", tmp_path / "one"), home_at("embedded", tmp_path / "two"), tmp_path / "home.tar"
    fill(source)

    def killed(_what: str, _done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), TarBlobs(path, write=True) as broken:
        source.export(broken, killed)
    assert not list(tmp_path.glob("home.tar*"))
    with TarBlobs(path, write=True) as archive:
        source.export(archive, quiet, travelling=PASSPHRASE, salt=b"0" * 16)
    with TarBlobs(path, write=False) as archive:
        target.read_in(archive, quiet, opener=PASSPHRASE)
    assert moved(source) == content(target)
    assert path.stat().st_mode & 0o777 == 0o600
