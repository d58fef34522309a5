from __future__ import annotations

import io

import pytest

from upid.cli.progress import Steps


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, *, quiet: bool = False) -> str:
    with Steps(stream, quiet=quiet) as steps:
        steps.show("Reading usage", 3, 7)
    return stream.getvalue()


def test_a_terminal_shows_the_step_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")

    text = shown(Terminal())

    assert "Reading usage" in text
    assert "3/7" in text


@pytest.mark.parametrize(("stream", "quiet"), [(io.StringIO(), False), (Terminal(), True)])
def test_nothing_is_written_where_nobody_looks(stream: io.StringIO, quiet: bool) -> None:
    assert shown(stream, quiet=quiet) == ""
