"""Where usage is measured: a Prometheus HTTP API and what speaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from upid.domain.clusters import MetricsAccess

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PodContainer(NamedTuple):
    """Whose usage a series is, as cAdvisor labels it."""

    namespace: str
    pod: str
    container: str


class PodOwner(NamedTuple):
    """One link of an owner chain, as kube-state-metrics tells it (`kube_pod_owner`, `kube_replicaset_owner`, `kube_job_owner`)."""

    namespace: str
    kind: str
    name: str
    owner_kind: str
    owner_name: str


class PodPlace(NamedTuple):
    """A pod that was on a node in a window, or shortly before, as kube-state-metrics tells it (`kube_pod_info`)."""

    namespace: str
    pod: str
    uid: str
    node: str


@dataclass(frozen=True, slots=True)
class Window:
    """A regular grid of steps: [start, end) in seconds since the epoch, both multiples of `step_seconds`."""

    start: int
    end: int
    step_seconds: int

    @property
    def steps(self) -> int:
        """How many steps the window has."""
        return (self.end - self.start) // self.step_seconds


class Place(NamedTuple):
    """Where a series lies: on which lane, over the steps [first, end)."""

    lane: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class UsageBlock:
    """Samples of one metric family. Series are unique, in order; NaN = no sample.

    values: shape (series, steps of the window), or, where `places` tell the lane and the steps of each series, shape (lanes, steps): very many short
    series take the room of a few long ones.
    """

    keys: Sequence[PodContainer]
    values: NDArray[np.float32]
    places: Sequence[Place] | None = None

    def stretch(self, index: int) -> tuple[int, NDArray[np.float32]]:
        """Return the step that the samples of a series begin with, and the samples; there is none outside of them."""
        if self.places is None:
            return 0, self.values[index]
        lane, first, end = self.places[index]
        return first, self.values[lane, first:end]


@dataclass(frozen=True, slots=True)
class ContainerEvents:
    """What happened to containers in a window, each by key: OOM kills, restarts (counts) and the memory limit at the kill [bytes]."""

    oom_kills: dict[PodContainer, int]
    restarts: dict[PodContainer, int]
    oom_limit_bytes: dict[PodContainer, float]


@dataclass(frozen=True, slots=True)
class NamespaceUsage:
    """All that is known of some namespaces in a window. Blocks are each of their own keys; `warnings`: what was incomplete, in words.

    faults: what was wrong with its samples, by reason (`upid.engine.usage.quality`). places: where pods were, those gone by now too; none from a source
    that does not tell. resident: resident sets (`memory_rss_bytes`), the largest within
    steps of `resident_step_seconds` over the same window; None = not asked for, or not told.
    """

    namespaces: tuple[str, ...]
    window: Window
    cpu_cores: UsageBlock
    memory_bytes: UsageBlock
    throttled: UsageBlock
    events: ContainerEvents
    owners: Sequence[PodOwner]
    warnings: tuple[str, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
    places: Sequence[PodPlace] = ()
    resident: FamilyUsage | None = None
    resident_step_seconds: int = 0


class Metered(NamedTuple):
    """Whose a series of a family is; "" = not of one: a pod's has no container, a claim's (`volume`: its name) neither pod nor container."""

    namespace: str
    pod: str = ""
    container: str = ""
    volume: str = ""


@dataclass(frozen=True, slots=True)
class FamilyUsage:
    """One family (`upid.domain.metrics`) of some namespaces in a window.

    samples: by metric, each of shape (keys, steps of the window), NaN = no sample; a metric that nothing has is left out, and a family that the source does
    not have has no keys. refused: why the source will not answer this family, "" = it did. faults, warnings: as for NamespaceUsage.
    """

    family: str
    keys: Sequence[Metered]
    samples: Mapping[str, NDArray[np.float32]]
    warnings: tuple[str, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a query gave in a window: `values` of shape (steps,), NaN = no sample; problem: why it has none, or not all, "" = nothing is wrong."""

    values: NDArray[np.float32]
    problem: str = ""
    faults: Mapping[str, int] = field(default_factory=dict)


class MetricsSource(Protocol):
    """One source, with the credentials that it was opened with."""

    def check(self) -> None:
        """Hold that this is a Prometheus API with container metrics; UnavailableError or UnauthenticatedError that tells which of it is not so."""
        ...

    def usage(self, groups: Sequence[Sequence[str]], window: Window, *, resident: bool = False) -> Iterator[NamespaceUsage]:
        """Yield the usage of each group of namespaces, in order; at most two queries per family, group and time chunk, reading ahead by one.

        A CPU sample is the mean rate over its step, a memory sample the largest working set within it. Series of the same container that differ by
        scrape target or replica of Prometheus count once; runs of a restarted container add up. Counter resets never show as negative or huge rates.
        UnavailableError where the source fails after retries, RefusedError where it will not answer this however often it is asked. Where `resident`
        sets are asked for too, in steps of about an hour, a failure of that alone is a warning.
        """
        ...

    def families(self, namespaces: Sequence[str], families: Sequence[str], window: Window) -> Iterator[FamilyUsage]:
        """Yield each of these families of the namespaces, in order; at most two queries per family and time chunk, reading ahead by one.

        A rate is the mean over its step, a level the largest within it, a heap's the mean. A family that is refused says so and leaves the others;
        UnavailableError where the source fails after retries.
        """
        ...

    def evaluate(self, queries: Sequence[str], window: Window) -> Iterator[Evaluated]:
        """Yield what each PromQL query gives at the end of each step, in order. A query that fails, gives several series or NaN says so as its problem."""
        ...

    def resets(self, namespaces: Sequence[str], window: Window) -> int:
        """Return how often counters of CPU of the namespaces began again within the window: rates are right all the same. One query. Errors as `usage`."""
        ...


class MetricsSources(Protocol):
    """Opens metrics sources."""

    def open(self, access: MetricsAccess) -> MetricsSource:
        """Return a client; InvalidRequestError for a URL or header that can't be used."""
        ...
