from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from unit.engine.making import noise

from upid.cli.benching.analyze import BenchmarkError
from upid.cli.benching.rightsizing import Yardstick, read, rightsizing


def saved(path: Path, **arrays: object) -> Path:
    np.savez(path, **{"step_seconds": 300, "start": 0, **arrays})
    return path


def cpu(path: Path, days: float = 9, seed: int = 7) -> Path:
    return saved(path, cpu_cores=noise(days, series=4, seed=seed), capacity_cores=4.0)


def test_traces_are_judged_apart_and_requests_written(tmp_path: Path) -> None:
    one, two, out = cpu(tmp_path / "one.npz"), cpu(tmp_path / "two.npz", seed=8), tmp_path / "requests.npz"

    told = rightsizing([one, two], Yardstick(7, 1, out))

    assert [each["set"] for each in told["sets"]] == ["one", "two"]
    with np.load(out) as written:
        assert written["one.cpu.requests"].shape == (len(written["one.cpu.rules"]), 2, 4)
        assert written["one.cpu.starts"].tolist() == [7 * 86400, 8 * 86400]
        assert np.isnan(written["one.cpu.knobs"]).sum() == 8


def test_a_folder_stands_for_its_traces_and_a_short_one_is_named(tmp_path: Path) -> None:
    cpu(tmp_path / "a.npz")
    cpu(tmp_path / "b.npz", days=2)

    told = rightsizing([tmp_path], Yardstick(7, 1, None))

    assert "left_out" in told["sets"][1]
    assert "curve" in told["sets"][0]


def test_a_file_may_hold_both_resources(tmp_path: Path) -> None:
    path = saved(tmp_path / "both.npz", cpu_cores=noise(1), memory_bytes=noise(1) * 1e9)

    assert [trace.resource for trace in read(path)] == ["cpu", "memory"]


@pytest.mark.parametrize("make", [lambda p: p, lambda p: p.write_bytes(b"no") and p, lambda p: saved(p, other=1)])
def test_what_is_no_trace_is_told(tmp_path: Path, make: object) -> None:
    assert callable(make)
    with pytest.raises(BenchmarkError, match="is no trace"):
        rightsizing([make(tmp_path / "x.npz") or tmp_path / "x.npz"], Yardstick(7, 1, None))


def test_the_command_takes_several_paths_after_the_option(tmp_path: Path) -> None:
    from upid.cli.main import app

    paths = [str(cpu(tmp_path / name)) for name in ("one.npz", "two.npz")]

    done = CliRunner().invoke(app, ["bench", "rightsizing", "--traces", *paths, "--fit-days", "7", "--json"])

    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["sets"]) == 2


def test_traces_are_for_rightsizing_alone(tmp_path: Path) -> None:
    from upid.cli.main import app

    for arguments in (["rightsizing"], ["start", "--traces", str(tmp_path)]):
        assert CliRunner().invoke(app, ["bench", *arguments]).exit_code == 2
