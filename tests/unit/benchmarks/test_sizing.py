"""The benchmark of sizing: the sets have the shapes that they are named after, and each is judged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import sizing


def test_the_sets_are_use_and_the_same_each_time() -> None:
    one, two = (list(sizing.made(containers=3, days=2)) for _ in range(2))

    assert [name for name, _ in one] == [f"cpu, {name}" for name in sizing.CPU] + [f"memory, {name}" for name in sizing.MEMORY]
    for (_, a), (_, b) in zip(one, two, strict=True):
        assert a.values.shape == (3, 2 * sizing.PER_DAY)
        assert (a.values > 0).all()
        np.testing.assert_array_equal(a.values, b.values)


def test_weekends_are_quiet_where_that_is_the_shape() -> None:
    weekly = dict(sizing.made(containers=3, days=7))["cpu, weekly"].values.reshape(3, 7, sizing.PER_DAY).mean(axis=2)

    # Steps begin on a Monday; half of the use at weekends.
    assert (weekly[:, 5:].mean(axis=1) / weekly[:, :5].mean(axis=1)).tolist() == pytest.approx([0.5] * 3, rel=0.02)


def test_a_small_run_judges_made_and_derived_sets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use = sizing.CPU["web"](sizing.Shapes(0, 4, 8))
    np.savez(tmp_path / "own.npz", cpu_cores=use, step_seconds=300, start=sizing.MONDAY)
    monkeypatch.setattr(sizing, "CPU", {"noise": sizing.CPU["noise"]})
    monkeypatch.setattr(sizing, "MEMORY", {})
    monkeypatch.setattr(sizing, "derived", lambda name, trace: [(name, trace)])
    monkeypatch.setattr("sys.argv", ["sizing.py", "--containers", "20", "--days", "8", "--traces", str(tmp_path / "own.npz")])

    sizing.main()

    noise, own = json.loads(capsys.readouterr().out)
    assert (noise["set"], own["set"]) == ("cpu, noise", "own")
    assert noise["judged"] > 3
    assert all(0.7 < share < 1.5 for share in noise["measured_over_allowed"])


def test_a_set_that_is_too_short_is_told() -> None:
    (name, trace), *_ = sizing.made(containers=2, days=3)

    assert "has no 7 days" in sizing.row(name, trace)["left_out"]


def test_derived_sets_hold_what_they_say() -> None:
    trace = next(iter(sizing.made(containers=4, days=10)))[1]

    found = {name.removeprefix("x, "): each for name, each in sizing.derived("x", trace)}

    assert found["12 steps max"].step_seconds == 3600
    np.testing.assert_array_equal(found["12 steps max"].values[:, 0], trace.values[:, :12].max(axis=1))
    assert {len(found[half].values) for half in ("even", "odd", "small", "large")} == {2}
    assert np.isnan(found["gaps"].values).mean() == pytest.approx(0.1, abs=0.01)
    assert np.ptp(found["of one size"].values.mean(axis=1)) == pytest.approx(0, abs=1e-12)
