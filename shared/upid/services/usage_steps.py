"""How long the steps of an answer are, and what is said where nothing is kept any more that they could be answered from. Light, as `usage_requests`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from upid.domain.times import format_duration, format_time
from upid.services.downsampling import DAY_SECONDS, DONE, levels_of
from upid.services.retention import SHORTEST_DAYS, Retention, RetentionPolicy
from upid.services.usage_requests import NICE_STEPS, STEPS_SHOWN, UsageQuery, fault, step_of

STEPS_OF_RATE: Final = 2  # a rate goes from the first to the last of what a step holds


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of a cluster's usage: by its tenant's policy, of stored steps [s], at a moment [s since the epoch]."""

    policy: RetentionPolicy
    stored_seconds: int
    now: float

    @classmethod
    def of(cls, retention: Retention, tenant: str, body: Mapping[str, Any], start: float, now: float) -> Kept | None:
        """Return what is left of the usage of a cluster (its record's body), None where nothing that is younger than `start` was removed."""
        if not body.get(DONE) or now - start <= SHORTEST_DAYS * DAY_SECONDS:
            return None
        policy = retention.of(tenant)
        return None if policy.resource_days * DAY_SECONDS >= now - start else cls(policy, body["step_seconds"], now)

    def since(self, step: int, held: int) -> float:
        """Return from when on steps of a length can be answered, which takes at least `held` of what they are made of. [s since the epoch]"""
        days = [self.policy.days_of(level) for level in levels_of(self.stored_seconds) if step % level == 0 and step >= level * held]
        return self.now - max([self.policy.resource_days, *days]) * DAY_SECONDS

    def least(self, start: float) -> int:
        """Return the shortest of the longer steps that are kept since `start`, the longest of all where none is. [s]"""
        levels = levels_of(self.stored_seconds)
        return min((level for level in levels if self.policy.reaches(level, self.now - start)), default=levels[-1])


def kept_step(query: UsageQuery, stored: int, start: float, end: float, kept: Kept | None) -> tuple[int, list[str]]:
    """Return the length of the steps that a query of [start, end) is answered on [s], and what is to be said of it. kept: None = nothing was removed yet.

    Where none is asked for, it is one that all of the window is kept on, as far as it is kept. One that is asked for is never changed: of a window that
    is kept on longer steps alone it is refused (InvalidRequestError that names them), of one that is in part so it is told from when on there are values.
    """
    step = step_of(query, stored, end - start)
    held = STEPS_OF_RATE if query.aggregation == "rate" else 1
    if kept is None or start >= kept.since(step, held):
        return step, []
    least = kept.least(start) * held
    if not query.step:
        step = _usual(least, end - start)
        return step, [_null_before(kept.since(step, held))] if start < kept.since(step, held) else []
    since, longer = kept.since(step, held), kept.since(least, held)
    if longer >= min(since, end):  # No length of steps shows more.
        return step, [_null_before(since)]
    told = f"Steps of {format_duration(step)} are kept since {format_time(since)}, longer ones since {format_time(longer)}"
    if end <= since:
        raise fault(query.pointer("step"), f"{told}: ask for {format_duration(least)} or a multiple of it.")
    return step, [f"{told}: values before are null. {format_duration(least)}, or a multiple of it, has them."]


def _usual(least: int, seconds: float) -> int:
    usual = (step for step in NICE_STEPS if step % least == 0 and seconds / step <= STEPS_SHOWN)
    return min(usual, default=-(-int(seconds / STEPS_SHOWN) // least) * least)


def _null_before(since: float) -> str:
    return f"Nothing from before {format_time(since)} is kept: values before are null."
