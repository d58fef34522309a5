"""Arguments that cannot be read end with status 2; what could be read but not done with 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from outside.scanning import World

UNREADABLE = [
    ("--step", "0"), ("--step", "0s"), ("--step", "-5m"), ("--step", "5"), ("--step", "five"), ("--step", "0.5s"), ("--history", "7x"), ("--history", ""),
    ("--history", "1m"), ("--at", "yesterday"), ("--at", "2026-11-23T10:00:00"), ("--at", "2026-13-01T00:00:00Z"), ("--at", "-5"), ("--at", "9" * 30), ("--at", "0"), ("--at", "60"), ("--history", "100000d"), ("--history", "9" * 40 + "d"),
    ("--output", "xml"), ("--prometheus-url", "nonsense"), ("--prometheus-url", "ftp://127.0.0.1"), ("--prometheus-url", "http://"),
    ("--prometheus-url", "http://[::1"), ("--prometheus-url", "http://127.0.0.1:99999"), ("--prometheus-url", "http://a b"), ("--strategy", "reckless"),
    ("--allowed-time-above", "2"), ("--allowed-time-above", "nan"), ("--max-qps", "-1"), ("--max-qps", "nan"), ("--header", "no-colon"), ("--basic-auth", "nobody"),
    ("--selector", "a in"), ("--cluster-label", "cluster"), ("--header", "X-A: b\nc"), ("--no-such-option", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "value"), UNREADABLE, ids=lambda part: part[:20])
def test_an_argument_that_cannot_be_read_ends_with_status_2(world: World, option: str, value: str) -> None:
    world.run(option, value).assert_refused(2)


def test_a_file_in_a_folder_that_is_not_there_is_told_before_anything_is_read(world: World, tmp_path: Path) -> None:
    world.run("--file", str(tmp_path / "none" / "out.json")).assert_refused(1, "none")
    assert not world.cluster.asked


@pytest.mark.parametrize("variable", ["PORT", "UPID_WORKERS"])
def test_a_setting_that_cannot_be_read_is_one_clear_line(world: World, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "many")
    world.run().assert_refused(2, variable)


def test_as_a_process_too_the_message_goes_to_standard_error_and_the_status_is_the_processs(world: World) -> None:
    command = [
        str(Path(sys.executable).parent / "upid"),
        "scan",
        "--kubeconfig",
        world.kubeconfig("{{{"),
        "--prometheus-url",
        world.prometheus_url,
    ]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, env=os.environ | {"UPID_HOME": str(world.folder)}
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "not YAML" in done.stderr
    assert len(done.stderr.splitlines()) == 1
