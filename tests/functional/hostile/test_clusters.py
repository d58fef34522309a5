"""Clusters that are odd, but right: every container has an entry, and a reason where nothing can be said."""

from __future__ import annotations

import math

import pytest
from outside.cluster import container
from outside.scanning import AT, DAY, World

LONG = "w" * 253
GIB = 2**30


def withheld(world: World, name: str) -> str:
    outcome = world.run()
    assert outcome.status == 0, outcome.err
    entry = outcome.entry(name)
    assert entry["status"] == "withheld"
    assert entry["reasons"]
    return str(entry["withheld_code"])


def test_a_cluster_without_workloads_is_an_empty_result(world: World) -> None:
    for kind in ("deployments", "replicasets", "pods"):
        world.cluster.objects[kind].clear()
    outcome = world.run()
    assert (outcome.status, outcome.document["recommendations"], outcome.document["summary"]["containers"]) == (0, [], 0)


def test_a_workload_without_pods_is_withheld_with_a_code(world: World) -> None:
    world.cluster.deployment("shop", "asleep", [container()], replicas=0)
    assert withheld(world, "asleep")


def test_a_workload_without_usage_is_withheld_with_a_code(world: World) -> None:
    world.cluster.deployment("shop", "silent", [container()])
    assert withheld(world, "silent")


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
def test_a_workload_whose_samples_are_no_numbers_is_withheld_with_a_code(world: World, text: str) -> None:
    world.cluster.deployment("shop", "odd", [container()], pods=["odd-1"])
    world.metrics.usage("shop", "odd-1", "app", lambda _: text, lambda _: text)
    assert withheld(world, "odd")


def test_single_samples_that_are_no_numbers_leave_no_trace(world: World) -> None:
    world.cluster.deployment("shop", "odd", [container(cpu="4")], pods=["odd-1"])
    world.metrics.usage("shop", "odd-1", "app", lambda t: "+Inf" if t % 7200 == 0 else 0.3, lambda t: "NaN" if t % 7200 == 0 else GIB)
    evidence = world.run().entry("odd")["evidence"]
    assert evidence["cpu_cores"]["max"] == pytest.approx(0.3)
    assert evidence["cpu_cores"]["mean"] == pytest.approx(0.3)
    assert evidence["memory_bytes"]["max"] == GIB


def test_negative_rates_and_empty_working_sets_are_no_samples(world: World) -> None:
    world.cluster.deployment("shop", "odd", [container(cpu="4")], pods=["odd-1"])
    world.metrics.usage("shop", "odd-1", "app", lambda t: -5.0 if t % 7200 == 0 else 0.3, lambda t: 0.0 if t % 7200 == 0 else GIB)
    evidence = world.run().entry("odd")["evidence"]
    assert evidence["cpu_cores"]["p50"] == pytest.approx(0.3)
    assert evidence["memory_bytes"]["p50"] == evidence["memory_bytes"]["max"] == GIB


def test_series_of_two_replicas_of_prometheus_count_once(world: World) -> None:
    world.cluster.deployment("shop", "twice", [container(cpu="4")], pods=["twice-1"])
    for replica in "ab":
        world.metrics.usage("shop", "twice-1", "app", lambda _: 0.3, lambda _: GIB, prometheus_replica=replica)
    evidence = world.run().entry("twice")["evidence"]
    assert (evidence["pods"], evidence["cpu_cores"]["max"]) == (1, pytest.approx(0.3))


def test_a_container_that_was_renamed_starts_anew(world: World) -> None:
    world.cluster.deployment("shop", "moved", [container("new")], pods=["moved-1"])
    world.metrics.usage("shop", "moved-1", "old", lambda t: 3.0 if t < AT - 3600 else None, lambda t: 4 * GIB if t < AT - 3600 else None)
    world.metrics.usage("shop", "moved-1", "new", lambda t: 0.1 if t >= AT - 3600 else None, lambda t: GIB if t >= AT - 3600 else None)
    outcome = world.run()
    entry = outcome.entry("moved")
    assert entry["container"] == "new"
    assert entry["evidence"]["cpu_cores"]["max"] == pytest.approx(0.1)
    assert entry["status"] == "withheld"  # one hour is not enough


@pytest.mark.parametrize(("name", "pod"), [(LONG, LONG), ("größe-☃", "größe-☃-1"), ("a.b-c.d", "a.b-c.d-1"), ("x", "x")])
def test_names_of_any_length_and_script_come_through(world: World, name: str, pod: str) -> None:
    world.cluster.deployment("shop", name, [container("контейнер", cpu="4")], pods=[pod])
    world.metrics.usage("shop", pod, "контейнер", lambda _: 0.3, lambda _: GIB)
    outcome = world.run()
    entry = outcome.entry(name)
    assert (outcome.status, entry["container"], entry["evidence"]["pods"]) == (0, "контейнер", 1)
    assert name in world.run("--output", "table").out.replace("\n", "") or len(name) > 40


def test_a_terminals_control_characters_in_a_name_do_not_reach_the_table(world: World) -> None:
    world.cluster.deployment("shop", "evil\x1b[2Jname", [container("[red]x[/red]")], pods=["evil-1"])
    world.metrics.usage("shop", "evil-1", "[red]x[/red]", lambda _: 0.3, lambda _: GIB)
    outcome = world.run("--output", "table")
    assert outcome.status == 0
    assert "\x1b" not in outcome.out
    assert "[red]" in outcome.out


def test_a_cluster_whose_clock_is_ahead_gives_reasons_and_no_error(world: World) -> None:
    world.cluster.deployment("shop", "future", [container()], pods=["future-1"])
    world.cluster.objects["deployments"][-1]["metadata"]["creationTimestamp"] = "2099-01-01T00:00:00Z"
    world.metrics.usage("shop", "future-1", "app", lambda _: 0.3, lambda _: GIB)
    assert withheld(world, "future")


def test_metrics_that_end_before_now_cover_less(world: World) -> None:
    world.cluster.deployment("shop", "late", [container(cpu="4")], pods=["late-1"])
    end = AT - DAY / 4
    world.metrics.usage("shop", "late-1", "app", lambda t: 0.3 if t <= end else None, lambda t: GIB if t <= end else None)
    assert world.run().entry("late")["evidence"]["coverage"] == pytest.approx(0.75, abs=0.02)


def test_huge_and_tiny_quantities_are_read_as_they_are(world: World) -> None:
    world.cluster.deployment("shop", "sizes", [container(cpu="1n", memory="128974848"), container("big", cpu="1e3", memory="1Ei")], pods=[])
    found = {e["container"]: e["current"] for e in world.run().document["recommendations"] if e["name"] == "sizes"}
    assert (found["app"]["cpu_request_cores"], found["app"]["memory_request_bytes"]) == (1e-9, 128974848)
    assert (found["big"]["cpu_request_cores"], found["big"]["memory_request_bytes"]) == (1000, 2.0**60)


def test_the_same_moment_gives_the_same_bytes(world: World) -> None:
    first, second = world.run(), world.run()
    assert first.out == second.out
    assert first.out.endswith("\n")
    assert not math.isnan(first.document["summary"]["savings_usd_per_month"])
