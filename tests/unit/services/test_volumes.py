"""Storage of workloads, from claims and samples to entries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from unit.engine.making import GIB, MONDAY
from worlds.analysis import analyze, listed
from worlds.collection import World, workload

from upid.adapters.pricing.table import BundledPrices
from upid.domain.inventory import Autoscaler, Claim, Node
from upid.engine.rightsizing.options import Options
from upid.ports.usage_history import MetricChunk, SeriesKey
from upid.services.recommendation_queries import Change
from upid.services.volumes import claim_use, volume_entries

HOUR = 3600
NODES = [Node("n", "uid-n", 4, 16 * GIB, instance_type="m5.xlarge", region="us-east-1")]


def chunk(used: dict[tuple[str, str, str], Any], *, start: int = MONDAY, step: int = HOUR, **others: Any) -> MetricChunk:
    """Return a chunk of what volumes hold, by (workload uid, pod, claim)."""
    values = np.array(list(used.values()), dtype=np.float32)
    keys = [SeriesKey(uid, "", pod, claim) for uid, pod, claim in used]
    samples = {"volume_used_bytes": values} | {name: np.array(each, dtype=np.float32) for name, each in others.items()}
    return MetricChunk("storage", keys, start, start + step * values.shape[1], step, samples)


def claim(name: str = "data-db-0", **given: Any) -> Claim:
    """Return a claim of `db` that has 10 GiB."""
    return Claim("data", name, **({"workload_uid": "uid-db", "capacity_bytes": 10 * GIB, "storage_class": "gp3"} | given))


def test_a_volume_of_several_pods_is_one_and_chunks_follow_each_other() -> None:
    one = chunk({("uid-db", "a", "data-db-0"): [1, 2], ("uid-db", "b", "data-db-0"): [3, np.nan], ("uid-x", "c", "data-db-0"): [9, 9]})
    two = chunk({("uid-db", "a", "data-db-0"): [4]}, start=MONDAY + 3 * HOUR)

    found = claim_use([claim()], [one, two]).use

    np.testing.assert_array_equal(found.used_bytes, [[3, 2, np.nan, 4]])
    assert (found.start, found.step_seconds, found.size_bytes.tolist()) == (MONDAY, HOUR, [10 * GIB])


def test_a_size_that_the_api_does_not_tell_is_the_one_last_measured() -> None:
    measured = chunk({("uid-db", "a", "v"): [1, 1, 1]}, volume_capacity_bytes=[[5, 7, np.nan]])

    sizes = claim_use([claim("v", capacity_bytes=None), claim("w", capacity_bytes=None, request_bytes=3.0)], [measured]).use.size_bytes

    assert sizes.tolist() == [7, 3]


def test_entries_are_by_workload_and_tell_why() -> None:
    used = {("uid-db", "db-0", "data-db-0"): np.full(240, 9.5 * GIB), ("uid-x", "x", "cache"): np.full(240, GIB)}

    found = volume_entries(
        claim_use([claim(), claim("cache", workload_uid="uid-x"), claim("gone")], [chunk(used)]), Options(), BundledPrices(), NODES
    )  # fmt: skip

    grown, unseen = found["uid-db"]
    assert (grown["claim"], grown["status"], grown["current_bytes"], grown["recommended_bytes"]) == (
        "data-db-0", "recommended", 10 * GIB, 12 * GIB,
    )  # fmt: skip
    assert [reason["code"] for reason in grown["reasons"]] == ["volume_used"]
    assert (unseen["claim"], unseen["withheld_code"], unseen["recommended_bytes"]) == ("gone", "volume_no_data", 10 * GIB)
    assert found["uid-x"][0]["reasons"][1]["text"] == "2Gi would be enough, but a volume cannot be made smaller."


def test_no_chunk_at_all_is_no_data() -> None:
    found = volume_entries(claim_use([claim()], []), Options(), BundledPrices(), NODES)

    assert found["uid-db"][0]["withheld_code"] == "volume_no_data"


def test_an_analysis_tells_the_storage_of_each_workload(tmp_path: Path) -> None:
    db = workload("data", "db", kind="StatefulSet")
    world = World.at(tmp_path, db, workload("shop", "api"))
    world.cluster.listed = replace(world.cluster.listed, claims=(claim(workload_uid=db.uid),))
    cluster_id = world.register()
    world.collect(cluster_id)
    assert analyze(world, cluster_id)["status"] == "succeeded"

    storage = {entry["name"]: entry["storage"] for entry in listed(world, cluster_id).entries}
    assert storage["api"] == []
    # The world's claims hold some bytes of 10 GiB, by the collection that reads storage too.
    (held,) = storage["db"]
    assert (held["status"], held["recommended_bytes"]) == ("unchanged", 10 * GIB)
    assert 0 < held["used_bytes"] < GIB
    assert [reason["code"] for reason in held["reasons"]] == ["volume_used", "volume_never_smaller"]


def test_recommendations_are_listed_by_what_changes(tmp_path: Path) -> None:
    db, web = workload("data", "db", kind="StatefulSet", containers=("main", "log")), workload("shop", "web")
    web = replace(web, autoscaler=Autoscaler("web", 3, 9, cpu_utilization=80.0))
    world = World.at(tmp_path, db, web, workload("shop", "api"))
    world.cluster.listed = replace(world.cluster.listed, claims=(claim(workload_uid=db.uid, capacity_bytes=1.0),))
    cluster_id = world.register()
    world.collect(cluster_id)
    summary = analyze(world, cluster_id)["summary"]

    def names(changes: Change) -> list[tuple[str, str]]:
        return [(entry["name"], entry["container"]) for entry in listed(world, cluster_id, changes=changes, sort="name").entries]

    assert names("scaling") == [("web", "main")]
    assert names("storage") == [("db", "log"), ("db", "main")]
    assert len(names("requests")) == summary["recommended"]
    assert (summary["scaling"]["recommended"], summary["storage"]["recommended"]) == (1, 1)
