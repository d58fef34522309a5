"""Usage of groups of namespaces: what is asked, in which parts, two queries at a time, and what is made of the answers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.happenings import Happenings, Told, coarse_grid
from upid.adapters.prometheus.matrix import Grid
from upid.adapters.prometheus.ranges import Answers, ask_range, pieces_of
from upid.adapters.prometheus.series import below_zero, block_of, not_negative, positive, share_of
from upid.adapters.prometheus.shapes import Shape, shape_of, skew_of
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodContainer, UsageBlock, Window

IN_FLIGHT: Final = 2


@dataclass(slots=True)
class Asked:
    """What is under way for one group of namespaces."""

    namespaces: tuple[str, ...]
    cpu: list[Future[Answers[PodContainer]]]
    memory: list[Future[Answers[PodContainer]]]
    periods: Future[Answers[PodContainer]]
    throttled: Future[Answers[PodContainer]]
    told: Future[Told]
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
        shape = shape_of(self.client, self.matcher, self.window)
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

    def _ask(self, pool: ThreadPoolExecutor, names: tuple[str, ...], shape: Shape) -> Asked:
        window = self.window
        grid, coarse = Grid(window.start + window.step_seconds, window.step_seconds, window.steps), coarse_grid(window)
        happenings = Happenings(self.client, names, window, self.matcher)
        warnings: list[str] = []
        range_seconds = shape.range_seconds("rate", window.step_seconds)
        if range_seconds > window.step_seconds:
            warnings.append(
                f"Scrapes are so far apart that samples of CPU look back {range_seconds} s, more than the step of {window.step_seconds} s."
            )

        def over_time(function: str, metric: str, part: Grid) -> Future[Answers[PodContainer]]:
            query = f"{function}({queries.usage(metric, names, self.matcher)}[{shape.range_seconds(function, part.step)}s])"
            return pool.submit(self._range, query, part, adds=function == "rate")

        cpu, memory = [], []
        for part in pieces_of(grid, sum(shape.series.get(name, 0) for name in names)):
            cpu.append(over_time("rate", queries.CPU, part))
            memory.append(over_time("max_over_time", queries.MEMORY, part))
        return Asked(
            names, cpu, memory, over_time("rate", queries.PERIODS, coarse), over_time("rate", queries.THROTTLED, coarse),
            pool.submit(happenings.told, warnings), pool.submit(happenings.events, warnings), warnings,
        )  # fmt: skip

    def _range(self, query: str, grid: Grid, *, adds: bool) -> Answers[PodContainer]:
        answers: Answers[PodContainer] = Answers()
        ask_range(self.client, query, grid, adds=adds, into=answers)
        return answers

    def _usage(self, asked: Asked) -> NamespaceUsage:
        window = self.window
        told: list[str] = []
        faults: Counter[str] = Counter()

        def block(futures: Sequence[Future[Answers[PodContainer]]], clean: Callable[[UsageBlock], UsageBlock]) -> UsageBlock:
            answers = [future.result() for future in futures]
            for answer in answers:
                told.extend(answer.warnings)
                faults.update(answer.faults, duplicates=answer.duplicates)
            found = block_of([part for a in answers for part in a.parts], [width for a in answers for width in a.widths])
            faults.update(negative=below_zero(found))
            return clean(found)

        cpu, memory = block(asked.cpu, not_negative), block(asked.memory, positive)
        periods, throttled = block([asked.periods], not_negative), block([asked.throttled], not_negative)
        share = share_of(throttled, periods, coarse_grid(window).step // window.step_seconds, window.steps)
        pods, events = asked.told.result(), asked.events.result()
        skewed = skew_of(self.client)
        faults.update(clock_skew=len(skewed))
        warnings = tuple(dict.fromkeys([*told, *asked.warnings, *skewed]))
        return NamespaceUsage(asked.namespaces, window, cpu, memory, share, events, pods.owners, warnings, +faults, pods.places)
