"""`upid bench` as a command."""

from __future__ import annotations

import json
from typing import Any

import pytest

from upid.cli import bench
from upid.cli.benching.analyze import BenchmarkError
from upid.cli.main import main


def figures(total: float) -> dict[str, Any]:
    return {"containers": 20, "from": "profiles", "seconds": {"total": total}, "recommendations": 20, "peak_rss_bytes": 1}


def test_analyze_prints_one_line_of_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        bench, "analyze", lambda size, source, repeat: asked.append((size.containers, str(source), repeat)) or [figures(1.5)]
    )

    status = main(["bench", "analyze", "--containers", "20", "--from", "history", "--json"])

    out = capsys.readouterr().out
    assert (status, asked, out.count("\n")) == (0, [(20, "history", 1)], 1)
    assert json.loads(out) == figures(1.5)


def test_all_measures_both_sources_and_the_starts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "analyze", lambda size, source, repeat: [figures(total) | {"from": str(source)} for total in range(repeat)])
    monkeypatch.setattr(bench, "starts", lambda repeat: {"help_seconds": 0.1, "runs": repeat})

    assert main(["bench", "--repeat", "5"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [(each["from"], each["seconds"]["total"], each["runs"]) for each in told["analyze"]] == [("profiles", 2, 5), ("history", 2, 5)]
    assert told["start"] == {"help_seconds": 0.1, "runs": 5}


def test_what_was_not_measured_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise BenchmarkError("3 of 5 recommendations, partial: []")

    monkeypatch.setattr(bench, "analyze", broken)

    assert main(["bench", "analyze"]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "upid: 3 of 5 recommendations, partial: []\n")


@pytest.mark.parametrize("arguments", [["--from", "nowhere"], ["--containers", "0"], ["--days", "x"], ["everything"]])
def test_arguments_that_cannot_be_are_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "analyze", *arguments] if arguments != ["everything"] else ["bench", "everything"]) == 2
    assert capsys.readouterr().out == ""
