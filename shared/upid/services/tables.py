"""Tables as bytes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from upid.domain.inventory import Autoscaler, Resources
from upid.engine.arrays import pack, unpack
from upid.services.rules.rulings import ARRAYS, Ruling
from upid.services.sizing import ContainerRow, Table, UsageWindow


def pack_table(table: Table) -> bytes:
    """Return a table as bytes; the same table gives the same bytes."""
    rows = [[r.namespace, r.kind, r.name, r.uid, r.container, r.role, r.replicas, _resources(r.resources), r.heap_bytes,
             asdict(r.autoscaler) if r.autoscaler else None] for r in table.rows]  # fmt: skip
    window, arrays = table.window, dict(table.columns)
    for place, ruling in enumerate(table.rulings):
        arrays |= {_array_name(place, name): getattr(ruling, name) for name in ARRAYS}
    rulings = [ruling.meta() for ruling in table.rulings]
    meta = {"rows": rows, "window": [window.start, window.end, window.step_seconds], "source": table.source, "volumes": dict(table.volumes)}
    return pack(arrays, meta | {"rulings": rulings})


def _array_name(place: int, name: str) -> str:
    return f"ruling.{place}.{name}"


def _resources(resources: Resources) -> list[float | None]:
    return [resources.cpu_request_cores, resources.cpu_limit_cores, resources.memory_request_bytes, resources.memory_limit_bytes]


def unpack_table(data: bytes | memoryview) -> Table:
    """Return the table that `pack_table` was given, but for the rows' nodes, which only prices needed; ValueError for anything else."""
    columns, meta = unpack(data)
    if not {"rows", "window", "source"} <= meta.keys():
        raise ValueError("These arrays are no table of recommendations.")
    rulings = [
        _ruling(told, place, columns) for place, told in enumerate(meta.get("rulings", ()))
    ]  # tables from before rules acted have none
    return Table(_Rows(meta["rows"]), columns, UsageWindow(*meta["window"]), meta["source"], meta.get("volumes", {}), rulings)


def _ruling(told: dict[str, Any], place: int, columns: dict[str, Any]) -> Ruling:
    """Return a ruling, with its arrays taken out of the columns."""
    return Ruling(**told, **{name: columns.pop(_array_name(place, name)) for name in ARRAYS})


class _Rows(list[Any]):
    """Rows that are made when one is read: an entry needs one of many."""

    def __getitem__(self, index: Any) -> Any:
        row = super().__getitem__(index)
        return [_row(r) for r in row] if isinstance(index, slice) else _row(row)

    def __iter__(self) -> Any:
        return (_row(row) for row in super().__iter__())


def _row(stored: list[Any]) -> ContainerRow:
    namespace, kind, name, uid, container, role, replicas, resources, heap_bytes, autoscaler = stored
    return ContainerRow(
        namespace, kind, name, uid, container, role=role, replicas=replicas, resources=Resources(*resources), heap_bytes=heap_bytes,
        autoscaler=Autoscaler(**autoscaler) if autoscaler else None,
    )  # fmt: skip
