"""Peaks that come back every month."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.engine.making import DAY, assessed, current, profile_of, samples

from upid.domain.reasons import text_of
from upid.engine.rightsizing.columns import CODES
from upid.engine.rightsizing.cpu import CpuNeed, cpu_need
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.seen import seen
from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.storage import from_arrays, to_arrays

FIRST = date(2026, 1, 10)
DAYS = 80  # 10 January to 30 March
STEP = 900
PER_DAY = DAY // STEP


def usage(*peaks: tuple[date, float], steps: int = 8) -> NDArray[np.float32]:
    """Return 80 days of 0.1 cores, with `steps` quarters of an hour at noon of some days at some peak."""
    cores = np.full((1, DAYS * PER_DAY), 0.1, dtype=np.float32)
    for day, peak in peaks:
        begin = (day - FIRST).days * PER_DAY + PER_DAY // 2
        cores[0, begin : begin + steps] = peak
    return cores


def need(cores: NDArray[np.float32], knob: float = 0.01) -> CpuNeed:
    """Return the CPU need."""
    start = (FIRST - date(1970, 1, 1)).days * DAY
    return cpu_need(seen(profile_of(samples(cores, start=start, step=STEP))), Options(allowed_time_above=knob))


JANUARY, FEBRUARY = date(2026, 1, 31), date(2026, 2, 28)


def test_a_month_end_that_came_twice_is_held_at_the_lower_of_its_peaks() -> None:
    found = need(usage((JANUARY, 2.0), (FEBRUARY, 3.0)))

    assert found.recurring.need[0] == pytest.approx(2.0)
    assert found.request[0] >= 2.0
    assert found.recurring.hour[0] == 301
    assert text_of("cpu_recurring_peak", {"cpu_recurring_hour": 301, "cpu_recurring_cores": 2.0}) == (
        "A peak that comes back on the last day of every month needs 2."
    )


def test_the_same_day_of_two_months_is_told_by_its_number() -> None:
    assert need(usage((date(2026, 2, 15), 2.0), (date(2026, 3, 15), 2.0))).recurring.hour[0] == 215


@pytest.mark.parametrize(
    "cores",
    [
        usage((JANUARY, 2.0)),  # once
        usage((JANUARY, 2.0), (date(2026, 2, 20), 2.0)),  # on days that have nothing in common
        usage((JANUARY, 2.0), (FEBRUARY, 2.0), steps=1),  # a quarter of an hour
        usage(*((date(2026, 2, day), 2.0) for day in range(1, 28, 3)), *((date(2026, 3, day), 2.0) for day in range(2, 28, 3))),
        usage((JANUARY, 2.0), (FEBRUARY, 2.0))[:, : 28 * PER_DAY],
    ],
)
def test_what_does_not_come_back_by_the_month_is_averaged_away(cores: NDArray[np.float32]) -> None:
    assert need(cores).recurring.hour[0] < 200


def test_max_savings_averages_month_ends_away_and_balanced_does_not() -> None:
    cores = usage((JANUARY, 2.0), (FEBRUARY, 2.0))

    assert need(cores, 0.05).request[0] < 0.2
    assert need(cores, 0.001).request[0] >= 2.0


def test_pods_side_by_side_do_not_make_a_short_peak_long() -> None:
    start = (FIRST - date(1970, 1, 1)).days * DAY
    cores = np.repeat(usage((JANUARY, 2.0), (FEBRUARY, 2.0), steps=1), 8, axis=0)

    view = seen(profile_of(samples(cores, start=start, step=STEP, row=[0] * 8, workload=[0])))

    assert cpu_need(view, Options()).recurring.hour[0] < 200


def beside_nine_quiet_ones() -> UsageProfile:
    """Return the profile of ten pods of which one has two hours at 2 and 3 cores at two month ends."""
    start = (FIRST - date(1970, 1, 1)).days * DAY
    cores = np.vstack([usage((JANUARY, 2.0), (FEBRUARY, 3.0)), *[usage()] * 9])
    return profile_of(samples(cores, start=start, step=STEP, row=[0] * 10, workload=[0]))


def test_the_peak_of_one_pod_among_many_is_not_diluted() -> None:
    found = cpu_need(seen(beside_nine_quiet_ones()), Options(allowed_time_above=0.01))

    assert (found.recurring.need[0], found.recurring.hour[0]) == (pytest.approx(2.0), 301)


def test_what_the_busiest_pod_used_is_kept_and_of_an_older_profile_taken_from_the_mean_pod() -> None:
    whole = beside_nine_quiet_ones()
    arrays, meta = to_arrays(whole)

    kept = from_arrays(arrays, meta)
    old = from_arrays({name: array for name, array in arrays.items() if not name.endswith("cpu_busiest_total")}, meta)

    np.testing.assert_array_equal(kept.cpu_busiest_total, whole.cpu_busiest_total)
    day = (JANUARY - FIRST).days
    # 88 quarters of an hour at 0.1 and 8 at 2; of the mean pod a tenth of what is above.
    assert whole.cpu_busiest_total[0, day] == pytest.approx(88 * 0.1 + 8 * 2.0)
    assert old.cpu_busiest_total[0, day] == pytest.approx(96 * 0.1 + 8 * 1.9 / 10)
    assert cpu_need(seen(old), Options(allowed_time_above=0.01)).recurring.hour[0] < 200


def test_an_assessment_tells_it() -> None:
    start = (FIRST - date(1970, 1, 1)).days * DAY

    found = assessed(samples(usage((JANUARY, 2.0), (FEBRUARY, 2.0)), start=start, step=STEP), current())

    assert "cpu_recurring_peak" in {CODES[i] for i in np.flatnonzero(found["reasons"][0])}


def test_the_weekly_peak_of_one_pod_among_many_is_not_diluted() -> None:
    def usage_of(day: int) -> NDArray[np.float32]:
        """Return three weeks of 0.1 cores, with an hour of 2 at noon of one day of each week where there is such a day."""
        cores = np.full((1, 21 * PER_DAY), 0.1, dtype=np.float32)
        for week in range(3 if day >= 0 else 0):
            begin = (7 * week + day) * PER_DAY + PER_DAY // 2
            cores[0, begin : begin + 3600 // STEP] = 2.0
        return cores

    monday = 1_700_438_400  # 20 November 2023
    cores = np.vstack([usage_of(2), *[usage_of(-1)] * 9])

    found = cpu_need(
        seen(profile_of(samples(cores, start=monday, step=STEP, row=[0] * 10, workload=[0]))), Options(allowed_time_above=0.01)
    )

    assert (found.recurring.need[0], found.recurring.hour[0]) == (pytest.approx(2.0), 2 * 24 + 12)
