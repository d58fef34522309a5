"""A collected cluster, and analyses of it whose tasks a test runs by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from upid.services.analyses import AnalysisRequest
from upid.services.recommendation_queries import Listed, RecommendationQuery
from worlds.collection import ALICE, World, workload

TENANT = "default"
SHOP = (
    workload("shop", "api", replicas=3), workload("shop", "api-gateway"), workload("shop", "cart", containers=("main", "proxy")),
    workload("jobs", "mailer", kind="CronJob"), workload("data", "db", kind="StatefulSet", replicas=2),
)  # fmt: skip
CONTAINERS = 6


def collected(home: Path, *workloads: Any, **asked: Any) -> tuple[World, str]:
    """Return a world and its cluster, collected once (seven days)."""
    world = World.at(home, *(workloads or SHOP))
    cluster_id = world.register()
    ended = world.collect(cluster_id, **asked)
    assert ended["status"] == "succeeded", ended
    return world, cluster_id


def start(world: World, cluster_id: str, **asked: Any) -> str:
    """Start an analysis and return its id."""
    return str(world.services.analyses.start(ALICE, AnalysisRequest(cluster_id, **asked))["id"])


def run(world: World, analysis_id: str, *, times: int = 1, broken: Mapping[int, Exception] | None = None) -> dict[str, Any]:
    """Do the tasks of an analysis as the state machine does, each so many times, with shards that fail, and return how it ended."""
    tasks, payload = world.services.analyzing, world.workflows.payloads[analysis_id]
    for _ in range(times):
        plan = tasks.plan(payload["tenant"], analysis_id, payload["request"], payload["actor"])
    shards = [_shard(lambda n: tasks.analyze(payload["tenant"], analysis_id, n), n, times, broken or {}) for n in plan["shards"]]
    for _ in range(times):
        tasks.summarize(payload["tenant"], analysis_id, shards)
    return world.services.analyses.view(payload["tenant"], analysis_id)


def analyze(world: World, cluster_id: str, **asked: Any) -> dict[str, Any]:
    """Start an analysis, do all its tasks, and return how it ended."""
    world.clock.moment += 1  # ids sort by time
    return run(world, start(world, cluster_id, **asked))


def listed(world: World, cluster_id: str, **asked: Any) -> Listed:
    """Return a page of the cluster's recommendations."""
    return world.services.recommendations.list(TENANT, cluster_id, RecommendationQuery(**asked))


def _shard(task: Callable[[int], dict[str, Any]], shard: int, times: int, broken: Mapping[int, Exception]) -> dict[str, Any]:
    if shard in broken:
        return {"shard": shard, "error": {"Error": type(broken[shard]).__name__, "Cause": str(broken[shard])}}
    for _ in range(times):
        answer = task(shard)
    return answer
