"""Rosters know who was there on a day, whatever was written twice, at once, or in part."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from worlds.collection import inventory, workload

from upid.adapters.directory.blobs import DirectoryBlobs
from upid.domain.errors import UnavailableError
from upid.domain.inventory import Inventory, Pod
from upid.services.rosters import Names, Roster, Rosters, Stay

DAY = 86400
NOON = 1_760_000_000 // DAY * DAY + DAY // 2  # of the 9th of October 2025
DB = workload("shop", "db", kind="StatefulSet")


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    return DirectoryBlobs(tmp_path, durable=False)


@pytest.fixture
def rosters(blobs: DirectoryBlobs) -> Rosters:
    return Rosters(blobs)


def on(node: str, since: float, *, name: str = "db-0") -> Inventory:
    """A cluster whose one pod of `shop/db` was made on a node."""
    pod = Pod("shop", name, f"pod-{since}", DB.uid, node, "Running", since)
    return replace(inventory(DB), pods=(pod,))


def keep(rosters: Rosters, listed: Inventory, *, start: float = NOON, end: float = NOON) -> None:
    rosters.keep("default", "cl_1", listed, start=start, end=end)


def read(rosters: Rosters, start: float = NOON, end: float = NOON + 1) -> Roster:
    return rosters.read("default", "cl_1", start=start, end=end)


def names(blobs: DirectoryBlobs) -> list[str]:
    return [name.removeprefix("t/default/clusters/cl_1/rosters/") for name in blobs.names("t/")]


def test_a_day_has_its_workloads_and_where_their_pods_were_since_when(rosters: Rosters) -> None:
    keep(rosters, on("a", NOON - 9 * DAY))
    keep(rosters, on("b", NOON + 60), end=NOON + 300)

    found = read(rosters)
    assert found.workloads == {Names(DB.uid, "shop", "StatefulSet", "db")}
    assert found.by_pod() == {(DB.uid, "db-0"): [Stay(DB.uid, "db-0", NOON - 9 * DAY, "a"), Stay(DB.uid, "db-0", NOON + 60, "b")]}


def test_every_day_that_is_collected_at_once_has_the_pods_that_were_made_by_then(rosters: Rosters, blobs: DirectoryBlobs) -> None:
    keep(rosters, on("a", NOON - DAY), start=NOON - 3 * DAY)

    assert [name[:10] for name in names(blobs)] == ["2025-10-06", "2025-10-07", "2025-10-08", "2025-10-09"]
    assert [len(read(rosters, NOON - days * DAY, NOON - days * DAY + 1).stays) for days in (2, 1, 0)] == [0, 1, 1]


def test_the_day_before_a_window_is_read_too(rosters: Rosters) -> None:
    keep(rosters, on("a", NOON))

    assert len(read(rosters, NOON + DAY, NOON + DAY + 1).stays) == 1
    assert read(rosters, NOON + 2 * DAY, NOON + 3 * DAY) == Roster()
    assert read(rosters, NOON - 3 * DAY, NOON - DAY) == Roster()


def test_what_brings_nothing_new_changes_no_byte(rosters: Rosters, blobs: DirectoryBlobs) -> None:
    keep(rosters, on("a", NOON))
    before = names(blobs)
    keep(rosters, on("a", NOON), end=NOON + 600)

    assert (names(blobs), len(before)) == (before, 1)


def test_the_order_of_writing_makes_no_difference(tmp_path: Path) -> None:
    written = [on("a", NOON), on("b", NOON + 60), on("c", NOON + 120, name="db-1")]
    stores = [DirectoryBlobs(tmp_path / str(number), durable=False) for number in range(6)]
    for store, order in zip(stores, itertools.permutations(written), strict=True):
        for listed in order:
            keep(Rosters(store), listed, end=NOON + 300)

    assert len({tuple(names(store)) for store in stores}) == 1
    assert len({store.get(next(store.names("t/"))) for store in stores}) == 1


class Overtaken(DirectoryBlobs):
    """Blobs between whose reading and writing another writer comes."""

    other: Inventory | None = None

    def put(self, name: str, data: bytes | memoryview, *, if_absent: bool = False) -> bool:
        if self.other is not None:
            between, self.other = self.other, None
            keep(Rosters(self), between, end=NOON + 300)
        return super().put(name, data, if_absent=if_absent)


def test_two_that_write_at_once_lose_nothing_and_the_next_joins_them(tmp_path: Path) -> None:
    blobs = Overtaken(tmp_path, durable=False)
    rosters = Rosters(blobs)
    keep(rosters, on("a", NOON))
    blobs.other = on("b", NOON + 60)
    keep(rosters, on("c", NOON + 120), end=NOON + 300)

    both = {stay.node for stay in read(rosters).stays}
    assert (both, len(names(blobs))) == ({"a", "b", "c"}, 2)
    keep(rosters, on("a", NOON))
    assert ({stay.node for stay in read(rosters).stays}, len(names(blobs))) == (both, 1)


class Restless(DirectoryBlobs):
    """Blobs that are gone when they are read, `left` times."""

    left = 0

    def names(self, prefix: str) -> Iterator[str]:
        yield from super().names(prefix)
        if self.left and prefix.rstrip("/").endswith("2025-10-09"):
            self.left -= 1
            yield f"{prefix}gone.json"


def test_a_blob_that_a_writer_joined_meanwhile_is_looked_for_again(tmp_path: Path) -> None:
    blobs = Restless(tmp_path, durable=False)
    keep(Rosters(blobs), on("a", NOON))
    blobs.left = 3
    assert len(read(Rosters(blobs)).stays) == 1

    blobs.left = 1000
    with pytest.raises(UnavailableError, match="changes too often"):
        read(Rosters(blobs))


def test_the_days_of_a_month_that_is_over_become_one_blob_with_the_same_entries(rosters: Rosters, blobs: DirectoryBlobs) -> None:
    october, later = NOON - 9 * DAY, NOON + 25 * DAY
    for days in range(3):
        keep(rosters, on(f"n{days}", NOON + days * DAY), start=NOON + days * DAY, end=NOON + days * DAY)
    keep(rosters, on("november", later), start=later, end=later)
    before = read(rosters, october, later + DAY)

    assert [rosters.compact("default", "cl_1", before=moment) for moment in (later, later)] == [3, 0]
    assert [name.partition("/")[0] for name in names(blobs)] == ["2025-10", "2025-11-03"]
    assert read(rosters, october, later + DAY) == before
    keep(rosters, on("late", NOON))
    assert rosters.compact("default", "cl_1", before=later) == 1
    assert {stay.node for stay in read(rosters, october, later - 2 * DAY).stays} == {"n0", "n1", "n2", "late"}


def test_a_month_that_was_joined_in_part_is_read_whole_and_goes_on(rosters: Rosters, blobs: DirectoryBlobs) -> None:
    keep(rosters, on("a", NOON))
    day = next(iter(blobs.names("t/")))
    data = blobs.get(day)
    rosters.compact("default", "cl_1", before=NOON + 30 * DAY)
    blobs.put(day, data)  # killed before the day was removed

    assert len(read(rosters).stays) == 1
    rosters.compact("default", "cl_1", before=NOON + 30 * DAY)
    assert [name.partition("/")[0] for name in names(blobs)] == ["2025-10"]


def test_days_and_months_go_when_their_time_is_over(rosters: Rosters, blobs: DirectoryBlobs) -> None:
    keep(rosters, on("a", NOON - 50 * DAY), start=NOON - 40 * DAY)
    rosters.compact("default", "cl_1", before=NOON)
    rosters.expire("default", "cl_1", days=8, now=NOON + DAY / 2)

    # All of September ended on the first, its month with it; the first of October ended more than eight days ago.
    assert [name.partition("/")[0] for name in names(blobs)][:2] == ["2025-10-02", "2025-10-03"]


def test_a_damaged_blob_is_put_aside_and_the_rest_is_read(
    rosters: Rosters, blobs: DirectoryBlobs, caplog: pytest.LogCaptureFixture
) -> None:
    keep(rosters, on("a", NOON - DAY), start=NOON - DAY)
    blob = list(blobs.names("t/"))[-1]
    blobs.put(blob, blobs.get(blob)[:-9])

    with caplog.at_level(logging.ERROR):
        assert len(read(rosters).stays) == 1  # of the day before
    assert "is damaged" in caplog.text
    assert [name for name in blobs.names("t/") if "/quarantine/" in name] == [blob.replace("/rosters/", "/quarantine/rosters/")]


def test_pods_that_nobody_owns_or_that_wait_for_a_node_are_left_out_and_one_of_unknown_age_counts_from_the_first_day(
    rosters: Rosters,
) -> None:
    pods = (
        Pod("shop", "waits", "1", DB.uid),
        Pod("shop", "other", "2", "uid-gone", "a", "Running", NOON),
        Pod("shop", "db-0", "3", DB.uid, "a"),
    )
    keep(rosters, replace(inventory(DB), pods=pods))

    assert read(rosters).stays == {Stay(DB.uid, "db-0", NOON - DAY / 2, "a")}


def test_stays_that_the_source_told_are_added_once_and_only_where_they_change_something(rosters: Rosters, blobs: DirectoryBlobs) -> None:
    def stay(since: float, node: str, pod: str = "db-0") -> Stay:
        return Stay(DB.uid, pod, since, node)

    keep(rosters, on("a", NOON))
    told = [stay(NOON + 600, "a"), stay(NOON + 300, "b"), stay(NOON + 900, "a"), stay(NOON - DAY, "c"), stay(NOON - DAY + 300, "c")]
    rosters.add("default", "cl_1", told)
    before = names(blobs)
    rosters.add("default", "cl_1", reversed(told))

    assert read(rosters).stays == {stay(NOON, "a"), stay(NOON + 300, "b"), stay(NOON + 600, "a"), stay(NOON - DAY, "c")}
    assert names(blobs) == before
