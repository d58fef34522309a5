"""One shard's table of recommendations, read from its blob."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from upid.ports.blobs import Blobs
from upid.services.entries import entries
from upid.services.rules.rulings import picked
from upid.services.shard_results import table_name
from upid.services.sizing import Table, unpack_table

KEPT: Final = 16  # tables of about two megabytes: all shards of a cluster of 20,000 containers


class Identity(NamedTuple):
    """What a recommendation is of, in the order that names are sorted by."""

    namespace: str
    name: str
    kind: str
    container: str


@dataclass(frozen=True)
class Shelf:
    """Recommendations by row."""

    table: Table

    @property
    def rows(self) -> int:
        """How many recommendations there are."""
        return len(self.table.rows)

    @cached_property
    def identities(self) -> list[Identity]:
        """What each row is of."""
        return [Identity(row.namespace, row.name, row.kind, row.container) for row in self.table.rows]

    def entries(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Return some as `upid scan` shows them; IndexError for a row that is not there."""
        chosen = {name: column[list(rows)] for name, column in self.table.columns.items()}
        rulings = [picked(ruling, rows) for ruling in self.table.rulings]
        return entries(replace(self.table, rows=[self.table.rows[row] for row in rows], columns=chosen, rulings=rulings))


class Shelves:
    """Tables by analysis and shard. They are written once and never change, so the last ones that were read are kept: pages follow each other."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._kept = lru_cache(maxsize=KEPT)(self._read)

    def open(self, tenant: str, analysis_id: str, shard: int) -> Shelf:
        """Return a shard's table; NotFoundError where it was not analyzed."""
        return self._kept(tenant, analysis_id, shard)

    def _read(self, tenant: str, analysis_id: str, shard: int) -> Shelf:
        return Shelf(unpack_table(self._blobs.get(table_name(tenant, analysis_id, shard))))
