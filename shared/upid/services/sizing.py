"""From an inventory and usage to a table of recommendations: the one way for scan, analysis and simulation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from upid.domain.inventory import Autoscaler, ContainerRole, Inventory, Node, Resources
from upid.ports.prices import Prices
from upid.ports.usage_history import UsageChunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from upid.engine.rightsizing.options import Options
    from upid.engine.usage.evidence import Evidence
    from upid.engine.usage.profile import UsageProfile
    from upid.engine.usage.samples import Samples


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """One container of one workload: a row of every array. Identity is (namespace, kind, name, uid, container)."""

    namespace: str
    kind: str
    name: str
    uid: str
    container: str
    role: ContainerRole = "main"
    replicas: int = 1
    resources: Resources = field(default_factory=Resources)
    heap_bytes: float | None = None
    autoscaler: Autoscaler | None = None
    node_names: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What samples and profiles know the row by: the workload's uid and the container's name."""
        return (self.uid, self.container)


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """The window that evidence is of: [start, end) in seconds since the epoch, on a grid of steps."""

    start: int
    end: int
    step_seconds: int


@dataclass(frozen=True, slots=True)
class Table:
    """Recommendations of many rows: their metadata, and columns of shape (rows,) as `upid.engine.rightsizing.columns` names them."""

    rows: Sequence[ContainerRow]
    columns: Mapping[str, NDArray[np.generic]]
    window: UsageWindow
    source: str


def rows_of(inventory: Inventory) -> list[ContainerRow]:
    """Return one row for every container of every workload, none dropped, sorted by (namespace, kind, name, uid, container's position)."""
    raise NotImplementedError


def workload_index(rows: Sequence[ContainerRow]) -> NDArray[np.int64]:
    """Return the index of each row's workload, in order of first appearance, shape (rows,)."""
    raise NotImplementedError


def samples_of(chunks: Iterable[UsageChunk], rows: Sequence[ContainerRow]) -> Samples:
    """Return the chunks' samples on one grid, with the row of each series; series of workloads or containers that are no row are left out.

    Chunks may follow each other in time, or hold different series of the same time. Without chunks the grid is empty.

    Raises
    ------
    ValueError
        If the chunks' steps differ or their grids do not line up.
    """
    raise NotImplementedError


def align_profile(profile: UsageProfile, keys: Sequence[tuple[str, str]], rows: Sequence[ContainerRow]) -> UsageProfile:
    """Return the profile, whose rows are known as `keys` (workload uid, container), in the order of `rows`; rows it does not know are empty."""
    raise NotImplementedError


def assess_rows(
    rows: Sequence[ContainerRow],
    profile: UsageProfile,
    evidence: Evidence,
    *,
    prices: Prices,
    nodes: Sequence[Node],
    options: Options,
    window: UsageWindow,
) -> Table:
    """Return the table of recommendations of these rows; the arrays' rows are in the same order."""
    raise NotImplementedError


def pack_table(table: Table) -> bytes:
    """Return a table as bytes; the same table gives the same bytes."""
    raise NotImplementedError


def unpack_table(data: bytes | memoryview) -> Table:
    """Return the table that `pack_table` was given; ValueError for anything else."""
    raise NotImplementedError


def row_as_dict(row: ContainerRow) -> dict[str, Any]:
    """Return a row's metadata as JSON."""
    raise NotImplementedError
