from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

import numpy as np
import pytest
from adapters.prometheus.scripted import Answer, Asked, Server, matrix, refused, vector

from upid.adapters.prometheus.source import PrometheusSource, PrometheusSources
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import InvalidRequestError, UnauthenticatedError, UnavailableError
from upid.ports.metrics_source import Metered, PodContainer, Window

START = 1_699_999_200
WINDOW = Window(START, START + 1200, 300)
NAN = float("nan")


def labels(namespace: str, **more: str) -> dict[str, str]:
    return {"namespace": namespace, "pod": "api-1", "container": "api", "id": "/a", **more}


def steady(cpu: str = "0.5", scrapes: str = "15", change: Callable[[Asked], Answer | None] = lambda _: None) -> Callable[[Asked], Answer]:
    """Answers of a source in which every namespace has one container; `change` may answer first."""

    def answer(asked: Asked) -> Answer:
        changed = change(asked)
        if changed:
            return changed
        if asked.path.endswith("/series"):
            return Answer(b'{"status":"success","data":[]}')
        if asked.path.endswith("/query"):
            return vector(({}, scrapes if "quantile" in asked.query else "2"))
        start, end, step = (int(asked.params[name][0]) for name in ("start", "end", "step"))
        namespaces = re.findall(r"n\d", asked.query)
        value = {"container_cpu_u": cpu, "container_memor": "2048", "container_cpu_c": "10"}.get(asked.query.partition("(")[2][:15])
        return matrix(*[(labels(n), [(t, value) for t in range(start, end + 1, step)]) for n in namespaces]) if value else matrix()

    return answer


def source(server: Server) -> PrometheusSource:
    return PrometheusSource(server.client(), "")


def test_usage_comes_by_group_in_order(server: Server) -> None:
    server.answer = steady()

    first, second = source(server).usage([["n1", "n2"], ["n3"]], WINDOW)

    assert (first.namespaces, second.namespaces) == (("n1", "n2"), ("n3",))
    assert first.cpu_cores.keys == [PodContainer("n1", "api-1", "api"), PodContainer("n2", "api-1", "api")]
    np.testing.assert_array_equal(first.cpu_cores.values, np.full((2, 4), 0.5))
    np.testing.assert_array_equal(second.memory_bytes.values, np.full((1, 4), 2048.0))
    np.testing.assert_array_equal(second.throttled.values, np.ones((1, 4)))
    assert first.warnings == ()


def test_a_sample_at_the_end_of_a_step_covers_it(server: Server) -> None:
    server.answer = steady()

    list(source(server).usage([["n1"]], WINDOW))

    (cpu,) = [asked for asked in server.asked if "cpu_usage" in asked.params.get("query", [""])[0]]
    assert cpu.query == 'rate(container_cpu_usage_seconds_total{namespace="n1",container!="",container!="POD"}[300s])'
    assert [cpu.params[name] for name in ("start", "end", "step")] == [[str(START + 300)], [str(START + 1200)], ["300"]]


def test_at_most_two_queries_are_in_flight(server: Server) -> None:
    inner, under_way, most = steady(), [0], [0]
    lock = threading.Lock()

    def answer(asked: Asked) -> Answer:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        try:
            return inner(asked)
        finally:
            with lock:
                under_way[0] -= 1

    server.answer = answer
    list(source(server).usage([[f"n{i}"] for i in range(5)], WINDOW))

    assert most[0] <= 2


def test_a_long_window_is_asked_in_parts_that_follow_each_other(server: Server) -> None:
    def many(asked: Asked) -> Answer | None:
        return (
            vector(({"namespace": "n1"}, "400000"))
            if asked.path.endswith("/query") and asked.query.startswith("count by (namespace) (")
            else None
        )

    server.answer = steady(change=many)
    window = Window(START, START + 110 * 300, 300)

    (usage,) = source(server).usage([["n1"]], window)

    assert usage.cpu_cores.values.shape == (1, 110)
    assert np.isfinite(usage.cpu_cores.values).all()
    assert sum("cpu_usage" in asked.params.get("query", [""])[0] for asked in server.asked) == 55  # two steps of 400,000 series each


def test_rare_scrapes_make_samples_look_back_further_and_that_is_told(server: Server) -> None:
    server.answer = steady(scrapes="7.5")  # 7.5 scrapes in 15 minutes: one every two minutes

    (usage,) = source(server).usage([["n1"]], Window(START, START + 600, 60))

    asked = [query for request in server.asked for query in request.params.get("query", [])]
    assert [query[-7:] for query in asked if query.startswith("rate(container_cpu_usage")] == ["[252s])"]  # two scrapes are always within
    assert [query[-7:] for query in asked if query.startswith("max_over_time(container_memory_w")] == ["[132s])"]  # and one
    assert usage.warnings == ("Scrapes are so far apart that samples of CPU look back 252 s, more than the step of 60 s.",)


