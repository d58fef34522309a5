"""What other values of the knob would give, added up over shards."""

from __future__ import annotations

from typing import Any

import pytest

from upid.services.trade_offs import merge_trade_offs


def part(knob: float, cpu: float, savings: float, above: float, tested: int) -> dict[str, Any]:
    return {
        "allowed_time_above": knob, "cpu_request_cores": cpu, "memory_request_bytes": 100.0, "savings_usd_per_month": savings,
        "above": above, "tested": tested,
    }  # fmt: skip


def test_shards_add_up_and_time_above_is_the_mean_over_containers() -> None:
    # Two shards of 1 and 3 containers: (0.02 + 0.06) / 4 of the time above, 2 + 5 cores, 10 + 1 USD.
    merged = merge_trade_offs([[part(0.01, 2, 10, 0.02, 1)], [part(0.01, 5, 1, 0.06, 3)]])

    assert merged is not None
    assert merged[0]["time_above_request"] == pytest.approx(0.02)
    assert (merged[0]["cpu_request_cores"], merged[0]["savings_usd_per_month"], merged[0]["memory_request_bytes"]) == (7, 11, 200)


def test_a_value_that_saves_less_at_more_time_above_is_off_the_frontier() -> None:
    merged = merge_trade_offs([[part(0.001, 9, 1, 0.0, 1), part(0.01, 5, 5, 0.02, 1), part(0.05, 6, 4, 0.03, 1), part(0.1, 4, 6, 0.04, 1)]])

    assert merged is not None
    assert [each["on_frontier"] for each in merged] == [True, True, False, True]


def test_equal_values_share_the_frontier() -> None:
    merged = merge_trade_offs([[part(0.001, 9, 1, 0.0, 1), part(0.01, 9, 1, 0.0, 1)]])
    assert merged is not None
    assert [each["on_frontier"] for each in merged] == [True, True]


def test_without_a_back_test_nothing_is_said_of_time_above() -> None:
    merged = merge_trade_offs([[part(0.01, 2, 10, 0.0, 0)]])
    assert merged is not None
    assert (merged[0]["time_above_request"], merged[0]["on_frontier"]) == (None, True)


@pytest.mark.parametrize("parts", [[], [[]], [[], []]])
def test_where_nothing_was_compared_there_is_nothing(parts: Any) -> None:
    assert merge_trade_offs(parts) is None
