"""What a collection plans: windows, groups, shards."""

from __future__ import annotations

from itertools import pairwise

import pytest
from worlds.collection import START, STEP, inventory, workload

from upid.services.collection_plans import MOST_ITEMS, Plan, bounded, decode, groups_of, windows_of
from upid.services.shards import shard_count, shard_of

DAY = 86400


def test_windows_are_cut_at_midnight_utc() -> None:
    midnight = START // DAY * DAY

    assert windows_of(midnight - 600, midnight + DAY + 300, STEP) == [
        (midnight - 600, midnight), (midnight, midnight + DAY), (midnight + DAY, midnight + DAY + 300),
    ]  # fmt: skip


@pytest.mark.parametrize("step", [15, 30, 60, 300, 3600])
def test_windows_cover_everything_once_in_bounded_steps(step: int) -> None:
    start, end = START - 9 * DAY, START + 7 * step

    windows = windows_of(start, end, step)

    assert windows[0][0] == start
    assert windows[-1][1] == end
    assert all(a[1] == b[0] for a, b in pairwise(windows))
    assert all(0 < high - low <= min(DAY, 1440 * step) and low % step == 0 for low, high in windows)


def test_nothing_new_is_no_window() -> None:
    assert windows_of(START, START, STEP) == []


def test_groups_hold_every_namespace_once_and_split_at_the_series_they_expect() -> None:
    listed = inventory(*[workload(f"ns{n}", "app", replicas=600) for n in range(5)], workload("big", "app", replicas=5000))

    groups = groups_of(listed)

    assert groups == [("big",), ("ns0", "ns1"), ("ns2", "ns3"), ("ns4",)]


def test_groups_hold_at_most_fifty_namespaces() -> None:
    groups = groups_of(inventory(*[workload(f"ns{n:03d}", "app") for n in range(120)]))

    assert [len(group) for group in groups] == [50, 50, 20]


def test_a_plan_is_bounded_and_keeps_the_oldest_windows() -> None:
    windows = windows_of(START - 93 * DAY, START, STEP)

    assert len(bounded(windows, 100)) * 100 <= MOST_ITEMS
    assert bounded(windows, 100)[0] == windows[0]
    assert len(bounded(windows, 5000)) == 1


def test_a_plan_comes_back_from_its_bytes() -> None:
    plan = Plan(
        "cl_1", STEP, 2, START, START + STEP, ((START, START + STEP),), (("a", "b"), ("c",)), True, (("pods", "403"),), {"workloads": 1}
    )

    assert decode(plan.encode()) == plan
    assert [plan.place(item) for item in range(plan.items)] == [(0, 0), (0, 1)]


def test_shards_are_a_power_of_two_of_about_1250_containers() -> None:
    assert [shard_count(n) for n in (0, 1, 1250, 1251, 2500, 10_000, 10_001, 200_000)] == [1, 1, 1, 2, 2, 8, 16, 64]


def test_a_workloads_shard_is_the_same_in_every_process() -> None:
    # BLAKE2b is fixed by RFC 7693; Python's hash() would differ from process to process.
    assert [shard_of("shop", "Deployment", "web", f"uid-{n}", 8) for n in range(6)] == [5, 4, 0, 3, 5, 6]


def test_identity_decides_the_shard_and_spreads_evenly() -> None:
    counts = [0] * 8
    for n in range(8000):
        counts[shard_of("shop", "Deployment", f"web-{n}", f"uid-{n}", 8)] += 1

    assert min(counts) > 850
    assert max(counts) < 1150
