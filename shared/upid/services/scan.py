"""A scan: a cluster and its metrics, read once, to recommendations; nothing is stored. One group of namespaces is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import AppError, RefusedError, UnavailableError
from upid.domain.inventory import Inventory
from upid.domain.times import format_time
from upid.domain.work import WorkError
from upid.ports.clock import Clock
from upid.ports.kubernetes import Kubernetes, KubernetesClients
from upid.ports.metrics_source import MetricsSource, MetricsSources, NamespaceUsage, Window
from upid.ports.prices import Prices

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from upid.engine.rightsizing.options import Options
    from upid.engine.usage.samples import Samples
    from upid.services.sizing import ContainerRow
    from upid.services.volumes import ClaimUse

SAMPLES_PER_GROUP: Final = 500_000  # series times steps of one metric
MANY_ROWS: Final = 2000
PATIENCE: Final = 3  # groups in a row that may fail before the rest is not asked for

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan: namespaces (all without) and workloads by label, over `history_seconds` before `at` [s since the epoch], in steps.

    trail_points: points of usage over time to keep of each container, to be drawn; 0 = none.
    """

    cluster: ClusterAccess
    metrics: MetricsAccess
    options: Options
    namespaces: tuple[str, ...] = ()
    selector: str = ""
    history_seconds: int = 7 * 86400
    step_seconds: int = 300
    at: float | None = None
    trail_points: int = 0


class ContainerKey(NamedTuple):
    """Which container of which workload, of one cluster."""

    namespace: str
    kind: str
    name: str
    uid: str
    container: str


class Trail(NamedTuple):
    """A container's usage over time, to be drawn: bins of `bin_seconds` from `start` on, as `upid.engine.usage.trails` has them."""

    start: int
    bin_seconds: int
    cpu_mean: NDArray[np.float32]
    cpu_peak: NDArray[np.float32]
    memory_mean: NDArray[np.float32]
    memory_peak: NDArray[np.float32]


