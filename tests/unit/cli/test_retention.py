"""`upid retention` on an empty home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from upid.cli.main import main


def test_what_is_kept_is_shown_changed_and_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPID_HOME", str(tmp_path))
    assert [
        main(["retention"]),
        main(["retention", "--resource", "30", "--cost", "730"]),
        main(["retention"]),
        main(["retention", "--tenant", "b"]),
    ] == [0] * 4
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    usual = {"resource_days": 90, "performance_days": 180, "cost_days": 365}
    assert shown == [
        usual,
        {"resource_days": 30, "performance_days": 180, "cost_days": 730},
        usual | {"resource_days": 30, "cost_days": 730},
        usual,
    ]


def test_days_that_cannot_be_are_told_by_their_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPID_HOME", str(tmp_path))
    assert main(["retention", "--resource", "1"]) == 2
    assert "--resource: From 8 to 3660 days." in capsys.readouterr().err
