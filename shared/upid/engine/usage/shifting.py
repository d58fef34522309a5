"""Moving a profile in time: room for newer days, the older part relative to a later reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.daily import MAX_DAYS, placed, placed_daily
from upid.engine.usage.histogram import REBASE_DAYS, Histogram, copied, day_weight, rebase, shift_days
from upid.engine.usage.profile import Beside, UsageProfile
from upid.engine.usage.resident import placed_resident
from upid.engine.usage.startups import Startups


def at_days(profile: UsageProfile, first_day: int, newest_day: int) -> UsageProfile:
    """Return a copy that has daily columns from `first_day` to `newest_day` at least (93 at most) and histograms whose first slot is the newest day."""
    is_new = profile.newest_day < 0
    newest = max(profile.newest_day, newest_day)
    first = max(first_day if is_new else min(profile.first_day, first_day), newest - MAX_DAYS + 1)
    reference = newest // REBASE_DAYS * REBASE_DAYS
    days, offset, every = newest - first + 1, first - profile.first_day, np.arange(profile.rows)

    def _by_day(array: NDArray[Any]) -> NDArray[Any]:
        return placed(array, every, offset, days, is_missing_nan=array is profile.oom_limit_bytes)

    def _shifted(histogram: Histogram) -> Histogram:
        if is_new or (newest == profile.newest_day and reference == profile.reference_day):
            return histogram
        result = copied(histogram)
        shift_days(result, newest - profile.newest_day, profile.newest_day, profile.reference_day)
        rebase(result, reference - profile.reference_day)
        return result

    def _beside(part: Beside) -> Beside:
        return Beside(part.index, _shifted(part.cpu), _shifted(part.memory))

    def _startups(part: Startups) -> Startups:
        scale = 1.0 if is_new else day_weight(profile.reference_day, reference)
        return Startups(part.index, _shifted(part.cpu), part.throttled_total * scale, part.throttled_count * scale)

    return replace(
        profile, first_day=first, newest_day=newest, reference_day=reference, steps=_by_day(profile.steps),
        cpu=_shifted(profile.cpu), memory=_shifted(profile.memory),
        cpu_daily=placed_daily(profile.cpu_daily, every, offset, days), memory_daily=placed_daily(profile.memory_daily, every, offset, days),
        cpu_busiest_total=_by_day(profile.cpu_busiest_total), throttled_total=_by_day(profile.throttled_total), throttled_count=_by_day(profile.throttled_count), oom_kills=_by_day(profile.oom_kills),
        restarts=_by_day(profile.restarts), oom_limit_bytes=_by_day(profile.oom_limit_bytes),
        busiest=_beside(profile.busiest), summed=_beside(profile.summed),
        resident=placed_resident(profile.resident, every, offset, days), startups=_startups(profile.startups),
    )  # fmt: skip
