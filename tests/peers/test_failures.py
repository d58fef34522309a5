"""Peers that log a failing object, drop it, and end with status 0; or that read 36 hours as a day on the way to the query."""

from __future__ import annotations

import re

from outside.cluster import APPS, container, refusal
from outside.metrics import CPU
from outside.scanning import World
from outside.serving import Reply, Request, serving


def test_a_workload_that_could_not_be_read_is_named_and_the_status_says_so(world: World) -> None:
    world.cluster.deployment("shop", "broken", [container(cpu="a lot")], pods=[])
    outcome = world.run()
    assert outcome.status == 3
    assert "shop/broken" in outcome.err
    assert any("shop/broken" in error["subject"] for error in outcome.document["summary"]["errors"])


def test_a_kind_that_could_not_be_read_is_named_and_the_status_says_so(world: World) -> None:
    world.cluster.overrides[f"{APPS}/daemonsets"] = refusal(403, "daemonsets.apps is forbidden")
    outcome = world.run()
    assert outcome.status == 3
    assert "daemonsets" in outcome.err


def test_a_namespace_whose_usage_could_not_be_read_is_withheld_and_named(world: World) -> None:
    world.cluster.namespace("other")
    world.web("other", "late", pods=1)

    def failing(request: Request) -> Reply:
        refused = "other" in request.param("query") and "query_range" in request.path
        return Reply({"status": "error", "error": "too many samples"}, 422) if refused else world.metrics.answer(request)

    with serving(failing) as world.prometheus_url:
        outcome = world.run()
    assert outcome.status == 3
    assert "other" in outcome.err
    assert outcome.entry("late")["status"] == "withheld"
    assert outcome.entry("web")["status"] == "recommended"


def test_every_container_of_every_workload_has_an_entry(world: World) -> None:
    world.cluster.deployment("shop", "silent", [container("a"), container("b")], pods=[])
    world.cluster.deployment("shop", "stopped", [container("a")], replicas=0)
    found = {(e["name"], e["container"]) for e in world.run().document["recommendations"]}
    assert found == {("web", "app"), ("silent", "a"), ("silent", "b"), ("stopped", "a")}


def test_36_hours_are_asked_for_as_36_hours(world: World) -> None:
    outcome = world.run("--history", "36h")
    assert outcome.document["window"] == {"start": "2023-11-13T12:00:00Z", "end": "2023-11-15T00:00:00Z", "step_seconds": 900}
    evidence = outcome.entry("web")["evidence"]
    assert (evidence["samples"], evidence["coverage"]) == (144, 1.0)


def test_usage_is_asked_for_by_namespace_and_not_by_workload(world: World) -> None:
    for number in range(30):
        world.web("shop", f"web-{number}", pods=1)
    world.metrics.asked.clear()
    assert world.run().status == 0
    rates = [query for query in world.metrics.asked if "query_range" in query and CPU in query]
    assert len(rates) <= 2
    assert not any(re.search(r"web-\d", query) for query in rates)
