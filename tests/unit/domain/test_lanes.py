from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from upid.domain.lanes import lanes_of

STRETCH = st.tuples(st.integers(0, 50), st.integers(0, 10)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def test_what_does_not_meet_shares_a_lane() -> None:
    assert lanes_of([(0, 3), (3, 5), (1, 4), (5, 6)]) == [0, 0, 1, 1]


def test_a_gap_is_kept_between_them() -> None:
    # 3 ends the first: with a gap of 2 the next on its lane begins at 5 or later.
    assert lanes_of([(0, 3), (4, 6), (5, 7)], gap=2) == [0, 1, 0]


def test_nothing_needs_no_lane() -> None:
    assert lanes_of([]) == []


@given(st.lists(STRETCH, max_size=40), st.integers(0, 4))
def test_no_two_on_a_lane_are_nearer_than_the_gap_and_no_lane_is_one_too_many(stretches: list[tuple[int, int]], gap: int) -> None:
    lanes = lanes_of(stretches, gap)

    for lane in set(lanes):
        mine = sorted(stretch for stretch, its in zip(stretches, lanes, strict=True) if its == lane)
        assert all(before[1] + gap <= after[0] for before, after in pairwise(mine))
    # As many as overlap somewhere, each made longer by the gap; a stretch that is empty then still stands beside others.
    widest = max((sum(a <= moment < b + gap or a == b + gap == moment for a, b in stretches) for moment in range(70)), default=0)
    assert len(set(lanes)) <= max(widest, 1 if stretches else 0)
