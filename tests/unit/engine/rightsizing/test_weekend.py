"""Quiet weekends: what is asked for on a Sunday evening is for the week."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.engine.making import DAY, MONDAY, PER_DAY, noise, profile_of, samples

from upid.engine.rightsizing.cpu import cpu_need
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.seen import seen
from upid.engine.rightsizing.weekend import working_week

TUESDAY = MONDAY + DAY


def week(weekend: float, *, days: int = 7, start: int = MONDAY) -> NDArray[np.float32]:
    """Return use of 1 core in the mean whose Saturdays and Sundays have this share of it."""
    usage = noise(days, mean=1.0)
    weekday = (np.arange(days * PER_DAY) // PER_DAY + (start - MONDAY) // DAY) % 7
    usage[:, weekday >= 5] *= np.float32(weekend)
    return usage


def request(usage: NDArray[np.float32], knob: float = 0.1, start: int = MONDAY) -> float:
    """Return the CPU need of the first row."""
    return float(cpu_need(seen(profile_of(samples(usage, start=start))), Options(allowed_time_above=knob)).request[0])


@pytest.mark.parametrize("knob", [0.1, 0.05, 0.02])
def test_after_a_quiet_weekend_the_working_week_still_has_its_share(knob: float) -> None:
    asked = request(week(0.2), knob)

    # The working days that come: 1.4 times the share of their samples, since the weekend has none above.
    assert (week(1.0) > asked).mean() <= 1.4 * knob * 1.2


def test_a_weekend_like_other_days_and_a_single_quiet_day_change_nothing() -> None:
    usage, quiet = week(1.0), week(1.0)
    quiet[:, 6 * PER_DAY :] *= np.float32(0.2)  # Sunday alone: the newest day weighs half

    assert request(usage) > request(quiet)
    assert request(week(0.2)) > request(quiet)


def test_before_the_weekend_nothing_is_added() -> None:
    usage = week(0.2, start=TUESDAY - 3 * DAY)  # Saturday to Friday: the weekend is old and weighs little

    assert request(usage, start=TUESDAY - 3 * DAY) == pytest.approx(request(week(1.0)), rel=0.15)


def test_the_effect_grows_evenly_as_weekends_get_quieter() -> None:
    asked = [request(week(share)) for share in np.linspace(1.0, 0.5, 51)]

    assert max(abs(b / a - 1) for a, b in pairwise(asked)) < 0.05


def test_less_than_a_week_has_no_weekend() -> None:
    view = seen(profile_of(samples(week(0.2, days=3, start=MONDAY + 4 * DAY), start=MONDAY + 4 * DAY)))  # Friday to Sunday
    means = view.cpu_daily.total / view.cpu_daily.count

    assert working_week(view, means).tolist() == [1]


def test_the_part_of_the_share_by_hand() -> None:
    view = seen(profile_of(samples(week(0.2))))
    means = view.cpu_daily.total / view.cpu_daily.count

    # Weights of Sunday back to Monday are 1, 1/2, ... 1/64: working days have 0.484 of 1.984, which is 0.244, over 5/7.
    assert working_week(view, means)[0] == pytest.approx(0.2440945 / (5 / 7), rel=1e-6)
