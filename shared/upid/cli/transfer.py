"""`upid export` and `upid import`: the data of a home, to keep it or to take it to another home."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from upid.adapters.archive.tar import TarBlobs
from upid.adapters.directory.blobs import open_blobs
from upid.adapters.passphrase.sealer import PassphraseSealer, new_salt
from upid.bootstrap import Services
from upid.cli.progress import Steps
from upid.domain.errors import ConflictError, InvalidError, NotFoundError
from upid.ports.blobs import Blobs
from upid.runtime.home import DataFolder, PlatformError
from upid.services.archives import SEALED_BY_PASSPHRASE, read_manifest
from upid.settings import Settings

PASSPHRASE = "UPID_TRANSFER_PASSPHRASE"  # noqa: S105 the name of a variable

Archive = Annotated[Path, typer.Argument(help="A directory, or a file that ends in .tar.")]
Home = Annotated[str | None, typer.Option(help="Data folder, or aws.", envvar="UPID_HOME", show_envvar=True)]


def export(
    archive: Archive,
    home: Home = None,
    with_secrets: Annotated[
        bool,
        typer.Option("--with-secrets", help=f"Seal credentials under a passphrase ({PASSPHRASE}, or asked), for a home with another key."),
    ] = False,
) -> None:
    """Write all records, events and blobs of a home into an archive.

    Stop the platform first. Credentials of clusters are never written in the clear: without --with-secrets they stay sealed under this home's
    key. Broken off, the same command does it again. Not written: the key that signs access tokens, idempotency keys and executions of workflows.
    """
    services = _services(home)
    salt = new_salt()
    travelling = PassphraseSealer(_passphrase(confirm=True), salt) if with_secrets else None
    with _held(services, needed=True), _opened(archive, write=True, clock=services.clock.now()) as target, Steps(sys.stderr) as steps:
        running = services.transfer.running()
        if running:
            print(f"upid: {running} collections and analyses are under way: they will not end in another home.", file=sys.stderr)
        counts = services.transfer.export(
            target, lambda what, done: steps.show(what, done, done), travelling=travelling, salt=salt if with_secrets else b""
        ).counts
    print(f"{archive}: {counts['records']} records, {counts['events']} events, {counts['blobs']} blobs ({counts['bytes']} bytes).")


def read_in(
    archive: Archive,
    home: Home = None,
    replace: Annotated[bool, typer.Option("--replace", help="What the home has under the same names gives way.")] = False,
) -> None:
    """Read an archive into a home that holds nothing else, embedded or on AWS (UPID_HOME=aws).

    Everything is held against its checksum. Credentials are sealed under this home's key. Broken off, the same command goes on; done again, it
    changes nothing.
    """
    services = _services(home)
    with _opened(archive, write=False, clock=services.clock.now()) as source, _held(services, needed=False), Steps(sys.stderr) as steps:
        manifest = read_manifest(source)
        sealed = manifest.secrets == SEALED_BY_PASSPHRASE
        opener = PassphraseSealer(_passphrase(confirm=False), bytes.fromhex(manifest.salt)) if sealed else None
        done = services.transfer.read_in(source, lambda what, count: steps.show(what, count, count), opener=opener, replace=replace)
    print(
        f"{archive}: {done.records} records, {done.events} events, {done.blobs} blobs; {done.there} records and blobs were there already."
    )


def _services(home: str | None) -> Services:
    if home is not None:
        os.environ["UPID_HOME"] = home
    try:
        return Services(Settings.from_environment())
    except ValueError as error:
        raise InvalidError(str(error)) from None


@contextlib.contextmanager
def _held(services: Services, *, needed: bool) -> Iterator[None]:
    """Keep the platform off an embedded home meanwhile; on AWS nobody can, so that what is written meanwhile may be missed."""
    home = services.settings.home
    if services.settings.aws is not None:
        yield
        return
    if needed and not (home / "upid.db").is_file():
        raise NotFoundError(f"There is no data of UPID in {home}: UPID_HOME or --home names the folder.")
    folder = DataFolder(home)
    try:
        folder.take()
    except PlatformError as error:
        raise ConflictError(str(error)) from None
    try:
        yield
    finally:
        folder.release()


@contextlib.contextmanager
def _opened(archive: Path, *, write: bool, clock: float) -> Iterator[Blobs]:
    if not write and not archive.exists():
        raise NotFoundError(f"There is no archive {archive}.")
    if archive.suffix == ".tar":
        with TarBlobs(archive, write=write) as opened:
            yield opened
    else:
        yield open_blobs(archive, clock)


def _passphrase(*, confirm: bool) -> str:
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise InvalidError(f"{PASSPHRASE} must hold the passphrase of the credentials.")
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))
