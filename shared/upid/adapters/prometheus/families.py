"""Families beside CPU and memory: what is asked of Prometheus for each, at most two queries a family, and what its series are of.

Metrics that belong together are asked for in one query, joined by `or` under a label of ours, since functions over time drop the metrics' names.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.matrix import Grid, Labels
from upid.adapters.prometheus.ranges import Answers, ask_range, pieces_of
from upid.adapters.prometheus.series import Pooling, rows_of_parts
from upid.adapters.prometheus.shapes import Shape, shape_of
from upid.domain.errors import RefusedError
from upid.ports.metrics_source import FamilyUsage, Metered, Window

IN_FLIGHT: Final = 2
LABEL: Final = "upid_metric"
_CONTAINER: Final = ('container!=""', 'container!="POD"')


class Key(NamedTuple):
    """One metric of one thing."""

    metric: str
    of: Metered


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric: its name with Prometheus, the function over a step, and a condition on the result."""

    metric: str
    series: str
    function: str
    matchers: tuple[str, ...] = ()
    condition: str = ""


@dataclass(frozen=True, slots=True)
class FamilyQuery:
    """Metrics that are asked for together. adds: parts (interfaces, devices, memory pools) of one thing add up, else the largest counts."""

    measures: tuple[Measure, ...]
    pooling: Pooling[Metered]
    adds: bool = True

    def text(self, namespaces: Sequence[str], matcher: str, seconds: Callable[[str], int]) -> str:
        """Return the query; `seconds` says how far back a sample of a function looks."""
        return " or ".join(
            f'label_replace({measure.function}({queries.selector(measure.series, namespaces, *measure.matchers, matcher)}[{seconds(measure.function)}s])'
            f'{measure.condition}, "{LABEL}", "{measure.metric}", "", "")'
            for measure in self.measures
        )  # fmt: skip

    def by_metric(self) -> Pooling[Key]:
        """Return how the series of an answer are pooled, metric by metric."""

        def key(labels: Labels) -> Key | None:
            of = self.pooling.key(labels)
            metric = labels.get(LABEL)
            return Key(metric, of) if of and metric else None

        return Pooling(key, self.pooling.run, self.pooling.part, self.pooling.runs_add)


