"""One shard's table of recommendations, read from its blob."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from upid.ports.blobs import Blobs
from upid.services.entries import entry
from upid.services.shard_results import table_name
from upid.services.sizing import Table, unpack_table


@dataclass(frozen=True, slots=True)
class Shelf:
    """Recommendations by row."""

    table: Table

    @classmethod
    def open(cls, blobs: Blobs, tenant: str, analysis_id: str, shard: int) -> Shelf:
        """Return a shard's table; NotFoundError where it was not analyzed."""
        return cls(unpack_table(blobs.get(table_name(tenant, analysis_id, shard))))

    @property
    def rows(self) -> int:
        """How many recommendations there are."""
        return len(self.table.rows)

    def entry(self, row: int) -> dict[str, Any]:
        """Return one as `upid scan` shows it; IndexError for a row that is not there."""
        return entry(self.table, row)
