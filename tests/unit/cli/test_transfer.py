"""`upid export` and `upid import` as they are called."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from upid.bootstrap import Services
from upid.cli.main import main
from upid.ports.records import Key
from upid.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UPID_TRANSFER_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("UPID_HOME", str(tmp_path))  # put back at the end: the command sets it
    services = Services(Settings(home=tmp_path / "home"))
    services.records.put(Key("t#a#users", "usr_1"), {"name": "ä"})
    services.blobs.put("t/a/x", b"blob")
    services.database.close()
    return tmp_path / "home"


@pytest.mark.parametrize("archive", ["folder", "file.tar"])
def test_a_home_goes_through_an_archive_into_another(home: Path, tmp_path: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / archive)
    assert main(["export", path, "--home", str(home), "--with-secrets"]) == 0
    assert main(["import", path, "--home", str(tmp_path / "other")]) == 0
    assert capsys.readouterr().out == (
        f"{path}: 1 records, 0 events, 1 blobs (4 bytes).\n{path}: 1 records, 0 events, 1 blobs; 0 records and blobs were there already.\n"
    )
    services = Services(Settings(home=tmp_path / "other"))
    found = services.records.get(Key("t#a#users", "usr_1"))
    services.database.close()
    assert found is not None
    assert (found.body, services.blobs.get("t/a/x")) == ({"name": "ä"}, b"blob")


def test_a_home_that_runs_is_left_alone(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (home / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["export", str(tmp_path / "archive"), "--home", str(home)]) == 1
    assert "Another UPID is running on the data folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "said"),
    [(["export", "{}/a", "--home", "{}/none"], "There is no data of UPID in"), (["import", "{}/none", "--home", "{}/home"], "There is no archive"),
     (["import", "{}/home", "--home", "{}/b"], "This is no archive")],
)  # fmt: skip
def test_what_is_not_there_is_said_in_one_line(
    home: Path, tmp_path: Path, command: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([part.format(tmp_path) for part in command]) in {1, 2}
    assert capsys.readouterr().err.startswith(f"upid: {said}")
    assert not (tmp_path / "none").exists()


def test_a_home_on_aws_that_is_not_described_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPID_HOME", "aws")
    monkeypatch.delenv("UPID_TABLE", raising=False)
    assert main(["export", str(tmp_path / "archive")]) == 2
    assert "UPID_HOME=aws needs UPID_TABLE" in capsys.readouterr().err
