"""Retry and Catch."""

from __future__ import annotations

import random
from typing import Any

import pytest

from upid.runtime.workflows.faults import StatesError
from upid.runtime.workflows.retries import delay_seconds, next_try

CHANCE = random.Random(1)


def rule(*errors: str, **fields: Any) -> dict[str, Any]:
    return {"ErrorEquals": list(errors), **fields}


def test_the_delay_grows_by_the_backoff_to_its_longest() -> None:
    # 2 s, times 3 each: 2, 6, 18, held at 10.
    growing = rule("E", IntervalSeconds=2, BackoffRate=3.0, MaxDelaySeconds=10)

    assert [delay_seconds(growing, used, CHANCE) for used in range(4)] == [2.0, 6.0, 10.0, 10.0]


def test_the_defaults_are_those_of_the_states_language() -> None:
    assert [delay_seconds(rule("E"), used, CHANCE) for used in range(3)] == [1.0, 2.0, 4.0]
    assert next_try([rule("E")], StatesError("E"), {"0": 2}, CHANCE) is not None
    assert next_try([rule("E")], StatesError("E"), {"0": 3}, CHANCE) is None


def test_a_very_long_backoff_does_not_overflow() -> None:
    assert delay_seconds(rule("E", BackoffRate=1e9), 10_000, CHANCE) == 31_536_000.0


def test_full_jitter_lies_between_nothing_and_the_delay() -> None:
    delays = [delay_seconds(rule("E", IntervalSeconds=10, JitterStrategy="FULL"), 0, CHANCE) for _ in range(200)]

    assert min(delays) < 1
    assert 9 < max(delays) <= 10


def test_the_first_rule_that_matches_decides() -> None:
    rules = [rule("A", MaxAttempts=1), rule("States.ALL", MaxAttempts=5)]

    assert next_try(rules, StatesError("A"), {}, CHANCE) == ("0", 1.0)
    assert next_try(rules, StatesError("A"), {"0": 1}, CHANCE) is None
    assert next_try(rules, StatesError("B"), {"0": 1}, CHANCE) == ("1", 1.0)


def test_no_attempts_means_none() -> None:
    assert next_try([rule("A", MaxAttempts=0)], StatesError("A"), {}, CHANCE) is None


@pytest.mark.parametrize(
    ("error", "names", "matches"),
    [
        ("Custom", ["Custom"], True),
        ("Custom", ["States.ALL"], True),
        ("Custom", ["States.TaskFailed"], True),
        ("Custom", ["Other"], False),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.ALL"], True),
        ("States.Runtime", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.DataLimitExceeded"], True),
    ],
)
def test_names_match_as_the_guide_says(error: str, names: list[str], matches: bool) -> None:
    assert StatesError(error).matches(names) is matches
