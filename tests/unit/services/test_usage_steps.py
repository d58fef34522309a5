"""Steps that a query is answered on, where samples and longer steps are gone one after the other."""

from __future__ import annotations

import pytest

from upid.domain.errors import InvalidRequestError
from upid.domain.times import format_time
from upid.services.downsampling import DONE
from upid.services.retention import Retention, RetentionPolicy
from upid.services.usage_requests import UsageQuery
from upid.services.usage_steps import Kept, kept_step

DAY = 86400
NOW = 1_760_000_000.0
KEPT = Kept(RetentionPolicy(90, 180, 365), 300, NOW)


def ask(step: str, first: float, last: float = 0, aggregation: str = "mean", kept: Kept | None = KEPT) -> tuple[int, list[str]]:
    """The step and what is said, of a window between days ago."""
    return kept_step(UsageQuery("cl_1", step=step, aggregation=aggregation), 300, NOW - first * DAY, NOW - last * DAY, kept)


@pytest.mark.parametrize(
    ("step", "first", "last", "aggregation", "expected"),
    [("", 1, 0, "mean", 300), ("", 100, 99, "mean", 3600), ("", 100, 80, "mean", 7200), ("", 200, 199, "mean", DAY), ("", 100, 99, "rate", 7200),
     ("", 200, 199, "rate", 2 * DAY), ("", 365, 0, "mean", 7 * DAY), ("5m", 89, 0, "mean", 300), ("1h", 100, 0, "mean", 3600),
     ("2h", 100, 0, "rate", 7200), ("1d", 200, 0, "mean", DAY)],
)  # fmt: skip
def test_steps_are_such_that_all_of_the_window_is_kept(step: str, first: float, last: float, aggregation: str, expected: int) -> None:
    assert ask(step, first, last, aggregation) == (expected, [])


@pytest.mark.parametrize(
    ("step", "first", "last", "aggregation", "wanted"),
    [("5m", 100, 99, "mean", "1h"), ("90m", 100, 95, "p95", "1h"), ("1h", 200, 190, "mean", "1d"), ("5m", 200, 190, "mean", "1d"),
     ("1h", 100, 99, "rate", "2h"), ("1d", 200, 199, "rate", "2d")],
)  # fmt: skip
def test_steps_that_are_gone_for_all_of_the_window_are_refused_with_those_that_are_kept(
    step: str, first: float, last: float, aggregation: str, wanted: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        ask(step, first, last, aggregation)
    (fault,) = refused.value.members["errors"]  # type: ignore[misc] # a list of one
    assert fault["pointer"] == "#/step"  # type: ignore[index] # a fault
    assert f"ask for {wanted} or a multiple of it" in fault["detail"]  # type: ignore[index] # a fault


def test_steps_that_are_gone_for_a_part_are_answered_and_it_is_told_from_when_on() -> None:
    step, (said,) = ask("5m", 100)

    assert step == 300
    assert said == (
        f"Steps of 5m are kept since {format_time(NOW - 90 * DAY)}, longer ones since {format_time(NOW - 180 * DAY)}: "
        "values before are null. 1h, or a multiple of it, has them."
    )


@pytest.mark.parametrize(("step", "expected"), [("", 7 * DAY), ("1d", DAY), ("5m", 300)])
def test_where_nothing_at_all_is_kept_that_is_told_and_nobody_is_sent_to_other_steps(step: str, expected: int) -> None:
    found, (said,) = ask(step, 800, 400)

    assert found == expected
    assert said.startswith("Nothing from before")


@pytest.mark.parametrize("kept", [None, KEPT])
def test_nothing_is_said_while_everything_is_kept(kept: Kept | None) -> None:
    assert ask("5m", 400 if kept is None else 5, kept=kept) == (300, [])


class FixedRetention(Retention):
    """A tenant's policy that was decided."""

    def of(self, tenant: str) -> RetentionPolicy:
        return KEPT.policy


@pytest.mark.parametrize(("done", "days", "expected"), [(0, 100, None), (1, 5, None), (1, 89, None), (1, 91, KEPT)])
def test_only_usage_that_was_brought_onto_longer_steps_and_is_old_enough_was_removed(done: int, days: int, expected: Kept | None) -> None:
    body = {"step_seconds": 300} | ({DONE: 1} if done else {})

    assert Kept.of(FixedRetention(None), "default", body, NOW - days * DAY, NOW) == expected  # type: ignore[arg-type] # no records are read
