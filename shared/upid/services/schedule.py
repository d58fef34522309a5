"""What the schedule does every five minutes: a collection of every cluster that is due, new data keys for old, and what is left of deletions."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from upid.domain.errors import AppError
from upid.domain.identity import Caller
from upid.ports.records import Record, Records
from upid.services.cluster_records import registered
from upid.services.clusters import ClustersService
from upid.services.collections import CollectionsService
from upid.services.collectors import first_request

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduleService:
    """Works for all tenants; each cluster is dealt with in the name of its own."""

    records: Records
    clusters: ClustersService
    collections: CollectionsService

    def start_collections(self) -> dict[str, list[str]]:
        """Return the ids of clusters whose collection was `started`, that were `purged`, and that could not be dealt with (`failed`).

        A cluster whose collection runs, or that has no whole step behind its watermark, is left alone: told twice, the schedule starts one collection.
        """
        done: dict[str, list[str]] = {"started": [], "purged": [], "failed": []}
        for entry in registered(self.records):
            try:
                outcome = self._deal_with(entry)
            except AppError as error:
                # One cluster must not keep the others waiting; it is tried again at the next run.
                logger.warning("The schedule could not deal with %s: %s", entry.key.sort, error.detail)
                outcome = "failed"
            if outcome:
                done[outcome].append(entry.key.sort)
        return done

    def _deal_with(self, entry: Record) -> str:
        tenant, cluster_id = entry.body["tenant"], entry.key.sort
        if entry.body["deleted"]:
            self.clusters.purge(tenant, cluster_id, entry.body["collection_id"])
            return "purged"
        system = Caller("system", "system", tenant, ())
        self.clusters.rotate_due_key(system, cluster_id)
        if not self.collections.is_due(tenant, cluster_id):
            return ""
        self.collections.start(system, first_request(self.collections.clusters.get(tenant, cluster_id).body))
        return "started"
