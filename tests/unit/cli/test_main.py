"""The `upid` command."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from upid.cli import main as command
from upid.domain.errors import InvalidRequestError, NotFoundError


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Puts a function in the place of a command."""

    def put(function: Callable[[], None]) -> None:
        module = ModuleType("upid_probe")
        module.__dict__["probe"] = function
        monkeypatch.setitem(sys.modules, "upid_probe", module)
        monkeypatch.setattr(command, "COMMANDS", {"probe": command.Lazy("upid_probe", "probe", "Probe.")})

    return put


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in command.COMMANDS)
    assert "..." not in text.replace("[ARGS]...", "")


@pytest.mark.parametrize("name", list(command.COMMANDS))
def test_every_command_is_there_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    lazy = command.COMMANDS[name]
    assert callable(getattr(importlib.import_module(lazy.module), lazy.function))
    assert command.main([name, "--help"]) == 0
    assert f"Usage: upid {name}" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    import upid

    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == f"upid {upid.__version__}\n"


@pytest.mark.parametrize("arguments", [["scam"], ["--nope"], ["serve", "--port", "x"], ["serve", "--port", "70000"]])
def test_wrong_arguments_are_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) <= 6


def test_an_expected_error_is_told_in_few_lines_without_a_traceback(probe: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise InvalidRequestError([{"pointer": f"#/{n}", "detail": "Wrong."} for n in range(20)])

    probe(fail)
    assert command.main(["probe"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["upid: The request does not match its schema.", "  #/0: Wrong."]
    assert len(lines) == 6


def test_exit_statuses_tell_kinds_apart(probe: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    def raising(error: BaseException) -> Callable[[], None]:
        def fail() -> None:
            raise error

        return fail

    for error, status in [
        (NotFoundError("No."), 1),
        (typer.Exit(3), 3),
        (KeyboardInterrupt(), 130),
        (SystemExit("no"), 1),
        (SystemExit(None), 0),
    ]:
        probe(raising(error))
        assert command.main(["probe"]) == status


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["--version"], ["openapi"]])
def test_output_that_cannot_be_written_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "upid.cli.main", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )

    assert (ended.returncode, ended.stderr) == (1, "upid: The output cannot be written: no space left on the device.\n")
