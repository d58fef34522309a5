"""Usage of groups of namespaces: what is asked, in which parts, two queries at a time, and what is made of the answers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.happenings import Happenings, Told, coarse_grid
from upid.adapters.prometheus.matrix import Grid
from upid.adapters.prometheus.ranges import Answers, ask_range, pieces_of
from upid.adapters.prometheus.series import below_zero, block_of, not_negative, positive, rows_of_parts, share_of
from upid.adapters.prometheus.shapes import Shape, shape_of, skew_of
from upid.domain.errors import UnavailableError
from upid.ports.metrics_source import ContainerEvents, FamilyUsage, Metered, NamespaceUsage, PodContainer, UsageBlock, Window

IN_FLIGHT: Final = 2


@dataclass(slots=True)
class Asked:
    """What is under way for one group of namespaces."""

    namespaces: tuple[str, ...]
    cpu: list[Future[Answers[PodContainer]]]
    memory: list[Future[Answers[PodContainer]]]
    periods: Future[Answers[PodContainer]]
    throttled: Future[Answers[PodContainer]]
    resident: list[Future[Answers[PodContainer]]]
    told: Future[Told]
    events: Future[ContainerEvents]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads usage in one window; `matcher` picks the cluster in a source that several share. resident: whether resident sets are asked for too."""

    client: PrometheusClient
    matcher: str
    window: Window
    resident: bool = False

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

        cpu, memory, series = [], [], sum(shape.series.get(name, 0) for name in names)
        for part in pieces_of(grid, series):
            cpu.append(over_time("rate", queries.CPU, part))
            memory.append(over_time("max_over_time", queries.MEMORY, part))
        periods, throttled = over_time("rate", queries.PERIODS, coarse), over_time("rate", queries.THROTTLED, coarse)
        # Prometheus reads every sample of it all the same, but an answer in hours costs neither side what one in steps does.
        resident = [over_time("max_over_time", queries.RESIDENT, part) for part in pieces_of(coarse, series)] if self.resident else []
        return Asked(
            names, cpu, memory, periods, throttled, resident, pool.submit(happenings.told, warnings), pool.submit(happenings.events, warnings), warnings,
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
        resident = _resident(asked.resident, told)
        skewed = skew_of(self.client)
        faults.update(clock_skew=len(skewed))
        warnings = tuple(dict.fromkeys([*told, *asked.warnings, *skewed]))
        return NamespaceUsage(
            asked.namespaces, window, cpu, memory, share, events, pods.owners, warnings, +faults, pods.places, resident,
            coarse_grid(window).step if resident else 0,
        )  # fmt: skip


def _resident(futures: Sequence[Future[Answers[PodContainer]]], told: list[str]) -> FamilyUsage | None:
    """Return resident sets, None where they were not asked for or could not be read: then `told` says so, and memory is sized by the working set."""
    if not futures:
        return None
    try:
        answers = [future.result() for future in futures]
    except UnavailableError as error:
        told.append(f"Resident memory could not be read, so page cache counts as need: {error.detail}")
        return None
    told.extend(text for answer in answers for text in answer.warnings)
    keys, values = rows_of_parts([part for a in answers for part in a.parts], [width for a in answers for width in a.widths])
    values[~(values > 0)] = np.nan
    return FamilyUsage("memory_detail", [Metered(*key) for key in keys], {"memory_rss_bytes": values})
