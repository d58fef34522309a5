"""A tenant's clusters and usage, removed for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from upid.domain.errors import NotFoundError
from upid.domain.identity import Caller
from upid.ports.records import Records
from upid.ports.usage_history import UsageHistory
from upid.ports.usage_rollups import UsageRollups
from upid.services.cluster_records import registered
from upid.services.clusters import ClustersService


@dataclass(frozen=True, slots=True)
class TenantErasure:
    """Deletes all that was collected for a tenant: clusters with credentials, profiles and results, samples, longer steps. Users and events stay."""

    records: Records
    clusters: ClustersService
    history: UsageHistory
    rollups: UsageRollups

    def erase(self, tenant: str) -> dict[str, Any]:
        """Return {"tenant", "clusters": ids of those deleted}. Broken off, or an UnavailableError of a store, it can be done again.

        Stores are emptied whole at the end, so that nothing stays that deleting one cluster may leave.
        """
        caller, deleted = Caller("system", "system", tenant, ()), []
        for entry in [entry for entry in registered(self.records) if entry.body["tenant"] == tenant]:
            try:
                self.clusters.delete(caller, entry.key.sort)
            except NotFoundError:  # deleted before, what it left is not
                self.clusters.purge(tenant, entry.key.sort, entry.body.get("collection_id"))
            deleted.append(entry.key.sort)
        self.rollups.delete_tenant(tenant)
        self.history.delete_tenant(tenant)
        return {"tenant": tenant, "clusters": deleted}
