"""Fits that are kept: the same values are fitted once."""

from __future__ import annotations

import numpy as np
import pytest
from worlds.collection import SetClock

from upid.domain.lifetimes import Lifetimes
from upid.engine.forecasting.selection import forecast
from upid.services.caches import Caches
from upid.services.fits import Fits, size_of

VALUES = np.random.default_rng(3).gamma(2.0, 1.0, (2, 60))


@pytest.fixture
def fits() -> Fits:
    return Fits(Caches(Lifetimes(), SetClock()).of("statistical_models", size_of))


def test_a_kept_forecast_is_the_engines_own(fits: Fits) -> None:
    expected = forecast(VALUES, 6, 1, methods=("theta", "naive"))

    for _ in range(2):
        found = fits.forecast(VALUES.copy(), 6, 1, ("theta", "naive"))
        assert found.chosen == expected.chosen
        np.testing.assert_array_equal(found.outlooks["theta"].mean, expected.outlooks["theta"].mean)

    assert fits.kept.counts()[2:4] == (1, 1)


def test_anything_else_is_another_forecast(fits: Fits) -> None:
    changed = VALUES.copy()
    changed[1, -1] = np.nextafter(changed[1, -1], np.inf)
    fits.forecast(VALUES, 6, 1, ("theta",))

    for other in ((changed, 6, 1, ("theta",)), (VALUES.reshape(1, -1), 6, 1, ("theta",)), (VALUES, 7, 1, ("theta",)), (VALUES, 6, 7, ("theta",)), (VALUES, 6, 1, ("naive",))):  # fmt: skip
        fits.forecast(*other)

    assert fits.kept.counts()[2:4] == (0, 6)


def test_what_is_shared_cannot_be_written(fits: Fits) -> None:
    found = fits.forecast(VALUES, 6, 1, ("theta",))

    with pytest.raises(ValueError, match="read-only"):
        found.outlooks["theta"].mean[0, 0] = 0.0


def test_what_cannot_be_fitted_is_said_each_time(fits: Fits) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="too few"):
            fits.forecast(np.ones((1, 1)), 1, 1, ("holt_winters_multiplicative_damped",))
    assert fits.kept.counts().entries == 0
