"""The benchmark of forecasts: it measures what it says, on a few series."""

from __future__ import annotations

import pytest

from benchmarks import forecasting


def test_a_small_run_has_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasting, "ARMA", ((1, 0),))
    monkeypatch.setattr(forecasting, "LARGEST", {"auto": 100, "theta": 200})
    found = forecasting.measured(series=16, steps=48, period=6, sample=2)

    assert set(found["holt_winters"]) == {"additive", "additive_damped", "multiplicative", "multiplicative_damped"}
    assert found["holt_winters"]["additive"]["series"] == 16
    fits = [*found["holt_winters"].values(), *found["arma_120_steps"].values()]
    assert all(0 <= fit["share_as_good"] <= 1 and fit["processor_seconds"] > 0 for fit in fits)
    assert sum(found["auto"]["chosen"].values()) == 4
    assert found["auto"]["forecasts"] == 4 * 12
    assert {method: each["series"] for method, each in found["largest_request"].items()} == {"auto": 2, "theta": 4}
