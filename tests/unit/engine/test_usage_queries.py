"""Groups, longer steps, holes and hours of the week, against values by hand and against numpy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from upid.engine.usage.queries import across, by_hour_of_week, fill, hours_of_week, merged, over_time, quantile_of, quantiles

NAN = np.nan
SERIES = np.array([[1.0, NAN, 3.0, NAN], [2.0, 5.0, NAN, NAN], [10.0, 20.0, 30.0, 40.0]], np.float32)
GROUP = np.array([1, 1, 0])


@pytest.mark.parametrize(
    ("how", "second"),
    [("sum", [3, 5, 3, NAN]), ("mean", [1.5, 5, 3, NAN]), ("max", [2, 5, 3, NAN]), ("min", [1, 5, 3, NAN]), ("count", [2, 1, 1, 0])],
)
def test_a_group_joins_the_samples_that_are_there(how: str, second: list[float]) -> None:
    found = across(SERIES, GROUP, 3, how)

    np.testing.assert_array_equal(found[1], second)
    np.testing.assert_array_equal(found[0], [1, 1, 1, 1] if how == "count" else SERIES[2])
    np.testing.assert_array_equal(found[2], [0] * 4 if how == "count" else [NAN] * 4)


def test_sums_of_float32_are_made_in_float64() -> None:
    values = np.array([[2.0**24], [1.0], [1.0]], np.float32)

    assert across(values, np.zeros(3, np.int64), 1, "sum")[0, 0] == 2**24 + 2


def test_groups_of_one_series_keep_their_type() -> None:
    assert across(SERIES, np.array([2, 0, 1]), 3, "sum").dtype == np.float32


def test_no_series_are_groups_without_samples() -> None:
    assert np.isnan(across(np.empty((0, 4), np.float32), np.empty(0, np.int64), 2, "sum")).all()


@pytest.mark.parametrize(("how", "joined"), [("sum", [4, 2, NAN]), ("max", [3, 2, NAN]), ("min", [1, 2, NAN]), ("count", [4, 2, NAN])])
def test_parts_of_a_group_join(how: str, joined: list[float]) -> None:
    np.testing.assert_array_equal(merged(np.array([1, NAN, NAN]), np.array([3, 2, NAN]), how), joined)


def test_means_of_parts_do_not_join() -> None:
    with pytest.raises(ValueError, match="mean"):
        merged(SERIES, SERIES, "mean")


REFERENCES: dict[str, Callable[..., Any]] = {
    "mean": np.nanmean, "max": np.nanmax, "min": np.nanmin, "sum": np.nansum, "p0": np.nanmin, "p100": np.nanmax, "p50": np.nanmedian,
    "p95": lambda x, axis: np.nanquantile(x, 0.95, axis=axis), "p99.9": lambda x, axis: np.nanquantile(x, 0.999, axis=axis),
    "count": lambda x, axis: (~np.isnan(x)).sum(axis),
}  # fmt: skip


@pytest.mark.parametrize("how", REFERENCES)
def test_longer_steps_are_what_numpy_makes_of_their_samples(how: str) -> None:
    values = np.random.default_rng(3).random((7, 60))
    values[values < 0.2] = NAN

    np.testing.assert_allclose(over_time(values, 12, how), REFERENCES[how](values.reshape(7, 5, 12), axis=2), rtol=1e-12)


@pytest.mark.parametrize("how", ["mean", "max", "min", "sum", "p95", "rate"])
def test_a_step_without_samples_is_a_hole_and_counts_none(how: str) -> None:
    values = np.array([[NAN, NAN, 1.0, 2.0]])

    assert np.isnan(over_time(values, 2, how)[0, 0])
    assert over_time(values, 2, "count").tolist() == [[0.0, 2.0]]


def test_a_rate_goes_from_the_first_to_the_last_sample() -> None:
    values = np.array([[NAN, 10.0, 99.0, 40.0, NAN, 7.0, NAN, NAN, NAN]])

    # 30 in two steps of 60 s; a single sample has no rate.
    np.testing.assert_array_equal(over_time(values[:, :5], 5, "rate", 60.0), [[0.25]])
    assert np.isnan(over_time(values[:, 5:], 4, "rate", 60.0)).all()


@pytest.mark.parametrize(("width", "how"), [(0, "mean"), (3, "mean"), (2, "median"), (2, "p101"), (2, "p-1"), (2, "pnan"), (2, "")])
def test_what_cannot_be_is_refused(width: int, how: str) -> None:
    with pytest.raises(ValueError, match=r"whole number of steps|none of"):
        over_time(SERIES, width, how)


def test_quantiles_by_name() -> None:
    assert (quantile_of("p95"), quantile_of("p0"), quantile_of("p100"), quantile_of("p99.9")) == (0.95, 0.0, 1.0, pytest.approx(0.999))


@pytest.mark.parametrize(
    ("policy", "filled"),
    [
        ("none", [NAN, 1, NAN, NAN, 4, NAN]),
        ("zero", [0, 1, 0, 0, 4, 0]),
        ("previous", [NAN, 1, 1, 1, 4, 4]),
        ("linear", [NAN, 1, 2, 3, 4, NAN]),
    ],
)
def test_holes_are_filled_as_asked(policy: str, filled: list[float]) -> None:
    np.testing.assert_array_equal(fill(np.array([[NAN, 1, NAN, NAN, 4, NAN]]), policy), [filled])
    assert np.isnan(fill(np.full((1, 2), NAN), policy)).all() or policy == "zero"


def test_another_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="none of none, zero, previous, linear"):
        fill(np.zeros((1, 1)), "last")


def test_quantiles_of_rows_leave_holes_out() -> None:
    np.testing.assert_allclose(quantiles(SERIES, (0.0, 0.5, 1.0)), [[1, 2, 3], [2, 3.5, 5], [10, 25, 40]])
    assert np.isnan(quantiles(np.full((1, 3), NAN), (0.5,))).all()


def test_hours_of_the_week_are_those_of_the_calendar() -> None:
    start = 1_700_000_100
    moments = [datetime.fromtimestamp(start + 1800 * n, UTC) for n in range(400)]

    assert hours_of_week(start, 1800, 400).tolist() == [moment.weekday() * 24 + moment.hour for moment in moments]


def test_the_usual_week_is_made_of_the_same_hours_of_all_weeks() -> None:
    monday = 4 * 86400
    values = np.arange(2 * 336, dtype=float)[None]

    found = by_hour_of_week(values, hours_of_week(monday, 1800, 672), "mean")
    # Hour 5 has steps 10 and 11 of each week, and 336 half hours lie between the weeks.
    assert found[0, 5] == (10 + 11 + 346 + 347) / 4
    assert np.isnan(by_hour_of_week(values[:, :2], hours_of_week(monday, 1800, 2), "mean")[0, 1:]).all()
