"""Stretches that do not meet, side by side on few lanes: many short things in the room of a few long ones."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappush, heapreplace


def lanes_of(stretches: Sequence[tuple[int, int]], gap: int = 0) -> list[int]:
    """Return the lane of each stretch [first, end): on one lane each begins `gap` or more behind the end of the one before it.

    As few lanes as there can be (stretches in the order of their beginning, each on the lane that is free longest); the same stretches give the same lanes.
    An empty stretch, first == end, takes room like any other.
    """
    lanes = [0] * len(stretches)
    free: list[tuple[int, int]] = []  # when each lane is free again, and its number
    for index in sorted(range(len(stretches)), key=lambda i: (*stretches[i], i)):
        first, end = stretches[index]
        if free and free[0][0] <= first:
            lanes[index] = free[0][1]
            heapreplace(free, (end + gap, lanes[index]))
        else:
            lanes[index] = len(free)
            heappush(free, (end + gap, lanes[index]))
    return lanes