def test_values_that_no_container_has_are_no_samples(server: Server) -> None:
    server.answer = steady(cpu="-0.1")

    (usage,) = source(server).usage([["n1"]], WINDOW)

    np.testing.assert_array_equal(usage.cpu_cores.values, [[NAN] * 4])


def test_resident_sets_are_asked_for_by_the_hour_where_they_are_wanted(server: Server) -> None:
    server.answer = steady()
    window = Window(START, START + 2 * 3600, 300)

    (usage,) = source(server).usage([["n1"]], window, resident=True)

    (asked,) = [asked for asked in server.asked if "memory_rss" in asked.params.get("query", [""])[0]]
    assert asked.query == 'max_over_time(container_memory_rss{namespace="n1",container!="",container!="POD"}[3600s])'
    assert [asked.params[name] for name in ("start", "end", "step")] == [[str(START + 3600)], [str(START + 7200)], ["3600"]]
    assert usage.resident is not None
    assert (usage.resident.keys, usage.resident_step_seconds) == ([Metered("n1", "api-1", "api")], 3600)
    np.testing.assert_array_equal(usage.resident.samples["memory_rss_bytes"], [[2048.0, 2048.0]])


def test_resident_sets_are_not_asked_for_where_nobody_wants_them(server: Server) -> None:
    server.answer = steady()

    (usage,) = source(server).usage([["n1"]], WINDOW)

    assert usage.resident is None
    assert not [asked for asked in server.asked if "memory_rss" in asked.params.get("query", [""])[0]]


def test_resident_sets_that_cannot_be_read_take_nothing_else_with_them(server: Server) -> None:
    server.answer = steady(change=lambda asked: refused(500, "disk") if "memory_rss" in asked.params.get("query", [""])[0] else None)

    (usage,) = source(server).usage([["n1"]], WINDOW, resident=True)

    assert usage.resident is None
    assert np.isfinite(usage.memory_bytes.values).all()
    (warning,) = usage.warnings
    assert warning.startswith("Resident memory could not be read, so page cache counts as need: ")
    assert "disk" in warning


def test_a_query_that_fails_for_good_fails_the_group(server: Server) -> None:
    server.answer = steady(
        change=lambda asked: (
            refused(500, "disk") if "memory_working" in asked.params.get("query", [""])[0] and asked.path.endswith("range") else None
        )
    )

    with pytest.raises(UnavailableError, match="500: disk"):
        list(source(server).usage([["n1"]], WINDOW))


def test_who_stops_early_leaves_nothing_running(server: Server) -> None:
    server.answer = steady()
    running = threading.active_count()
    usages = source(server).usage([[f"n{i}"] for i in range(9)], WINDOW)

    next(usages)
    usages.close()  # type: ignore[attr-defined] # the adapter's iterator is a generator

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prometheus")]
    assert threading.active_count() <= running + 2  # the server's own


def test_a_window_without_steps_is_a_value_error(server: Server) -> None:
    with pytest.raises(ValueError, match="no step"):
        list(source(server).usage([["n1"]], Window(START, START, 300)))


def names(*found: str) -> Answer:
    return Answer(json.dumps({"status": "success", "data": found}).encode())


def test_a_source_with_container_metrics_is_fine(server: Server) -> None:
    server.script(names("container_memory_working_set_bytes"))

    source(server).check()

    assert server.asked[0].path == "/api/v1/label/__name__/values"


def test_a_source_without_the_metric_is_told_with_the_clusters_label(server: Server) -> None:
    server.script(names())

    with pytest.raises(UnavailableError, match=r'no metric container_memory_working_set_bytes with cluster="x"'):
        PrometheusSources().open(MetricsAccess(server.url, cluster_label="cluster=x")).check()


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (Answer(b"<html></html>"), UnavailableError, "HTML"),
        (Answer(b"", 401), UnauthenticatedError, "credentials"),
        (refused(400, "no matchers"), UnavailableError, "no matchers"),
    ],
)
def test_what_is_no_source_is_told(server: Server, answer: Answer, error: type[Exception], told: str) -> None:
    server.script(answer)

    with pytest.raises(error, match=told):
        source(server).check()


def test_an_url_that_is_none_does_not_open() -> None:
    with pytest.raises(InvalidRequestError):
        PrometheusSources().open(MetricsAccess("nowhere"))
