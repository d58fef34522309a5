"""The fresh process of `upid bench analyze`: one execution with workers of its own, until every recommendation can be read by id.

Run as `python -m upid.cli.benching.execution SOURCE`, with UPID_HOME naming the data; prints JSON. Imports stand in functions, behind the clock.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from upid.cli.benching.identity import CLUSTER, TENANT

if TYPE_CHECKING:
    from upid.bootstrap import Services

POLL_SECONDS = 0.005


def main() -> None:
    """Run the execution and print what it took."""
    begun = time.perf_counter()
    import orjson

    from upid.bootstrap import build_services
    from upid.runtime.template import Template
    from upid.runtime.workflows.engine import WorkflowEngine

    services = build_services()
    engine = WorkflowEngine(services, Template.load())
    engine.start()
    try:
        view = wait(services, start(services, sys.argv[1]))
        total = time.perf_counter() - begun
        readable = read_all(services, view["id"])
    finally:
        engine.stop()
    told = {"status": view["status"], "errors": view["errors"], "seconds": view["seconds"], "total": total, "recommendations": readable}
    sys.stdout.buffer.write(orjson.dumps(told))


def start(services: Services, source: str) -> str:
    """Start an analysis of the whole cluster and return its id."""
    from upid.domain.identity import Caller
    from upid.services.analyses import AnalysisRequest

    caller = Caller("usr_bench", "bench", TENANT, ("*",))
    return str(services.analyses.start(caller, AnalysisRequest(CLUSTER, source=source))["id"])


def wait(services: Services, analysis_id: str) -> dict[str, Any]:
    """Return the analysis' view once it ended."""
    from upid.domain.work import ENDED

    log = services.analyses.log
    while log.record(TENANT, analysis_id).body["status"] not in ENDED:
        time.sleep(POLL_SECONDS)
    return services.analyses.view(TENANT, analysis_id)


def read_all(services: Services, analysis_id: str) -> int:
    """Return how many recommendations the cluster's list has, after reading the first and the last of each page by their ids."""
    from upid.services.recommendation_queries import MOST_PER_PAGE, RecommendationQuery

    count, cursor = 0, None
    while True:
        page = services.recommendations.list(TENANT, CLUSTER, RecommendationQuery(limit=MOST_PER_PAGE, cursor=cursor, sort="name"))
        for entry in (page.entries[0], page.entries[-1]) if page.entries else ():
            found = services.recommendations.get(TENANT, entry["id"])
            if found.entry != entry or entry["analysis_id"] != analysis_id:
                raise RuntimeError(f"{entry['id']} reads otherwise by its id.")
        count, cursor = count + len(page.entries), page.after
        if cursor is None:
            return count


if __name__ == "__main__":
    main()