Trails = Mapping[tuple[str, ContainerKey], Trail]  # by the cluster's name and the container


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The document of a scan. `errors`: what could not be read, also in the document's summary; `warnings`: what was incomplete.

    trails: usage over time where a request asked for points of it, else empty.
    """

    document: dict[str, Any]
    errors: tuple[WorkError, ...]
    warnings: tuple[str, ...]
    trails: Trails = field(default_factory=dict)


@dataclass(slots=True)
class _Run:
    """What a scan gathers on its way."""

    options: Options
    prices: Prices
    inventory: Inventory
    window: Window
    trail_points: int = 0
    trails: dict[ContainerKey, Trail] = field(default_factory=dict)
    summaries: list[dict[str, Any]] = field(default_factory=list)
    rules: list[list[dict[str, Any]]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    errors: list[WorkError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def size(self, namespaces: Sequence[str], usage: NamespaceUsage | None, rows: Sequence[ContainerRow], storage: ClaimUse | None) -> bool:
        """Take in the entries of a group of namespaces and return whether there was any usage of theirs; without usage they are withheld."""
        from upid.engine.rightsizing.folds import folded_with_tests  # noqa: PLC0415 as above
        from upid.engine.usage.evidence import exact_evidence  # noqa: PLC0415 numerics load while the cluster is being read
        from upid.engine.usage.resident_bins import bins_of  # noqa: PLC0415 as above
        from upid.services import assessing, entries, features, sizing, summaries  # noqa: PLC0415 as above
        from upid.services.resident import asked_resident  # noqa: PLC0415 as above
        from upid.services.rules import active, ruling, rulings  # noqa: PLC0415 as above
        from upid.services.short_lived import samples_of_usage  # noqa: PLC0415 as above

        names = set(namespaces)
        mine = [row for row in rows if row.namespace in names]
        part = _part(self.inventory, namespaces)
        samples = samples_of_usage(usage, part, mine) if usage else sizing.samples_of([], mine)
        if self.trail_points:
            self._draw(mine, samples)
        profile, folds = folded_with_tests(samples, bins_of(samples, asked_resident(usage, part, mine)) if usage else None)
        window = sizing.UsageWindow(self.window.start, self.window.end, self.window.step_seconds)
        loaded = assessing.Loaded(self.inventory, mine, profile, exact_evidence(samples), window, folds, storage)
        table = assessing.assess_loaded(loaded, self.options, self.prices)
        if mine:
            table = ruling.ruled(features.shard_features(0, loaded, table, self.prices), active.built_in_rules(), self.options)
        self.entries += entries.entries(table)
        self.summaries.append(summaries.summary(table))
        self.rules.append(rulings.counted(table.rulings))
        return bool(len(samples.row))

    def _draw(self, rows: Sequence[ContainerRow], samples: Samples) -> None:
        from upid.engine.usage.trails import trails_of  # noqa: PLC0415 numerics load while the cluster is being read

        found = trails_of(samples, self.trail_points)
        for row, *figures in zip(rows, found.cpu_mean, found.cpu_peak, found.memory_mean, found.memory_peak, strict=True):
            key = ContainerKey(row.namespace, row.kind, row.name, row.uid, row.container)
            self.trails[key] = Trail(found.start, found.bin_seconds, *figures)


@dataclass(frozen=True, slots=True)
class ScanService:
    """Scans clusters."""

    kubernetes: KubernetesClients
    metrics_sources: MetricsSources
    prices: Prices
    clock: Clock

    def scan(self, request: ScanRequest, progress: Progress = lambda *_: None) -> ScanResult:
        """Return the recommendations for every container of every workload that the API lists.

        The same cluster, metrics and `at` give the same document. Where a part could not be read, its entries are withheld and it is named in `errors`.

        Raises
        ------
        NotFoundError
            If a namespace does not exist.
        UnavailableError, UnauthenticatedError, ForbiddenError
            If the cluster or the metrics could not be read at all.
        """
        window = window_of(request, self.clock.now() if request.at is None else request.at)
        server = self.kubernetes.open(request.cluster)
        source = self.metrics_sources.open(replace(request.metrics, cluster=request.cluster))
        progress("Reading the cluster", 0, 1)
        inventory = _read(server, source, request)
        run = _Run(request.options, self.prices, inventory, window, request.trail_points)
        run.errors += [WorkError("unreadable", part.reason, part.what) for part in inventory.unreadable]
        self._collect(run, source, progress)
        return _result(run, server.context)

    def _collect(self, run: _Run, source: MetricsSource, progress: Progress) -> None:
        from upid.services.collection_plans import groups_of  # noqa: PLC0415 numerics load while the cluster is being read
        from upid.services.sizing import rows_of  # noqa: PLC0415 as above
        from upid.services.volumes import asked_storage  # noqa: PLC0415 as above

        groups = groups_of(run.inventory, max(1, SAMPLES_PER_GROUP // run.window.steps))
        rows, done, seen = rows_of(run.inventory), 0, False
        if len(rows) > MANY_ROWS:  # a page with so many plots is large enough with coarser ones
            run.trail_points = -(-run.trail_points // 3)
        for names, usage in _usages(source, groups, run):
            run.warnings += usage.warnings if usage else ()
            storage, warnings = asked_storage(source, usage, run.window, names, run.inventory)
            run.warnings += warnings
            has_usage = run.size(names, usage, rows, storage)
            seen = seen or not usage or has_usage
            done += len(names)
            progress("Reading usage", done, sum(map(len, groups)))
        if not seen:
            run.warnings.append(
                "The metrics have no usage of these workloads in this window." if rows else "There is no workload that matches."
            )


def window_of(request: ScanRequest, now: float) -> Window:
    """Return the window of a scan: it ends at `now`, rounded down to the step, and has at least one step."""
    step = request.step_seconds
    end = int(now // step) * step
    return Window(end - max(1, request.history_seconds // step) * step, end, step)


def _read(server: Kubernetes, source: MetricsSource, request: ScanRequest) -> Inventory:
    """Return the inventory, while the metrics source is checked beside it."""
    with ThreadPoolExecutor(1, thread_name_prefix="check") as pool:
        checked = pool.submit(_check, source)
        inventory = server.inventory(namespaces=request.namespaces, selector=request.selector)
        checked.result()
    return inventory


def _check(source: MetricsSource) -> None:
    source.check()
    # Numerics load while the cluster is being read: nobody waits for them then.
    for name in ("short_lived", "entries", "rules.ruling"):
        import_module(f"upid.services.{name}")


def _usages(source: MetricsSource, groups: Sequence[Sequence[str]], run: _Run) -> Iterator[tuple[Sequence[str], NamespaceUsage | None]]:
    """Yield each group with its usage, None where it could not be read: then its namespaces are asked for one by one, and what fails is an error.

    A source that fails again and again is not asked any more; one that refuses is asked for the rest. The first error is raised where nothing could be read at all.
    """
    waiting, failures, read, first = [tuple(group) for group in groups], 0, 0, None
    while waiting:
        try:
            if failures >= PATIENCE:
                raise UnavailableError("It was not asked for, since what was asked for before it failed.")
            for usage in source.usage(list(waiting), run.window, resident=True):
                names, failures, read = waiting.pop(0), 0, read + 1
                yield names, usage
        except AppError as error:
            first = first or error
            failures = _failures(failures, error)
            names = waiting.pop(0)
            if len(names) > 1 and failures < PATIENCE:
                waiting[:0] = [(name,) for name in names]
                continue
            run.errors += [WorkError("usage_unreadable", error.detail, f"namespace {name}") for name in names]
            yield names, None
    if first and not read:
        raise first


def _failures(before: int, error: AppError) -> int:
    """Return how many failures in a row that makes: a refusal is the query's own fault, refused credentials end everything."""
    if isinstance(error, RefusedError):
        return before
    return before + 1 if isinstance(error, UnavailableError) else PATIENCE


def _part(inventory: Inventory, namespaces: Sequence[str]) -> Inventory:
    """Return the inventory of these namespaces."""
    names = set(namespaces)
    return replace(
        inventory,
        workloads=tuple(thing for thing in inventory.workloads if thing.namespace in names),
        pods=tuple(thing for thing in inventory.pods if thing.namespace in names),
        replica_sets=tuple(link for link in inventory.replica_sets if link[0] in names),
        jobs=tuple(link for link in inventory.jobs if link[0] in names),
    )


def _result(run: _Run, context: str) -> ScanResult:
    from upid.services.rules.rulings import add_up  # noqa: PLC0415 as above
    from upid.services.summaries import merge_summaries  # noqa: PLC0415 numerics load while the cluster is being read

    run.entries.sort(key=lambda e: (e["namespace"], e["kind"], e["name"], e["uid"]))
    warnings = tuple(dict.fromkeys(run.warnings))
    errors = [{"code": e.code, "detail": e.detail, "subject": e.subject} for e in run.errors]
    window = run.window
    document = {
        "cluster": context,
        "generated_at": format_time(window.end),
        "window": {"start": format_time(window.start), "end": format_time(window.end), "step_seconds": window.step_seconds},
        "summary": merge_summaries(run.summaries) | {"rules": add_up(run.rules), "errors": errors, "warnings": list(warnings)},
        "recommendations": run.entries,
    }
    return ScanResult(document, tuple(run.errors), warnings, {(context, key): trail for key, trail in run.trails.items()})
