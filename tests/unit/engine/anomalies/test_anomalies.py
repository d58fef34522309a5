"""Detectors: by hand, causal, and safe where nothing varies."""

from __future__ import annotations

import numpy as np
import pytest

from upid.engine.anomalies.alarms import alarms
from upid.engine.anomalies.detectors import DETECTORS, MOST_SCORE, Detector, detect

VALUES = np.random.default_rng(2).normal(10, 1, (3, 200))


def test_scores_by_hand() -> None:
    values = np.array([[1.0, 2, 3, 4, 5, 6, 7, 8, 9, 100]])
    mean, deviation = values.mean(), values.std(ddof=1)
    assert detect(values, "z_score", causal=False).score[0, 9] == pytest.approx((100 - mean) / deviation)
    # median 5.5, absolute deviations .5 .5 1.5 1.5 2.5 2.5 3.5 3.5 4.5 94.5: their median is 2.5
    assert detect(values, "robust_z", causal=False).score[0, 9] == pytest.approx(94.5 * 0.6744897501960817 / 2.5)


def test_the_fence_of_tukey_scores_three() -> None:
    values = np.arange(101.0)[None]
    found = detect(values, "iqr", threshold=3.0, causal=False)
    assert (found.low[0, 0], found.high[0, 0]) == (25 - 75.0, 75 + 75.0)


def test_the_band_is_that_of_its_quantiles() -> None:
    found = detect(VALUES, "percentile_band", tail=0.05, causal=False)
    np.testing.assert_allclose(found.low[:, 0], np.quantile(VALUES, 0.05, axis=1))
    np.testing.assert_allclose(found.high[:, 0], np.quantile(VALUES, 0.95, axis=1))


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("window", [0, 30])
def test_streaming_never_changes_what_was_scored(detector: Detector, window: int) -> None:
    whole, part = (detect(VALUES[:, :n], detector, window=window, period=12).score for n in (200, 120))
    np.testing.assert_allclose(whole[:, :120], part, rtol=1e-12)


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("causal", [True, False])
def test_a_spread_of_zero_never_divides(detector: Detector, causal: bool) -> None:
    for level in (0.0, 1e-100, 1e100):
        values = np.full((1, 40), level)
        values[0, 30] = level * 2 + 1e-100
        score = detect(values, detector, causal=causal, period=4).score
        assert np.nanmax(score) == score[0, 30] > 3
        assert np.nanmax(np.abs(score)) <= MOST_SCORE


def test_what_is_missing_has_no_score() -> None:
    values = VALUES[:1].copy()
    values[0, 50:60] = np.nan
    score = detect(values, "robust_z").score[0]
    assert np.isnan(score[50:60]).all()
    assert np.isnan(score[:10]).all()
    assert not np.isnan(score[60:]).any()


def test_a_season_is_no_anomaly() -> None:
    values = VALUES[:1] + 20 * (np.arange(200) % 10 == 0)
    assert (
        np.abs(detect(values, "seasonal_residual", period=10, causal=False).score).max()
        < 6
        < np.abs(detect(values, "robust_z", causal=False).score).max()
    )


class TestAlarms:
    def test_one_event_is_one_alarm_until_it_has_cooled_down(self) -> None:
        score = np.array([0, 5, 0, 6, 0, 0, 0, 7, np.nan, 0.0])
        assert [tuple(each) for each in alarms(score, threshold=5, cool_down=2)] == [(1, 3, 3, 6.0, 2), (7, 7, 7, 7.0, 1)]
        assert len(alarms(score, threshold=5, cool_down=4)) == 1
        assert len(alarms(score, threshold=5, cool_down=1)) == 3

    def test_a_side_can_be_left_out(self) -> None:
        score = np.array([0, -5.0, 0, 0, 6.0])
        found = {side: [each.peak for each in alarms(score, threshold=5, cool_down=1, side=side)] for side in ("both", "above", "below")}  # type: ignore[arg-type] # the three there are
        assert found == {"both": [1, 4], "above": [4], "below": [1]}

    @pytest.mark.parametrize(("threshold", "cool_down"), [(0, 1), (1, 0)])
    def test_what_cannot_be_is_refused(self, threshold: float, cool_down: int) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            alarms(np.zeros(3), threshold=threshold, cool_down=cool_down)


@pytest.mark.parametrize("asked", [{"threshold": 0}, {"window": -1}, {"period": 0}, {"tail": 0.5}])
def test_what_cannot_be_is_refused(asked: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="detector must be known"):
        detect(VALUES, "z_score", **asked)  # type: ignore[arg-type] # what cannot be
