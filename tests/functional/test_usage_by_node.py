"""Usage by node over HTTP: collected while a pod moves, asked in every way that usage is asked, gone with its cluster."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.test_clusters import told
from functional.test_collections import run
from worlds.collection import MALLORY, STEP, FakeCluster, SetClock, inventory, sample, workload

from upid.bootstrap import Services
from upid.domain.errors import NotFoundError
from upid.domain.inventory import Inventory, Pod
from upid.domain.times import format_time
from upid.ports.metrics_source import PodContainer
from upid.services.usage_requests import UsageQuery

DB, WEB = workload("shop", "db", kind="StatefulSet"), workload("shop", "web")
HOURS = 4
MOVED_HOUR = 2  # of the four


@dataclass(frozen=True)
class Moved:
    """A cluster whose `db-0` went from node `a` to `b` two hours before `end`; `web-0` stayed on `a`, and from where `web-9` ran nobody knows."""

    cluster_id: str
    end: int

    def cpu(self, name: str, *, begin: int = 0, end: int = HOURS) -> Any:
        """CPU of a pod by hour, from one hour up to another; means of its samples. [cores]"""
        moments = np.arange(self.end - (HOURS - begin) * 3600, self.end - (HOURS - end) * 3600, STEP)
        return sample(PodContainer("shop", name, "main"), moments).astype(np.float32).reshape(-1, 12).mean(1)


def listed(moment: float, *pods: tuple[str, Any, str, float]) -> Inventory:
    made = tuple(Pod("shop", name, name, owner.uid, node, "Running", moment + since) for name, owner, node, since in pods)
    return replace(inventory(DB, WEB), pods=made)


@pytest.fixture
def moved(client: Client, services: Services) -> Moved:
    noon = int(services.clock.now() // 86400 * 86400 + 43200)
    cluster, clock = (
        FakeCluster(listed(noon, ("db-0", DB, "a", -86400.0), ("web-0", WEB, "a", -86400.0), ("web-9", WEB, "", 0.0))),
        SetClock(noon),
    )
    for name, port in {"kubernetes": cluster, "metrics_sources": cluster, "clock": clock}.items():
        setattr(services, name, port)
    cluster_id = str(client.post("/clusters", told()).expect(201)["id"])
    for history in ("2h", None):
        run(
            services,
            client.post("/metrics/collect", {"cluster_id": cluster_id} | ({"history": history} if history else {})).expect(202)["id"],
        )
        cluster.listed = listed(noon, ("db-0", DB, "b", 30.0), ("web-0", WEB, "a", -86400.0), ("web-9", WEB, "", 0.0))
        clock.moment += 7200
    return Moved(cluster_id, noon + 7200)


def series(answer: dict[str, Any]) -> dict[str | None, Any]:
    return {one["labels"]["node"]: one["values"] for one in answer["series"]}


def test_the_samples_of_a_pod_are_of_the_node_where_it_was(client: Client, moved: Moved) -> None:
    answer = client.get(
        f"/metrics/history/{moved.cluster_id}", query={"group_by": "node", "step": "1h", "window": "4h", "metric": "cpu_cores"}
    ).expect(200)

    found, half = series(answer), HOURS - MOVED_HOUR
    np.testing.assert_allclose(found["a"][:half], (moved.cpu("db-0", end=half) + moved.cpu("web-0", end=half)), atol=1e-6)
    np.testing.assert_allclose(found["a"][half:], moved.cpu("web-0", begin=half), atol=1e-6)
    assert found["b"][:half] == [None] * half
    np.testing.assert_allclose(found["b"][half:], moved.cpu("db-0", begin=half), atol=1e-6)
    np.testing.assert_allclose(found[None], moved.cpu("web-9"), atol=1e-6)
    assert answer["warnings"] == ["Of 1 pods it is not known for all samples which node they ran on (shop/web-9): those are of node null."]


def test_nothing_is_lost_or_there_twice(client: Client, moved: Moved) -> None:
    asked = {"cluster_id": moved.cluster_id, "step": "1h", "window": "4h", "metrics": ["memory_bytes"], "aggregation": "sum"}
    parts = client.post("/metrics/history/query", asked | {"group_by": ["node", "pod"]}).expect(200)
    (whole,) = client.post("/metrics/history/query", asked | {"group_by": []}).expect(200)["series"]

    assert [(one["labels"]["pod"], one["labels"]["node"]) for one in sorted(parts["series"], key=lambda one: str(one["labels"]))] == [
        ("db-0", "a"), ("db-0", "b"), ("web-0", "a"), ("web-9", None),
    ]  # fmt: skip
    table = np.array([one["values"] for one in parts["series"]], float)
    np.testing.assert_allclose(np.nansum(table, axis=0), whole["values"], rtol=1e-6)


@pytest.mark.parametrize("how", ["trends", "peak-usage", "baseline"])
def test_every_question_about_history_takes_nodes(client: Client, moved: Moved, how: str) -> None:
    query = {"group_by": "node", "window": "4h", "metric": "cpu_cores", "node": "b"}
    answer = client.get(f"/metrics/history/{moved.cluster_id}/{how}", query=query).expect(200)

    (found,) = answer["items"]
    assert found["labels"] == {"node": "b"}
    assert len(answer["warnings"]) == 1
    samples = found["points"] if how == "trends" else found["samples"] if how == "peak-usage" else sum(found["samples"])
    assert samples == (2 if how == "trends" else 24)


def test_a_summary_has_each_node_and_the_whole(client: Client, moved: Moved) -> None:
    answer = client.get(f"/metrics/aggregate/{moved.cluster_id}/summary", query={"group_by": "node", "window": "4h"}).expect(200)

    found = {item["labels"]["node"]: item["metrics"]["cpu_cores"] for item in answer["items"]}
    assert found["b"]["mean"] == pytest.approx(moved.cpu("db-0", begin=2).mean(), abs=1e-6)
    assert (found["b"]["samples"], found["a"]["samples"], answer["total"]["cpu_cores"]["samples"]) == (24, 48, 48)


def test_values_of_whole_windows_and_stored_aggregations_are_by_node(client: Client, services: Services, moved: Moved) -> None:
    asked = {"cluster_id": moved.cluster_id, "window": "4h", "metrics": ["cpu_cores"], "group_by": ["node"], "selection": {"pod": "db-0"}}
    (item,) = client.post("/metrics/aggregate/bulk-calculate", {"queries": [asked | {"aggregation": "max"}]}).expect(200)["items"]
    made = client.post("/metrics/aggregate", asked | {"step": "1h"}).expect(202)["id"]
    services.aggregations.compute("default", made)
    stored = client.get(f"/metrics/aggregate/{made}").expect(200)["result"]

    assert {value["labels"]["node"] for value in item["result"]["values"]} == {"a", "b"}
    np.testing.assert_allclose(series(stored)["b"][2:], moved.cpu("db-0", begin=2), atol=1e-6)
    assert stored["warnings"] == item["result"]["warnings"] == []


def test_rows_of_tables_have_an_empty_node_where_it_is_not_known(client: Client, moved: Moved) -> None:
    import fastparquet

    path, query = f"/metrics/history/{moved.cluster_id}", {"group_by": "pod,node", "window": "1h", "step": "1h", "metric": "cpu_cores"}
    rows = list(csv.DictReader(io.StringIO(client.get(path, query=query, headers={"Accept": "text/csv"}).raw.body.decode())))
    body = client.get(path, query=query, headers={"Accept": "application/vnd.apache.parquet"}).raw.body
    table = fastparquet.ParquetFile(io.BytesIO(body)).to_pandas()

    expected = {"db-0": "b", "web-0": "a", "web-9": ""}
    assert {row["pod"]: row["node"] for row in rows} == expected
    assert dict(zip(table["pod"], table["node"].fillna(""), strict=True)) == expected
    assert table["node"].isna().sum() == 1


def test_the_largest_nodes_come_first_and_no_more_than_asked(client: Client, moved: Moved) -> None:
    query = {"group_by": "node", "window": "1h", "metric": "cpu_cores", "top": 1}
    answer = client.get(f"/metrics/history/{moved.cluster_id}", query=query).expect(200)
    every = client.get(f"/metrics/history/{moved.cluster_id}", query=query | {"top": 9}).expect(200)

    assert (answer["groups"], len(answer["series"])) == (3, 1)
    assert np.mean(answer["series"][0]["values"]) == max(np.mean(one["values"]) for one in every["series"])


def test_a_node_that_nothing_ran_on_has_no_series(client: Client, moved: Moved) -> None:
    answer = client.get(f"/metrics/history/{moved.cluster_id}", query={"node": "c", "window": "4h"}).expect(200)

    assert (answer["groups"], answer["series"]) == (0, [])


@pytest.mark.parametrize(
    ("asked", "pointer"), [({"group_by": "node,node"}, "?group_by"), ({"node": "x" * 254}, "?node"), ({"group_by": "nodes"}, "?group_by")]
)
def test_what_cannot_be_asked_of_nodes_is_422(client: Client, moved: Moved, asked: dict[str, str], pointer: str) -> None:
    problem = client.get(f"/metrics/history/{moved.cluster_id}", query=asked).problem(422, "invalid-request")

    assert problem["errors"][0]["pointer"] == pointer


def test_nodes_are_told_to_nobody_without_the_permission_or_of_another_tenant(client: Client, services: Services, moved: Moved) -> None:
    path, query = f"/metrics/history/{moved.cluster_id}", {"group_by": "node"}

    client.anonymous().get(path, query=query).problem(401, "unauthenticated")
    client.as_user("clusters:read").get(path, query=query).problem(403, "forbidden")
    client.as_user("metrics:read").get(path, query=query).expect(200)
    with pytest.raises(NotFoundError):
        services.usage.query(MALLORY.tenant, UsageQuery(moved.cluster_id, group_by=("node",)))


def test_where_pods_were_goes_with_the_cluster(client: Client, services: Services, moved: Moved) -> None:
    def names() -> Iterator[str]:
        return services.blobs.names(f"t/default/clusters/{moved.cluster_id}/")

    assert any("/rosters/" in name for name in names())
    client.delete(f"/clusters/{moved.cluster_id}").expect(204)
    assert list(names()) == []


def test_what_a_workload_used_that_is_gone_for_months_is_found_by_name_and_uid(client: Client, services: Services, moved: Moved) -> None:
    again = workload("shop", "db", kind="StatefulSet", uid="uid-db-again")
    assert isinstance(services.clock, SetClock)
    services.clock.moment += 60 * 86400
    services.kubernetes.listed = replace(inventory(again), nodes=())  # type: ignore[attr-defined] # the fake
    run(services, client.post("/metrics/collect", {"cluster_id": moved.cluster_id}).expect(202)["id"])
    window = {"start": format_time(moved.end - 4 * 3600), "end": format_time(moved.end), "metric": "cpu_cores", "step": "1h"}
    path = f"/metrics/history/{moved.cluster_id}"

    by_name = client.get(path, query=window | {"group_by": "workload", "workload": "web"}).expect(200)
    by_uid = client.get(path, query=window | {"group_by": "workload,uid", "uid": DB.uid}).expect(200)

    np.testing.assert_allclose(by_name["series"][0]["values"], moved.cpu("web-0") + moved.cpu("web-9"), atol=1e-6)
    assert [one["labels"] for one in by_uid["series"]] == [{"workload": "db", "uid": DB.uid}]
    np.testing.assert_allclose(by_uid["series"][0]["values"], moved.cpu("db-0"), atol=1e-6)
    assert client.get(path, query={"workload": "web", "window": "1h"}).expect(200)["series"] == []


def test_forecasts_and_patterns_take_nodes_as_they_take_workloads(client: Client, moved: Moved) -> None:
    selection = {"cluster_id": moved.cluster_id, "split": "node", "step_seconds": 3600, "start": format_time(moved.end - HOURS * 3600)}
    found = client.post("/patterns/detect", {"selection": selection}).expect(200)["series"]
    (one,) = client.post("/patterns/detect", {"selection": selection | {"node": "b", "split": "none"}}).expect(200)["series"]

    means = {series["labels"]["node"]: (series["summary"]["mean"], series["missing"]) for series in found}
    assert means == {
        "a": (pytest.approx((moved.cpu("db-0", end=2).sum() + moved.cpu("web-0").sum()) / HOURS, abs=1e-6), 0),
        "b": (pytest.approx(moved.cpu("db-0", begin=2).mean(), abs=1e-6), 2), None: (pytest.approx(moved.cpu("web-9").mean(), abs=1e-6), 0),
    }  # fmt: skip
    assert one["summary"]["mean"] == means["b"][0]
    assert all(any("shop/web-9" in text for text in series["warnings"]) for series in (*found, one))


def test_the_demand_of_nodes_adds_up_to_that_of_the_cluster(client: Client, moved: Moved) -> None:
    query = {"split": "node", "horizon": 2, "step_seconds": 1800}
    answer = client.get(f"/forecasting/{moved.cluster_id}/demand", query=query).expect(200)

    assert {item["series"]["name"] for item in answer["items"]} == {"a", "b", "unknown"}
    total = np.sum([item["mean"] for item in answer["items"]], axis=0)
    np.testing.assert_allclose(total, answer["total"]["mean"], rtol=1e-6)
