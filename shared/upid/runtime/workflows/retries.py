"""When a state that failed is run again."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from upid.runtime.workflows.faults import StatesError

DEFAULT_ATTEMPTS: Final = 3
DEFAULT_BACKOFF: Final = 2.0
LONGEST_SECONDS: Final = 31_536_000.0


def next_try(
    rules: Sequence[Mapping[str, Any]], error: StatesError, tries: Mapping[str, int], chance: random.Random
) -> tuple[str, float] | None:
    """Return the rule (its position, as text) that has an attempt left for an error and the delay before it [s], None to give up.

    The first rule that matches decides, as in the States Language: when its attempts are used up, later ones are not asked.
    """
    for position, rule in enumerate(rules):
        if not error.matches(rule["ErrorEquals"]):
            continue
        used = tries.get(str(position), 0)
        return (str(position), delay_seconds(rule, used, chance)) if used < rule.get("MaxAttempts", DEFAULT_ATTEMPTS) else None
    return None


def delay_seconds(rule: Mapping[str, Any], used: int, chance: random.Random) -> float:
    """Return the delay before the next attempt when `used` were used: interval times backoff to that power, at most MaxDelaySeconds [s]."""
    longest = float(rule.get("MaxDelaySeconds", LONGEST_SECONDS))
    delay = float(rule.get("IntervalSeconds", 1))
    for _ in range(used):
        delay = min(delay * rule.get("BackoffRate", DEFAULT_BACKOFF), longest)
    return chance.uniform(0.0, delay) if rule.get("JitterStrategy") == "FULL" else delay
