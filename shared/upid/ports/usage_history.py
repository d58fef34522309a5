"""Usage as it was measured: samples per pod and container on a regular grid of steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SeriesKey(NamedTuple):
    """Whose samples a series holds; "" = not of one. A pod's series has no container, a volume's has neither, a workload's has its uid alone.

    volume: the name of a PersistentVolumeClaim in the workload's namespace.
    """

    workload_uid: str
    container: str
    pod: str
    volume: str = ""


class HistoryScope(NamedTuple):
    """One shard of one cluster of one tenant: the unit that is written and read together. A shard holds whole workloads."""

    tenant: str
    cluster_id: str
    shard: int


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """Samples of many series on one grid.

    Step `i` covers [start + i * step, start + (i + 1) * step) in seconds since the epoch. Arrays have shape (series, steps), float32; NaN = no sample.
    cpu_cores: mean rate over the step. memory_bytes: largest working set within it. throttled: share of CFS periods throttled in it (0-1).
    Events of a series within the chunk, shape (series,): oom_kills, restarts (counts; 0 = none), oom_limit_bytes (memory limit at the kill, NaN = none).
    """

    keys: Sequence[SeriesKey]
    start: int
    step_seconds: int
    cpu_cores: NDArray[np.float32]
    memory_bytes: NDArray[np.float32]
    throttled: NDArray[np.float32]
    oom_kills: NDArray[np.int32]
    restarts: NDArray[np.int32]
    oom_limit_bytes: NDArray[np.float64]

    @property
    def end(self) -> int:
        """The moment behind the last step, in seconds since the epoch."""
        return self.start + self.step_seconds * int(self.cpu_cores.shape[1])


class HistoryState(NamedTuple):
    """How a store of usage stands, and why."""

    state: Literal["healthy", "degraded", "unhealthy"]
    detail: str


@dataclass(frozen=True, slots=True)
class MetricChunk:
    """Samples of one family beside CPU and memory (`upid.domain.metrics`), on a grid as that of UsageChunk.

    keys: unique, in an order of their own: a family's series are of containers, pods, volumes or workloads.
    samples: the family's metrics by name, each of shape (series, steps), float32; NaN = no sample. A metric that no series has may be left out.
    """

    family: str
    keys: Sequence[SeriesKey]
    start: int
    end: int
    step_seconds: int
    samples: Mapping[str, NDArray[np.float32]]

    @property
    def steps(self) -> int:
        """How many steps the chunk has."""
        return (self.end - self.start) // self.step_seconds


class UsageHistory(Protocol):
    """Chunks of one scope and family never overlap: a window that is there is not written again. CPU and memory (UsageChunk) are a family by themselves."""

    def append(self, scope: HistoryScope, chunk: UsageChunk | MetricChunk) -> bool:
        """Write a chunk; one with the same start and end is left as it is. Returns whether it was written."""
        ...

    def fill(self, scope: HistoryScope, chunk: MetricChunk) -> None:
        """Add samples that came late, to the windows that they fall into and as windows of their own where there are none.

        Where both have a sample the late one counts. Being killed in the middle loses nothing that was there, and twice is once. ValueError for another
        grid than the stored one's.
        """
        ...

    def read(self, scope: HistoryScope, *, start: float, end: float) -> Iterator[UsageChunk]:
        """Yield the chunks that overlap [start, end), oldest first, whole."""
        ...

    def read_family(self, scope: HistoryScope, family: str, *, start: float, end: float) -> Iterator[MetricChunk]:
        """Yield the chunks of one family that overlap [start, end), oldest first, whole; none for a family that was never collected."""
        ...

    def compact(self, scope: HistoryScope, *, before: float) -> int:
        """Join the chunks of each UTC day that ended at or before `before` [s since the epoch] into one, family by family.

        Returns how many joined chunks were made. Readers see every sample once at any moment, in chunks of either kind; one that reads while this is
        done comes to its end. Doing it twice, or being killed in the middle, changes nothing else. A day with a chunk that cannot be read is left as
        it is.
        """
        ...

    def delete_cluster(self, tenant: str, cluster_id: str) -> str:
        """Remove everything of a cluster and return what stays of it and until when, "" = nothing: not every store deletes less than a whole tenant."""
        ...

    def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant."""
        ...

    def expire(self, tenant: str, *, days: int, now: float) -> None:
        """Remove what ended more than `days` before `now` [s since the epoch]; a store that does so by itself is told to, and may take an hour."""
        ...

    def state(self, tenant: str, cluster_id: str) -> HistoryState:
        """Return how the history of a cluster stands; a store that does not answer is no error here."""
        ...
