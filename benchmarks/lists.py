"""How long it takes to read recommendations of a big cluster: a first page, a big page, one by id, a simulation. Prints JSON with medians.

python benchmarks/lists.py [--containers 10000] [--repeat 20]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upid.bootstrap import Services
from upid.cli.benching.data import make
from upid.cli.benching.identity import CLUSTER, TENANT
from upid.cli.benching.usage import Size
from upid.services.analyses import AnalysisRequest
from upid.services.recommendation_queries import RecommendationQuery
from upid.settings import Settings


def main() -> None:
    """Make a cluster, analyze it in this process, and time its readers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--containers", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upid-bench-") as folder:
        services = Services(Settings(home=Path(folder)))
        make(services, Size(asked.containers, 7, 300), history=True)
        analyze(services)
        print(json.dumps({"containers": asked.containers, "milliseconds": timings(services, asked.repeat)}, indent=2))


def analyze(services: Services) -> None:
    """Do the tasks of an analysis one after the other."""
    analysis_id = services.ids.new("analysis")
    request = AnalysisRequest(CLUSTER).body()
    shards = services.analyzing.plan(TENANT, analysis_id, request, "bench")["shards"]
    done = [services.analyzing.analyze(TENANT, analysis_id, shard) for shard in shards]
    services.analyzing.summarize(TENANT, analysis_id, done)


def timings(services: Services, repeat: int) -> dict[str, float]:
    """Return the median milliseconds of each way to read."""
    reader = services.recommendations
    first = reader.list(TENANT, CLUSTER, RecommendationQuery(limit=1)).entries[0]["id"]
    ways: dict[str, Callable[[], Any]] = {
        "first_page_of_100": lambda: reader.list(TENANT, CLUSTER, RecommendationQuery()),
        "page_of_1000_by_name": lambda: reader.list(TENANT, CLUSTER, RecommendationQuery(sort="name", limit=1000)),
        "one_namespace": lambda: reader.list(TENANT, CLUSTER, RecommendationQuery(namespace="team-7")),
        "one_by_id": lambda: reader.get(TENANT, first),
        "simulation": lambda: reader.simulate(TENANT, first, {"cpu_request_cores": 0.1}),
        "summary": lambda: services.analyses.summary(TENANT, CLUSTER),
    }
    return {name: round(statistics.median(timed(way) for _ in range(repeat)), 2) for name, way in ways.items()}


def timed(way: Callable[[], Any]) -> float:
    """Return how long a call takes. [ms]"""
    begun = time.perf_counter()
    way()
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
