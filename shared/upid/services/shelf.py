"""One shard's table of recommendations, read from its blob."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from upid.ports.blobs import Blobs
from upid.services.entries import entry
from upid.services.shard_results import table_name
from upid.services.sizing import Table, unpack_table

KEPT: Final = 16  # tables of about two megabytes: all shards of a cluster of 20,000 containers


@dataclass(frozen=True, slots=True)
class Shelf:
    """Recommendations by row."""

    table: Table

    @property
    def rows(self) -> int:
        """How many recommendations there are."""
        return len(self.table.rows)

    def entry(self, row: int) -> dict[str, Any]:
        """Return one as `upid scan` shows it; IndexError for a row that is not there."""
        return entry(self.table, row)


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
