"""Usage by node as collected from a real Prometheus is Prometheus' own answer of the same question, for pods that moved or are gone too."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from functional.test_collections import run
from functional.usage import ADMIN
from outside.real_prometheus import Written, is_installed, prometheus
from worlds.collection import FakeCluster, SetClock, registration

from upid.bootstrap import Services
from upid.domain.clusters import MetricsAccess
from upid.domain.inventory import Container, Inventory, Node, Pod, Workload
from upid.domain.times import format_time
from upid.services.collections import CollectionRequest
from upid.services.usage_requests import Span, UsageQuery
from upid.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_installed(), reason="there is no Prometheus here")]

START, STEP, STEPS = 1_700_000_000 // 86400 * 86400 + 7200, 300, 72
END = START + STEPS * STEP
# Pod, its life in steps, uid, node; `db-0` moved while nobody looked, `job-1` and `api-1` came and went. Behind each is a silence of two steps.
LIVES = (
    ("db-0", 0, 34, "db-a", "a"), ("db-0", 36, STEPS, "db-b", "b"), ("web-1", 0, STEPS, "web", "a"), ("job-1", 10, 13, "job", "b"), ("api-1", 0, 50, "api", "c"),
)  # fmt: skip
OWNERS = {"db": "StatefulSet", "web": "StatefulSet", "job": "Job", "api": "StatefulSet"}
LISTED = Inventory(
    tuple(Workload("shop", kind, name, f"uid-{name}", 1, (Container("app"),)) for name, kind in OWNERS.items()),
    (Pod("shop", "db-0", "db-b", "uid-db", "b", "Running", float(START + 36 * STEP)), Pod("shop", "web-1", "web", "uid-web", "a", "Running", START - 9.0)),
    tuple(Node(name, name, 8.0, 2.0**36) for name in "abc"), ("shop",),
)  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    written, random = Written(), np.random.default_rng(5)
    for pod, first, last, uid, node in LIVES:
        own, name = {"namespace": "shop", "pod": pod}, pod.partition("-")[0]
        moments = np.arange(START + first * STEP + 15, START + last * STEP, 30)
        ones = [(float(moment), "1") for moment in moments]
        written.add("kube_pod_info", own | {"uid": uid, "node": node, "host_ip": f"10.0.0.{ord(node)}"}, ones)
        written.add("kube_pod_owner", own | {"owner_kind": OWNERS[name], "owner_name": name, "owner_is_controller": "true"}, ones)
        samples = [(float(moment), f"{1e8 * random.uniform(1, 2):.0f}") for moment in moments]
        written.add("container_memory_working_set_bytes", own | {"container": "app", "id": f"/kubepods/{uid}"}, samples)
        counted = [(float(moment), str(0.2 * number)) for number, moment in enumerate(moments)]
        written.add("container_cpu_usage_seconds_total", own | {"container": "app", "id": f"/kubepods/{uid}"}, counted)
    with prometheus(tmp_path, written) as served:
        yield served


def of_prometheus(url: str) -> dict[str, Any]:
    """Memory by node on the window's grid, as Prometheus joins it itself."""
    place = "max by (namespace, pod, node) (last_over_time(kube_pod_info[5m]))"
    query = f"sum by (node) (max by (namespace, pod) (max_over_time(container_memory_working_set_bytes[5m])) * on (namespace, pod) group_left (node) {place})"
    form = {"query": query, "start": START + STEP, "end": END, "step": STEP}
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{urllib.parse.urlencode(form)}") as answer:
        result = json.load(answer)["data"]["result"]
    found = {series["metric"]["node"]: np.full(STEPS, np.nan) for series in result}
    for series in result:
        for moment, value in series["values"]:
            found[series["metric"]["node"]][(int(moment) - START) // STEP - 1] = float(value)
    return found


def test_memory_by_node_is_what_prometheus_says(url: str, tmp_path: Path) -> None:
    services = Services(Settings(home=tmp_path / "home"))
    services.kubernetes, services.clock = FakeCluster(LISTED), SetClock(END + 1)
    cluster_id = str(services.clusters.register(ADMIN, replace(registration(), metrics=MetricsAccess(url)))["id"])
    run(services, services.collections.start(ADMIN, CollectionRequest(cluster_id, STEPS * STEP, STEP))["id"])
    window = Span(format_time(START), format_time(END))

    asked = UsageQuery(cluster_id, ("memory_bytes",), span=window, group_by=("node",), step="5m", aggregation="max")
    answer, truth = services.usage.query("default", asked), of_prometheus(url)

    assert answer["warnings"] == []
    assert {series["labels"]["node"] for series in answer["series"]} == set(truth) == {"a", "b", "c"}
    for series in answer["series"]:
        found = np.array(series["values"], float)
        np.testing.assert_allclose(found, truth[series["labels"]["node"]], rtol=1e-6, err_msg=str(series["labels"]))
