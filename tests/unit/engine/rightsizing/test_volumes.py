"""Volumes are sized by what they hold and how that grows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from unit.engine.making import GIB, MONDAY, PER_DAY, STEP

from upid.engine.rightsizing.columns import STATUSES, VOLUME_CODES, VOLUME_COLUMNS, VOLUME_REASONS
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.volumes import VolumeUse, size_volumes


def sized(used: Any, size: float = 10 * GIB, usd_per_gib_month: float = 0.08, **options: Any) -> dict[str, NDArray[Any]]:
    """Return what volumes that hold `used`, shape (volumes, steps), need."""
    values = np.atleast_2d(np.asarray(used, dtype=np.float64))
    use = VolumeUse(MONDAY, STEP, values, np.full(len(values), size))
    return size_volumes(use, Options(**options), np.full(len(values), usd_per_gib_month))


def told(found: dict[str, NDArray[Any]]) -> str:
    """Return the first volume's status or code."""
    code = int(found["volume_code"][0])
    return VOLUME_CODES[code] if code >= 0 else STATUSES[int(found["volume_status"][0])]


def reasons(found: dict[str, NDArray[Any]]) -> set[str]:
    """Return the first volume's reasons."""
    return {reason.code for reason, holds in zip(VOLUME_REASONS, found["volume_reasons"][0], strict=True) if holds}


def growing(begin: float, per_day: float, days: int) -> NDArray[np.float64]:
    """Return use that begins at some bytes and grows evenly."""
    return begin + per_day * np.arange(days * PER_DAY) / PER_DAY


def test_a_growing_volume_is_made_for_the_review() -> None:
    found = sized(growing(4 * GIB, 0.2 * GIB, 28))

    # 9.6 GiB on the last day, 0.2 a day for 28 days, as long as was seen: 15.2, and a fifth of 19 stays free: rounded up to 19 or 20.
    assert told(found) == "recommended"
    assert found["volume_growth_bytes_per_day"][0] == pytest.approx(0.2 * GIB, rel=1e-6)
    assert found["volume_expected_bytes"][0] == pytest.approx(15.2 * GIB, rel=1e-3)
    assert found["volume_size_bytes"][0] == 19 * GIB
    assert found["volume_days_until_full"][0] == pytest.approx(0.4 / 0.2, abs=0.02)
    assert reasons(found) == {"volume_used", "volume_growth", "volume_full"}
    assert set(found) == set(VOLUME_COLUMNS)


def test_a_larger_volume_costs_more_and_one_that_stays_nothing() -> None:
    larger, same = sized(growing(4 * GIB, 0.2 * GIB, 28)), sized(GIB * np.ones(2 * PER_DAY))

    assert larger["volume_savings_usd_per_month"][0] == pytest.approx(-9 * 0.08)  # from 10 to 19 GiB
    assert same["volume_savings_usd_per_month"][0] == 0


def test_a_larger_volume_of_an_unknown_price_tells_no_savings() -> None:
    larger, same = (sized(used, usd_per_gib_month=np.nan) for used in (growing(4 * GIB, 0.2 * GIB, 28), GIB * np.ones(2 * PER_DAY)))

    assert np.isnan(larger["volume_savings_usd_per_month"][0])
    assert "volume_price_unknown" in reasons(larger)
    assert same["volume_savings_usd_per_month"][0] == 0
    assert "volume_price_unknown" not in reasons(same)


def test_growth_counts_no_further_ahead_than_was_seen_and_not_without_significance() -> None:
    week, noise = sized(growing(4 * GIB, 0.2 * GIB, 8)), sized(4 * GIB + GIB * np.random.default_rng(3).random(28 * PER_DAY))

    assert week["volume_review_days"][0] == 8
    assert week["volume_expected_bytes"][0] == pytest.approx((5.6 + 1.6) * GIB, rel=1e-3)
    assert noise["volume_growth_bytes_per_day"][0] == 0
    assert np.isnan(noise["volume_days_until_full"][0])


def test_a_volume_is_never_made_smaller() -> None:
    found = sized(np.full(7 * PER_DAY, GIB), size=100 * GIB)

    assert (told(found), found["volume_size_bytes"][0], found["volume_need_bytes"][0]) == ("unchanged", 100 * GIB, 2 * GIB)
    assert reasons(found) == {"volume_used", "volume_never_smaller"}


def test_a_volume_that_fits_stays_as_it_is() -> None:
    found = sized(np.full(7 * PER_DAY, 7.9 * GIB))

    assert (told(found), found["volume_size_bytes"][0]) == ("unchanged", 10 * GIB)
    assert reasons(found) == {"volume_used", "volume_as_is"}


def test_a_volume_that_is_nearly_full_grows_without_a_trend() -> None:
    found = sized(np.full(PER_DAY, 9.5 * GIB))

    # 9.5 / 0.8 = 11.9.
    assert (told(found), found["volume_size_bytes"][0]) == ("recommended", 12 * GIB)


@pytest.mark.parametrize(
    ("used", "size", "code"),
    [
        (np.full(PER_DAY, np.nan), GIB, "volume_no_data"),
        (np.full(PER_DAY, np.inf), GIB, "volume_no_data"),
        (np.zeros(0), GIB, "volume_no_data"),
        (np.full(10, 1.0), GIB, "volume_not_enough_data"),
        (np.full(PER_DAY, 1.0), np.nan, "volume_size_unknown"),
    ],
)
def test_what_is_not_known_is_withheld_with_a_code(used: NDArray[np.float64], size: float, code: str) -> None:
    found = sized(used, size)

    assert told(found) == code
    assert reasons(found) == {code}
    np.testing.assert_array_equal(found["volume_size_bytes"], [size])


def test_days_without_samples_count_as_time() -> None:
    used = growing(1 * GIB, 0.1 * GIB, 20)
    used[5 * PER_DAY : 10 * PER_DAY] = np.nan

    assert sized(used)["volume_growth_bytes_per_day"][0] == pytest.approx(0.1 * GIB, rel=1e-6)


@given(st.integers(0, 1000), st.floats(0.1, 20), st.floats(1, 3))
@settings(max_examples=30, deadline=None)
def test_size_is_never_less_than_now_or_than_what_was_held_and_follows_use(seed: int, gib: float, factor: float) -> None:
    used = gib * GIB * np.random.default_rng(seed).gamma(50, 1 / 50, (2, 3 * PER_DAY))
    used[1] = used[0] * factor

    found = sized(used)

    assert (found["volume_size_bytes"] >= 10 * GIB).all()
    assert (found["volume_need_bytes"] * 0.8 >= used.max(axis=1) * (1 - 1e-9)).all()
    assert found["volume_need_bytes"][1] >= found["volume_need_bytes"][0]
    alone = sized(used[1])
    assert all(np.array_equal(alone[name], column[1:], equal_nan=True) for name, column in found.items())


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        size_volumes(VolumeUse(MONDAY, STEP, np.zeros((2, 3)), np.zeros(1)), Options(), np.zeros(1))
