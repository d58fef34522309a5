"""Parts of a forecast add up to the whole, whatever they were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.services.reconciling import reconcile

means, deviations = st.lists(st.floats(0, 1e6), min_size=3, max_size=3), st.lists(st.floats(0, 1e5), min_size=3, max_size=3)


def told(mean: list[float], deviation: list[float]) -> dict[str, Any]:
    """A forecast of three steps as answers have it."""
    bounds = {
        f"{side}{share}": [max(m + sign * z * d, 0.0) for m, d in zip(mean, deviation, strict=True)]
        for share, z in ((80, 1.28), (95, 1.96))
        for side, sign in (("low", -1), ("high", 1))
    }
    return {"mean": mean, "deviation": deviation, **bounds}


def test_each_part_takes_of_the_gap_what_it_has_of_the_variance() -> None:
    total, parts = told([10.0] * 3, [0.0] * 3), [told([4.0] * 3, [1.0] * 3), told([3.0] * 3, [2.0] * 3)]
    reconcile(total, parts)
    # The gap is 3; variances 1 and 4 of 5, and the whole is certain.
    assert [part["mean"][0] for part in parts] == pytest.approx([4.6, 5.4])
    assert total["mean"] == pytest.approx([10.0] * 3)


@given(means, deviations, st.lists(st.tuples(means, deviations), min_size=1, max_size=5))
def test_parts_add_up_and_bounds_hold_the_mean(mean: list[float], deviation: list[float], given_parts: list[Any]) -> None:
    total, parts = told(mean, deviation), [told(*each) for each in given_parts]
    reconcile(total, parts)
    for step in range(3):
        assert total["mean"][step] == pytest.approx(sum(part["mean"][step] for part in parts), rel=1e-9, abs=1e-9)
        for each in (total, *parts):
            low, high = (each[name][step] for name in ("low95", "high95"))
            assert 0 <= low <= each["mean"][step] * (1 + 1e-9) + 1e-6
            assert high >= each["mean"][step] * (1 - 1e-9) - 1e-6
