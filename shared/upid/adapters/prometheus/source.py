"""The metrics source over a Prometheus HTTP API."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.access import endpoint_of
from upid.adapters.prometheus.client import PrometheusClient, RefusedError
from upid.adapters.prometheus.happenings import Happenings, coarse_grid
from upid.adapters.prometheus.matrix import Grid
from upid.adapters.prometheus.ranges import Answers, ask_range, pieces_of
from upid.adapters.prometheus.series import block_of, not_negative, positive, share_of
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import UnavailableError
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodOwner, UsageBlock, Window

IN_FLIGHT: Final = 2
FEW_STEPS: Final = 100  # so few steps need no chunks, whatever the number of series
PROBE_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class PrometheusSources:
    """Opens Prometheus APIs."""

    def open(self, access: MetricsAccess) -> PrometheusSource:
        """Return a client; InvalidRequestError for a URL, header or label that can't be used."""
        endpoint = endpoint_of(access)
        return PrometheusSource(PrometheusClient(endpoint), endpoint.matcher)


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
class PrometheusSource:
    """One Prometheus API; `matcher` picks the cluster in a source that several share."""

    client: PrometheusClient
    matcher: str

    def check(self) -> None:
        """Hold that this is a Prometheus API with container metrics; UnavailableError or UnauthenticatedError that tells which of it is not so."""
        base = self.client.endpoint.base
        try:
            document = self.client.document("/api/v1/label/__name__/values", {"match[]": queries.any_container(self.matcher)})
        except RefusedError as error:
            raise UnavailableError(f"{base} refuses to be asked for its metrics: {error.detail}") from error
        if not document.get("data"):
            where = f" with {self.matcher}" if self.matcher else ""
            raise UnavailableError(f"{base} has no metric {queries.MEMORY}{where}: is cAdvisor of the kubelets scraped?")

    def usage(self, groups: Sequence[Sequence[str]], window: Window) -> Iterator[NamespaceUsage]:
        """Yield the usage of each group in order; the next group is asked for while this one is worked on. UnavailableError as the port says."""
        if not window.steps:
            raise ValueError("The window has no step.")
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="prometheus") as pool:
            ahead: deque[Asked] = deque()
            try:
                range_seconds = self._range_seconds(window)
                for group in groups:
                    ahead.append(self._ask(pool, tuple(group), window, range_seconds))
                    if len(ahead) == IN_FLIGHT:
                        yield self._usage(ahead.popleft(), window)
                while ahead:
                    yield self._usage(ahead.popleft(), window)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _range_seconds(self, window: Window) -> int:
        """Return how far back a sample looks: the step, or four scrapes where the step is shorter than two of them."""
        query = f"quantile(0.5, count_over_time({queries.any_container(self.matcher)}[{PROBE_SECONDS}s]))"
        result, _ = self.client.instant(query, window.end)
        scrapes = float(result[0]["value"][1]) if result else 0.0
        scrape_seconds = round(PROBE_SECONDS / scrapes) if scrapes >= 2 else 0
        return window.step_seconds if window.step_seconds >= 2.5 * scrape_seconds else 4 * scrape_seconds

    def _ask(self, pool: ThreadPoolExecutor, names: tuple[str, ...], window: Window, range_seconds: int) -> Asked:
        grid = Grid(window.start + window.step_seconds, window.step_seconds, window.steps)
        series = self._series_count(names, window) if window.steps > FEW_STEPS else 0
        warnings: list[str] = []
        if range_seconds > window.step_seconds:
            warnings.append(
                f"Scrapes are so far apart that samples look back {range_seconds} s, more than the step of {window.step_seconds} s."
            )
        coarse = coarse_grid(window)
        back = max(coarse.step, range_seconds)
        happenings = Happenings(self.client, names, window, self.matcher)

        def over_time(function: str, metric: str, part: Grid, seconds: int) -> Future[Answers]:
            query = f"{function}({queries.usage(metric, names, self.matcher)}[{seconds}s])"
            return pool.submit(self._range, query, part, adds=function == "rate")

        cpu, memory = [], []
        for part in pieces_of(grid, series):
            cpu.append(over_time("rate", queries.CPU, part, range_seconds))
            memory.append(over_time("max_over_time", queries.MEMORY, part, range_seconds))
        return Asked(
            names, cpu, memory, over_time("rate", queries.PERIODS, coarse, back), over_time("rate", queries.THROTTLED, coarse, back),
            pool.submit(happenings.owners, warnings), pool.submit(happenings.events, warnings), warnings,
        )  # fmt: skip

    def _range(self, query: str, grid: Grid, *, adds: bool) -> Answers:
        answers = Answers()
        ask_range(self.client, query, grid, adds=adds, into=answers)
        return answers

    def _series_count(self, names: tuple[str, ...], window: Window) -> int:
        query = f"count({queries.usage(queries.MEMORY, names, self.matcher)})"
        result, _ = self.client.instant(query, window.end)
        return int(float(result[0]["value"][1])) if result else 0

    def _usage(self, asked: Asked, window: Window) -> NamespaceUsage:
        told: list[str] = []

        def block(futures: Sequence[Future[Answers]], clean: Callable[[UsageBlock], UsageBlock]) -> UsageBlock:
            answers = [future.result() for future in futures]
            for answer in answers:
                told.extend(answer.warnings)
            return clean(block_of([part for a in answers for part in a.parts], [width for a in answers for width in a.widths]))

        cpu, memory = block(asked.cpu, not_negative), block(asked.memory, positive)
        periods, throttled = block([asked.periods], not_negative), block([asked.throttled], not_negative)
        share = share_of(throttled, periods, coarse_grid(window).step // window.step_seconds, window.steps)
        owners, events = asked.owners.result(), asked.events.result()
        warnings = tuple(dict.fromkeys([*told, *asked.warnings]))
        return NamespaceUsage(asked.namespaces, window, cpu, memory, share, events, owners, warnings)
