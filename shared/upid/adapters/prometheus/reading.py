"""Usage of groups of namespaces: what is asked, in which parts, two queries at a time, and what is made of the answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.happenings import Happenings, coarse_grid
from upid.adapters.prometheus.matrix import Grid
from upid.adapters.prometheus.ranges import Answers, ask_range, pieces_of
from upid.adapters.prometheus.series import below_zero, block_of, not_negative, positive, share_of
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodOwner, UsageBlock, Window

IN_FLIGHT: Final = 2
FEW_STEPS: Final = 100  # so few steps need no chunks, whatever the number of series
PROBE_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Shape:
    """What the source's data is like: how far back a sample looks, and how many series each namespace has at the window's end."""

    range_seconds: int
    series: dict[str, int]


@dataclass(slots=True)
class Asked:
    """What is under way for one group of namespaces."""

    namespaces: tuple[str, ...]
    cpu: list[Future[Answers]]
    memory: list[Future[Answers]]
    periods: Future[Answers]
    throttled: Future[Answers]
    owners: Future[list[PodOwner]]
    events: Future[ContainerEvents]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads usage in one window; `matcher` picks the cluster in a source that several share."""

    client: PrometheusClient
    matcher: str
    window: Window

    def usage(self, groups: Sequence[Sequence[str]]) -> Iterator[NamespaceUsage]:
        """Yield the usage of each group in order; the next group is asked for while this one is worked on."""
        if not self.window.steps:
            raise ValueError("The window has no step.")
        shape = self._shape()
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="prometheus") as pool:
            ahead: deque[Asked] = deque()
            try:
                for group in groups:
                    ahead.append(self._ask(pool, tuple(group), shape))
                    if len(ahead) == IN_FLIGHT:
                        yield self._usage(ahead.popleft())
                while ahead:
                    yield self._usage(ahead.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _shape(self) -> Shape:
        """Return how far back a sample looks (the step, or four scrapes where the step is shorter than 2.5 of them), and the namespaces' sizes."""
        step, end = self.window.step_seconds, self.window.end
        found, _ = self.client.instant(f"quantile(0.5, count_over_time({queries.any_container(self.matcher)}[{PROBE_SECONDS}s]))", end)
        scrapes = float(found[0]["value"][1]) if found else 0.0
        scrape_seconds = round(PROBE_SECONDS / scrapes) if scrapes >= 2 else 0
        range_seconds = step if step >= 2.5 * scrape_seconds else 4 * scrape_seconds
        if self.window.steps <= FEW_STEPS:
            return Shape(range_seconds, {})
        counts, _ = self.client.instant(f"count by (namespace) ({queries.any_container(self.matcher)})", end)
        return Shape(range_seconds, {one["metric"].get("namespace", ""): int(float(one["value"][1])) for one in counts})

    def _ask(self, pool: ThreadPoolExecutor, names: tuple[str, ...], shape: Shape) -> Asked:
        window, range_seconds = self.window, shape.range_seconds
        grid, coarse = Grid(window.start + window.step_seconds, window.step_seconds, window.steps), coarse_grid(window)
        happenings = Happenings(self.client, names, window, self.matcher)
        warnings: list[str] = []
        if range_seconds > window.step_seconds:
            warnings.append(
                f"Scrapes are so far apart that samples look back {range_seconds} s, more than the step of {window.step_seconds} s."
            )

        def over_time(function: str, metric: str, part: Grid) -> Future[Answers]:
            seconds = max(part.step, range_seconds)
            query = f"{function}({queries.usage(metric, names, self.matcher)}[{seconds}s])"
            return pool.submit(self._range, query, part, adds=function == "rate")

        cpu, memory = [], []
        for part in pieces_of(grid, sum(shape.series.get(name, 0) for name in names)):
            cpu.append(over_time("rate", queries.CPU, part))
            memory.append(over_time("max_over_time", queries.MEMORY, part))
        return Asked(
            names, cpu, memory, over_time("rate", queries.PERIODS, coarse), over_time("rate", queries.THROTTLED, coarse),
            pool.submit(happenings.owners, warnings), pool.submit(happenings.events, warnings), warnings,
        )  # fmt: skip

    def _range(self, query: str, grid: Grid, *, adds: bool) -> Answers:
        answers = Answers()
        ask_range(self.client, query, grid, adds=adds, into=answers)
        return answers

    def _usage(self, asked: Asked) -> NamespaceUsage:
        window = self.window
        told: list[str] = []
        negative = duplicates = 0

        def block(futures: Sequence[Future[Answers]], clean: Callable[[UsageBlock], UsageBlock]) -> UsageBlock:
            nonlocal negative, duplicates
            answers = [future.result() for future in futures]
            for answer in answers:
                told.extend(answer.warnings)
                duplicates += answer.duplicates
            found = block_of([part for a in answers for part in a.parts], [width for a in answers for width in a.widths])
            negative += below_zero(found)
            return clean(found)

        cpu, memory = block(asked.cpu, not_negative), block(asked.memory, positive)
        periods, throttled = block([asked.periods], not_negative), block([asked.throttled], not_negative)
        share = share_of(throttled, periods, coarse_grid(window).step // window.step_seconds, window.steps)
        owners, events = asked.owners.result(), asked.events.result()
        warnings = tuple(dict.fromkeys([*told, *asked.warnings]))
        return NamespaceUsage(asked.namespaces, window, cpu, memory, share, events, owners, warnings, negative, duplicates)