def _container(labels: Labels) -> Metered | None:
    found = Metered(labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
    return found if found.namespace and found.pod and found.container else None


def _process(labels: Labels) -> Metered | None:
    """Return whose heap it is; where a scrape does not tell the container, the pod's."""
    found = Metered(labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
    return found if found.namespace and found.pod else None


def _pod(labels: Labels) -> Metered | None:
    found = Metered(labels.get("namespace", ""), labels.get("pod", ""))
    return found if found.namespace and found.pod else None


def _claim(labels: Labels) -> Metered | None:
    found = Metered(labels.get("namespace", ""), volume=labels.get("persistentvolumeclaim", ""))
    return found if found.namespace and found.volume else None


_NET: Final = Pooling(_pod, run=(), part="interface")
_DISK: Final = Pooling(_container, part="device")
_FILES: Final = Pooling(_container, part="device", runs_add=False)
_MEMORY: Final = Pooling(_container)
_CLAIM: Final = Pooling(_claim, run=())
_POOLS: Final = Pooling(_process, run=(), part="id")


def _net(direction: str) -> FamilyQuery:
    names = (("bytes", "bytes"), ("dropped", "packets_dropped"), ("errors", "errors"))
    return FamilyQuery(
        tuple(
            Measure(f"network_{direction}_{ours}_per_second", f"container_network_{direction}_{theirs}_total", "rate", ('pod!=""',))
            for ours, theirs in names
        ),
        _NET,
    )


def _level(metric: str, series: str, pooling: Pooling[Metered], *matchers: str, adds: bool = False) -> FamilyQuery:
    return FamilyQuery((Measure(metric, series, "max_over_time", matchers),), pooling, adds)


# JVM pools are sampled together, so their means add up and their maxima do not; a pool without a maximum of its own says -1.
FAMILIES: Final[Mapping[str, tuple[FamilyQuery, ...]]] = MappingProxyType({
    "memory_detail": (
        _level("memory_rss_bytes", queries.RESIDENT, _MEMORY, *_CONTAINER), _level("memory_cache_bytes", "container_memory_cache", _MEMORY, *_CONTAINER),
    ),
    "network": (_net("receive"), _net("transmit")),
    "filesystem": (
        _level("filesystem_used_bytes", "container_fs_usage_bytes", _FILES, *_CONTAINER, adds=True),
        FamilyQuery(tuple(
            Measure(f"filesystem_{ours}_per_second", f"container_fs_{theirs}_total", "rate", _CONTAINER)
            for ours, theirs in (("read_bytes", "reads_bytes"), ("write_bytes", "writes_bytes"), ("reads", "reads"), ("writes", "writes"))
        ), _DISK),
    ),
    "storage": (
        _level("volume_used_bytes", "kubelet_volume_stats_used_bytes", _CLAIM), _level("volume_capacity_bytes", "kubelet_volume_stats_capacity_bytes", _CLAIM),
    ),
    "heap": (
        FamilyQuery((
            Measure("jvm_heap_used_bytes", "jvm_memory_used_bytes", "avg_over_time", ('area="heap"',)),
            Measure("jvm_heap_max_bytes", "jvm_memory_max_bytes", "avg_over_time", ('area="heap"',), " >= 0"),
        ), _POOLS),
        FamilyQuery((Measure("go_heap_used_bytes", "go_memstats_heap_inuse_bytes", "avg_over_time"),), Pooling(_process, run=()), adds=False),
    ),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class FamilyReading:
    """Reads families of some namespaces in one window; `matcher` picks the cluster in a source that several share."""

    client: PrometheusClient
    matcher: str
    namespaces: tuple[str, ...]
    window: Window

    def families(self, families: Sequence[str]) -> Iterator[FamilyUsage]:
        """Yield each family in order; the next is asked for while this one is worked on."""
        if not families:
            return
        shape = shape_of(self.client, self.matcher, self.window)
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="prometheus") as pool:
            ahead: deque[tuple[str, list[Future[Answers[Key]]]]] = deque()
            try:
                for family in families:
                    ahead.append((family, [pool.submit(self._ask, query, shape) for query in FAMILIES[family]]))
                    if len(ahead) == IN_FLIGHT:
                        yield self._usage(*ahead.popleft())
                while ahead:
                    yield self._usage(*ahead.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, query: FamilyQuery, shape: Shape) -> Answers[Key]:
        step = self.window.step_seconds
        text = query.text(self.namespaces, self.matcher, partial(shape.range_seconds, step=step))
        answers: Answers[Key] = Answers()
        series = sum(shape.series.get(name, 0) for name in self.namespaces) * len(query.measures)
        for part in pieces_of(Grid(self.window.start + step, step, self.window.steps), series):
            ask_range(self.client, text, part, adds=query.adds, into=answers, pooling=query.by_metric())
        return answers

    def _usage(self, family: str, asked: Sequence[Future[Answers[Key]]]) -> FamilyUsage:
        try:
            answers = [future.result() for future in asked]
        except RefusedError as error:
            return FamilyUsage(family, (), {}, refused=error.detail)
        rows: dict[Key, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
        faults: Counter[str] = Counter()
        for answer in answers:
            keys, values = rows_of_parts(answer.parts, answer.widths)
            faults.update(answer.faults, duplicates=answer.duplicates, negative=int(np.count_nonzero(values < 0)))
            values[values < 0] = np.nan
            rows.update(zip(keys, values, strict=True))
        warnings = tuple(dict.fromkeys(text for answer in answers for text in answer.warnings))
        return FamilyUsage(family, *_tables(rows, self.window.steps), warnings, +faults)


def _tables(
    rows: Mapping[Key, np.ndarray[tuple[int], np.dtype[np.float32]]], steps: int
) -> tuple[list[Metered], dict[str, np.ndarray[tuple[int, int], np.dtype[np.float32]]]]:
    """Return the things that rows are of, sorted, and one table for each metric that any of them has."""
    things = sorted({key.of for key in rows})
    place = {thing: position for position, thing in enumerate(things)}
    tables = {metric: np.full((len(things), steps), np.nan, np.float32) for metric in dict.fromkeys(key.metric for key in rows)}
    for key, row in rows.items():
        tables[key.metric][place[key.of]] = row
    return things, tables
