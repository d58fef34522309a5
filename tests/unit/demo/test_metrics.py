from __future__ import annotations

import numpy as np
import pytest
from unit.demo.small import ANCHOR, DAY, NOW, cluster, matrix, prometheus, vector

from upid.demo.plan import Scale
from upid.demo.planning import plan
from upid.demo.usage import usage_of

CHECKOUT = 'namespace="shop",pod=~"checkout-.*"'
END = ANCHOR
SPAN = (END - DAY + 300, END, 300)


def truth(name: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return container ids of a workload with its CPU and memory of the last day, by the minute, straight from the functions."""
    whole = plan(Scale(7, 150, ANCHOR, ANCHOR + 2 * DAY))
    usage = usage_of(whole, 60)
    rows = np.array(
        [i for i, run in enumerate(whole.runs) if (run.pod.workload.spec.namespace, run.pod.workload.spec.name) == ("shop", name)]
    )
    cells = np.arange((END - DAY) // 60, END // 60)
    return [whole.runs[i].id for i in rows], usage.cpu_cores(rows, cells), usage.memory_bytes(rows, cells)


def test_a_rate_is_the_true_mean_over_its_step() -> None:
    ids, cpu, _ = truth("checkout")
    found = {
        labels["name"]: np.array(list(values.values()))
        for labels, values in matrix(f"rate(container_cpu_usage_seconds_total{{{CHECKOUT}}}[5m])", *SPAN)
    }

    assert found.keys() == set(ids)
    for row, own in enumerate(ids):
        np.testing.assert_allclose(found[own], cpu[row].reshape(-1, 5).mean(axis=1), atol=1e-8)


def test_the_largest_working_set_of_a_step_is_the_true_one() -> None:
    ids, _, memory = truth("checkout")
    found = {
        labels["name"]: list(values.values())
        for labels, values in matrix(f"max_over_time(container_memory_working_set_bytes{{{CHECKOUT}}}[5m])", *SPAN)
    }

    for row, own in enumerate(ids):
        np.testing.assert_array_equal(found[own], memory[row].reshape(-1, 5).max(axis=1))


@pytest.mark.parametrize(("function", "reduce"), [("min", np.min), ("avg", np.mean), ("sum", np.sum), ("count", np.size)])
def test_other_functions_over_time_are_numpys(function: str, reduce: object) -> None:
    _, _, memory = truth("checkout")
    found = vector(f"{function}_over_time(container_memory_working_set_bytes{{{CHECKOUT}}}[1h])", END)

    expected = sorted(reduce(memory[row, -60:]) for row in range(len(memory)))  # type: ignore[operator] # a numpy function
    np.testing.assert_allclose(sorted(found.values()), expected)


def test_an_instant_selector_is_the_last_scrape() -> None:
    _, _, memory = truth("checkout")

    assert sorted(vector(f"container_memory_working_set_bytes{{{CHECKOUT}}}", END).values()) == sorted(memory[:, -1])


def test_an_increase_is_the_rate_times_the_range() -> None:
    rate = vector(f"rate(container_cpu_usage_seconds_total{{{CHECKOUT}}}[1h])", END)
    increase = vector(f"increase(container_cpu_usage_seconds_total{{{CHECKOUT}}}[1h])", END)

    assert increase == pytest.approx({labels: value * 3600 for labels, value in rate.items()})


def test_aggregations_group_by_labels() -> None:
    single = matrix(f"rate(container_cpu_usage_seconds_total{{{CHECKOUT}}}[5m])", *SPAN)
    for operator, reduce in (("sum", sum), ("max", max), ("min", min), ("count", len)):
        found = matrix(f"{operator} by (namespace) (rate(container_cpu_usage_seconds_total{{{CHECKOUT}}}[5m]))", *SPAN)
        assert [labels for labels, _ in found] == [{"namespace": "shop"}]
        assert found[0][1][END] == pytest.approx(reduce([values[END] for _, values in single]))


def test_a_ratio_joins_series_of_the_same_labels() -> None:
    throttled = "rate(container_cpu_cfs_throttled_periods_total{namespace='payments'}[1h])"
    found = vector(f"{throttled} / rate(container_cpu_cfs_periods_total{{namespace='payments'}}[1h])", END)
    webhooks = [value for labels, value in found.items() if dict(labels)["container"] == "webhooks"]

    assert len(webhooks) == 2
    assert all(0.2 < value < 1 for value in webhooks)


def test_only_containers_with_a_limit_have_periods() -> None:
    found = vector("container_cpu_cfs_periods_total{namespace='payments'}")

    assert {"webhooks", "fraud"} & {dict(labels)["container"] for labels in found} == {"webhooks"}
    assert "receipts" not in {dict(labels)["container"] for labels in found}


def test_comparisons_keep_what_holds() -> None:
    high = vector("container_memory_working_set_bytes{namespace='shop'} > 1e9")

    assert high
    assert min(high.values()) > 1e9
    assert set(vector("container_memory_working_set_bytes{namespace='shop'} > bool 1e9").values()) == {0.0, 1.0}


def test_sets_of_series_are_joined_and_taken_away() -> None:
    every, shop = vector("kube_pod_owner"), vector("kube_pod_owner{namespace='shop'}")

    assert vector("kube_pod_owner and kube_pod_owner{namespace='shop'}") == shop
    assert vector("kube_pod_owner unless kube_pod_owner{namespace='shop'}").keys() == every.keys() - shop.keys()
    assert vector("kube_pod_owner{namespace='shop'} or kube_pod_owner") == every


def test_restarts_and_their_reason_are_told_where_containers_are_killed() -> None:
    restarts = vector("increase(kube_pod_container_status_restarts_total{namespace='data'}[7d])", END)
    killed = vector("kube_pod_container_status_last_terminated_reason{namespace='data',reason='OOMKilled'} == 1", END)

    counts = [value for labels, value in restarts.items() if dict(labels)["container"] == "tagger"]
    assert len(counts) == 1
    assert 15 <= counts[0] <= 24  # a kill about every nine hours
    assert {dict(labels)["container"] for labels in killed} == {"tagger"}
    counters = matrix("kube_pod_container_status_restarts_total{namespace='data',container='tagger'}", END - DAY, END, 3600)
    rise = counters[0][1]
    assert list(rise.values()) == sorted(rise.values())
    assert rise[END] - rise[END - DAY] in {2.0, 3.0}


def test_owners_of_pods_that_are_gone_are_still_known() -> None:
    now = vector("kube_pod_owner{namespace='shop'}", END)
    week = vector("last_over_time(kube_pod_owner{namespace='shop'}[7d])", END)

    assert now.keys() < week.keys()
    sets = {dict(labels)["owner_name"] for labels in week if dict(labels)["pod"].startswith("storefront-")}
    assert len(sets) == 2


def test_nothing_is_known_of_what_comes_after_now() -> None:
    assert vector("container_memory_working_set_bytes", NOW + 3600) == {}
    assert max(matrix("sum(container_memory_working_set_bytes)", NOW - 600, NOW + 3600, 300)[0][1]) <= NOW + 300


def test_history_before_the_start_is_the_same_whenever_it_is_asked() -> None:
    query = "sum by (namespace) (rate(container_cpu_usage_seconds_total[1h]))"

    assert vector(query, END - 5 * DAY) == vector(query, END - 5 * DAY)
    assert len(vector(query, END - 5 * DAY)) >= 6


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("query", {"query": "rate(m"}, "expected"),
        ("query", {}, "it is missing"),
        ("query", {"query": "m[5m]"}, "range vector"),
        ("query", {"query": "sum(1)"}, "expected type instant vector"),
        ("query", {"query": 'm{a=~"("}'}, "error parsing regexp"),
        ("query", {"query": "1 and 2"}, "not allowed in binary scalar"),
        ("query", {"query": "kube_pod_owner * on (namespace) kube_pod_owner"}, "many-to-many"),
        ("query", {"query": "kube_pod_owner * on (job) machine_cpu_cores", "time": "soon"}, "is no time"),
        ("query_range", {"query": "up", "start": 0, "end": DAY, "step": 1}, "exceeded maximum resolution"),
        ("query_range", {"query": "up", "start": 10, "end": 5, "step": 1}, "before start time"),
        ("query_range", {"query": "up", "start": 0, "end": 5, "step": 0}, "zero or negative"),
        ("series", {"match[]": "sum(up)"}, "not a selector"),
    ],
)
def test_a_query_that_is_not_understood_is_bad_data(path: str, query: dict[str, object], words: str) -> None:
    status, answer = prometheus(f"/api/v1/{path}", **query)

    assert (status, answer["status"], answer["errorType"]) == (400, "error", "bad_data")
    assert words in answer["error"]


def test_scalars_and_names_are_answered() -> None:
    assert prometheus("/api/v1/query", query="1 + 2 * 3", time=5)[1]["data"] == {"resultType": "scalar", "result": [5, "7"]}
    assert "container_memory_working_set_bytes" in prometheus("/api/v1/label/__name__/values")[1]["data"]
    assert {"namespace", "pod", "container"} <= set(prometheus("/api/v1/labels")[1]["data"])
    assert prometheus("/api/v1/series", **{"match[]": "machine_cpu_cores"})[1]["data"][0]["job"] == "kubelet"
    assert "version" in prometheus("/api/v1/status/buildinfo")[1]["data"]


def test_it_says_when_it_is_ready_and_what_it_does_not_have() -> None:
    assert cluster().answer("/prometheus/-/ready", b"", "").status == 200
    assert cluster().answer("/prometheus/graph", b"", "").status == 404
    assert cluster().answer("/elsewhere", b"", "").status == 404
