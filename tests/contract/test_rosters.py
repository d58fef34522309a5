"""Rosters on every store of blobs: written, read, joined and removed."""

from __future__ import annotations

from dataclasses import replace

from worlds.collection import inventory, workload

from upid.domain.inventory import Pod
from upid.ports.blobs import Blobs
from upid.services.rosters import Names, Rosters, Stay

DAY = 86400
NOON = 1_760_000_000 // DAY * DAY + DAY // 2  # of the 9th of October 2025
DB = workload("shop", "db", kind="StatefulSet")


def test_rosters_are_joined_by_the_month_and_go_with_their_time(blobs: Blobs) -> None:
    rosters = Rosters(blobs)
    for node, since in (("a", NOON - DAY), ("b", NOON + 60), ("b", NOON + 60)):
        listed = replace(inventory(DB), pods=(Pod("shop", "db-0", node, DB.uid, node, "Running", since),))
        rosters.keep("default", "cl_1", listed, start=NOON, end=NOON + 300)
    rosters.add("default", "cl_1", [Stay(DB.uid, "db-1", NOON + 300, "c")])

    before = rosters.read("default", "cl_1", start=NOON, end=NOON + DAY)
    assert before.workloads == {Names(DB.uid, "shop", "StatefulSet", "db")}
    assert sorted((stay.pod, stay.node) for stay in before.stays) == [("db-0", "a"), ("db-0", "b"), ("db-1", "c")]
    assert rosters.compact("default", "cl_1", before=NOON + 30 * DAY) == 1
    assert rosters.read("default", "cl_1", start=NOON, end=NOON + DAY) == before
    assert len(list(blobs.names("t/default/clusters/cl_1/rosters/2025-10/"))) == len(list(blobs.names("t/"))) == 1

    rosters.expire("default", "cl_1", days=8, now=NOON + 20 * DAY)
    assert len(list(blobs.names("t/"))) == 1
    rosters.expire("default", "cl_1", days=8, now=NOON + 31 * DAY)
    assert list(blobs.names("t/")) == []
