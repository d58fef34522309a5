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

    from upid.engine.rightsizing.current import CurrentResources, PriceColumns
    from upid.engine.rightsizing.folds import Fold
    from upid.engine.rightsizing.options import Options
    from upid.engine.usage.evidence import Evidence
    from upid.engine.usage.profile import UsageProfile
    from upid.engine.usage.samples import Samples
    from upid.services.rules.rulings import Ruling


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
    shares_pod: bool = False

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
    """Recommendations of many rows: their metadata, and columns of shape (rows,) as `upid.engine.rightsizing.columns` names them.

    `volumes`: what the claims of each workload need, by its uid, as `upid.services.volumes` shows them. `rulings`: what each rule did.
    """

    rows: Sequence[ContainerRow]
    columns: Mapping[str, NDArray[Any]]
    window: UsageWindow
    source: str
    volumes: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rulings: Sequence[Ruling] = ()


def rows_of(inventory: Inventory) -> list[ContainerRow]:
    """Return one row for every container of every workload, none dropped, sorted by (namespace, kind, name, uid, container's position)."""
    return [
        ContainerRow(
            w.namespace, w.kind, w.name, w.uid, c.name, role=c.role, replicas=w.replicas, resources=c.resources, heap_bytes=c.heap_bytes,
            autoscaler=w.autoscaler, node_names=w.node_names, shares_pod=c.shares_pod,
        )
        for w in sorted(inventory.workloads, key=lambda w: (w.namespace, w.kind, w.name, w.uid))
        for c in w.containers
    ]  # fmt: skip


def workload_index(rows: Sequence[ContainerRow]) -> NDArray[np.int64]:
    """Return the index of each row's workload, in order of first appearance, shape (rows,)."""
    import numpy as np  # noqa: PLC0415 API groups import this module and must start without numpy

    index: dict[str, int] = {}
    return np.array([index.setdefault(row.uid, len(index)) for row in rows], dtype=np.int64)


def samples_of(chunks: Iterable[UsageChunk], rows: Sequence[ContainerRow]) -> Samples:
    """Return the chunks' samples on one grid, with the row of each series; series of workloads or containers that are no row are left out.

    Chunks may follow each other in time, or hold different series of the same time. Without chunks the grid is empty. Where two chunks have a sample
    of the same series and step, the later chunk's counts.

    Raises
    ------
    ValueError
        If the chunks' steps differ or their grids do not line up.
    """
    from upid.services.gathering import gather  # noqa: PLC0415 it needs numpy, and API groups import this module

    return gather(list(chunks), rows, workload_index(rows))


def align_profile(profile: UsageProfile, keys: Sequence[tuple[str, str]], rows: Sequence[ContainerRow]) -> UsageProfile:
    """Return the profile, whose rows are known as `keys` (workload uid, container), in the order of `rows`; rows it does not know are empty."""
    import numpy as np  # noqa: PLC0415 API groups import this module and must start without numpy

    from upid.engine.usage.profile import reindex  # noqa: PLC0415 for the same reason

    known = {tuple(key): i for i, key in enumerate(keys)}
    return reindex(profile, np.array([known.get(row.key, -1) for row in rows], dtype=np.int64), workload_index(rows))


def assess_rows(
    rows: Sequence[ContainerRow],
    profile: UsageProfile,
    evidence: Evidence,
    *,
    prices: Prices,
    nodes: Sequence[Node],
    options: Options,
    window: UsageWindow,
    folds: Sequence[Fold] = (),
) -> Table:
    """Return the table of recommendations of these rows; the arrays' rows are in the same order. ValueError where their number differs.

    `folds`: days to judge the rule on, where stored samples were read; without any, the profile's newest days are held out.
    """
    from upid.engine.rightsizing.assess import assess  # noqa: PLC0415 it needs numpy, and API groups import this module
    from upid.engine.rightsizing.consequences import scaling_savings  # noqa: PLC0415 for the same reason
    from upid.engine.rightsizing.replicas import scale  # noqa: PLC0415 for the same reason
    from upid.services.gathering import current_of, evidence_columns, prices_of, replicas_of  # noqa: PLC0415 for the same reason

    current: CurrentResources = current_of(rows, nodes)
    price: PriceColumns = prices_of(rows, nodes, prices)
    rates = {"cpu_usd_per_core_hour": price.cpu_usd_per_core_hour, "memory_usd_per_gib_hour": price.memory_usd_per_gib_hour}
    columns = dict(assess(profile, evidence, current, price, options, folds=folds).columns)
    workload = workload_index(rows)
    scaling = scale(profile, replicas_of(rows, workload, current), options) if len(rows) else {}
    columns |= {name: column[workload] for name, column in scaling.items()}
    if len(rows):
        columns["scaling_savings_usd_per_month"] = scaling_savings(columns, current, price, workload)
    told = evidence_columns(evidence) | {"evidence_effective_samples": columns["effective_samples"], "evidence_runs": columns["runs"]}
    return Table(rows, {**columns, **told, **rates}, window, evidence.source)


def pack_table(table: Table) -> bytes:
    """Return a table as bytes; the same table gives the same bytes."""
    from upid.services.tables import pack_table as pack  # noqa: PLC0415 it needs numpy, and API groups import this module

    return pack(table)


def unpack_table(data: bytes | memoryview) -> Table:
    """Return the table that `pack_table` was given; ValueError for anything else."""
    from upid.services.tables import unpack_table as unpack  # noqa: PLC0415 it needs numpy, and API groups import this module

    return unpack(data)
