"""A group of namespaces that a source refuses together, in part or as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from upid.domain.errors import RefusedError, UnavailableError
from upid.domain.inventory import Container, Inventory, Node, Pod, Workload
from upid.ports.metrics_source import ContainerEvents, FamilyUsage, NamespaceUsage, PodContainer, UsageBlock, Window
from upid.ports.usage_history import MetricChunk, SeriesKey, UsageChunk
from upid.services.asking import Families, ask, inspected, inspected_family

WINDOW = Window(1_700_000_100, 1_700_001_300, 300)
NAMES = ("bank", "shop", "zoo")
LISTED = Inventory(
    tuple(Workload(name, "Deployment", "web", f"uid-{name}", 1, (Container("app"),)) for name in NAMES),
    tuple(Pod(name, "web-1", f"pod-{name}", f"uid-{name}") for name in NAMES),
    (),
    NAMES,
)


@dataclass
class Source:
    """Answers for namespaces, but raises for a group that holds one of those in `fails`."""

    fails: dict[str, Exception]
    asked: list[tuple[str, ...]] = field(default_factory=list)
    silent: bool = False

    def check(self) -> None:
        """Be well."""

    def resets(self, namespaces: Sequence[str], window: Window) -> int:
        if self.silent:
            raise RefusedError("no such function")
        return len(namespaces)

    def usage(self, groups: Sequence[Sequence[str]], window: Window, *, resident: bool = False) -> Iterator[NamespaceUsage]:
        for group in groups:
            self.asked.append(tuple(group))
            for name in group:
                if name in self.fails:
                    raise self.fails[name]
            keys = [PodContainer(name, "web-1", "app") for name in group]
            block = UsageBlock(keys, np.ones((len(keys), window.steps)))
            yield NamespaceUsage(
                tuple(group), window, block, block, UsageBlock([], np.empty((0, window.steps))), ContainerEvents({}, {}, {}), (), ("slow",)
            )


def test_a_group_that_is_answered_is_asked_once() -> None:
    source = Source({})
    found = ask(source, NAMES, WINDOW, LISTED)
    assert source.asked == [NAMES]
    assert [key.workload_uid for key in found.chunk.keys] == ["uid-bank", "uid-shop", "uid-zoo"]
    assert (found.warnings, found.refused) == (("slow",), ())


def test_one_that_is_refused_leaves_the_others_and_is_named_with_the_reason() -> None:
    source = Source({"shop": RefusedError("too many samples")})
    found = ask(source, NAMES, WINDOW, LISTED)
    assert source.asked == [NAMES, ("bank",), ("shop",), ("zoo",)]
    assert [key.workload_uid for key in found.chunk.keys] == ["uid-bank", "uid-zoo"]
    assert (found.warnings, found.refused) == (("slow",), (("shop", "too many samples"),))
    assert found.chunk.cpu_cores.shape == (2, 4)


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_a_group_of_which_nothing_can_be_had_is_refused(names: tuple[str, ...]) -> None:
    source = Source(dict.fromkeys(names, RefusedError("no")))
    with pytest.raises(RefusedError, match="no"):
        ask(source, names, WINDOW, LISTED)


def test_a_source_that_fails_in_passing_holds_up_the_group() -> None:
    source = Source({"shop": UnavailableError("try later")})
    with pytest.raises(UnavailableError, match="try later"):
        ask(source, NAMES, WINDOW, LISTED)
    assert source.asked == [NAMES]
    with pytest.raises(UnavailableError, match="try later"):
        ask(Source({"bank": RefusedError("no"), "shop": UnavailableError("try later")}), NAMES, WINDOW, LISTED)


def test_without_patience_one_that_fails_in_passing_is_given_up_too() -> None:
    found = ask(Source({"shop": UnavailableError("try later")}), NAMES, WINDOW, LISTED, patient=False)
    assert found.refused == (("shop", "try later"),)
    assert [key.workload_uid for key in found.chunk.keys] == ["uid-bank", "uid-zoo"]


def test_counters_that_began_again_are_counted() -> None:
    found = ask(Source({}), NAMES, WINDOW, LISTED)
    assert found.quality == {"counter_resets": 3}


def test_a_source_that_does_not_tell_of_resets_is_told_of_and_holds_nothing_up() -> None:
    found = ask(Source({}, silent=True), NAMES, WINDOW, LISTED)
    assert found.warnings == ("slow", "Whether counters began again is not known: no such function")
    assert found.chunk.cpu_cores.shape == (3, 4)


def usage_of(values: list[list[float]], containers: tuple[str, ...]) -> UsageChunk:
    keys = [SeriesKey("uid-shop", container, "web-1") for container in containers]
    cpu, none = np.array(values, np.float32), np.zeros(len(keys), np.int32)
    return UsageChunk(keys, WINDOW.start, 300, cpu, cpu * 2**30, cpu * 0, none, none, np.full(len(keys), np.nan))


def nodes(*cores: float) -> tuple[Node, ...]:
    return tuple(Node(f"node-{n}", f"uid-{n}", each, each * 2.0**32) for n, each in enumerate(cores))


def test_more_than_the_pods_own_node_has_is_impossible_though_another_node_has_it() -> None:
    placed = replace(LISTED, nodes=nodes(4.0, 64.0), pods=(Pod("shop", "web-1", "pod", "uid-shop", "node-0", "Running"),))
    chunk = usage_of([[1.0, 5.0, 5.1, 30.0]], ("app",))

    found, quality = inspected(chunk, placed)
    np.testing.assert_array_equal(found.cpu_cores, np.array([[1.0, 5.0, np.nan, np.nan]], np.float32))
    assert quality["impossible"] == 2 + 1  # memory: 20 GiB at most, and 5.1 GiB is none too much
    elsewhere, counted = inspected(chunk, replace(LISTED, nodes=nodes(4.0, 64.0)))
    assert (counted["impossible"], np.isnan(elsewhere.cpu_cores).any()) == (0, False)


def test_a_series_that_ends_though_its_pod_runs_is_counted_and_a_container_that_ends_is_not() -> None:
    nan = float("nan")
    web = Workload("shop", "Deployment", "web", "uid-shop", 1, (Container("app"), Container("setup", role="init"), Container("late")))
    running = replace(LISTED, workloads=(web,), pods=(Pod("shop", "web-1", "pod", "uid-shop", "", "Running"),))
    chunk = usage_of([[1.0, 1.0, nan, nan], [1.0, nan, nan, nan], [1.0, 1.0, 1.0, nan]], ("app", "setup", "late"))

    assert inspected(chunk, running)[1]["ended_early"] == 1
    assert inspected(chunk, replace(running, pods=()))[1]["ended_early"] == 0


@pytest.mark.parametrize(
    ("family", "metric", "other", "key"),
    [("memory_detail", "memory_rss_bytes", {}, SeriesKey("uid-shop", "app", "web-1")),
     ("storage", "volume_used_bytes", {"volume_capacity_bytes": 4 * 2.0**32}, SeriesKey("uid-shop", "", "", "data")),
     ("heap", "go_heap_used_bytes", {}, SeriesKey("uid-shop", "app", "web-1"))],
)  # fmt: skip
def test_what_a_familys_node_or_volume_cannot_hold_is_dropped(family: str, metric: str, other: dict[str, float], key: SeriesKey) -> None:
    placed = replace(LISTED, nodes=nodes(4.0, 64.0), pods=(Pod("shop", "web-1", "pod", "uid-shop", "node-0", "Running"),))
    values = np.array([[1.0, 5.0, 5.1, np.nan]], np.float32) * np.float32(2.0**32)
    samples = {metric: values} | {name: np.full((1, 4), most, np.float32) for name, most in other.items()}
    kept, quality = inspected_family(MetricChunk(family, [key], WINDOW.start, WINDOW.end, 300, samples), placed)

    assert (quality["impossible"], quality["missing"]) == (1, 0)
    np.testing.assert_array_equal(kept.samples[metric], np.where(values > 20.2 * 2.0**30, np.nan, values))


@dataclass
class WithoutFamilies(Source):
    """Answers for CPU and memory, and breaks off behind its first family."""

    def families(self, namespaces: Sequence[str], families: Sequence[str], window: Window) -> Iterator[FamilyUsage]:
        yield FamilyUsage(families[0], (), {})
        raise UnavailableError("broke off")


def test_families_that_fail_in_passing_hold_up_their_group_until_patience_ends() -> None:
    wanted, source = Families(("network", "heap")), WithoutFamilies({})
    with pytest.raises(UnavailableError, match="broke off"):
        ask(source, NAMES, WINDOW, LISTED, families=wanted)

    found = ask(source, NAMES, WINDOW, LISTED, families=wanted, patient=False)
    assert found.unanswered == (("heap", "broke off"),)
    assert found.chunk.cpu_cores.shape == (3, 4)
