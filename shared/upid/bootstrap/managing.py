"""Services of clusters: they end what others began for a cluster."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from upid.bootstrap.computing import Computing

if TYPE_CHECKING:
    from upid.services.cluster_checks import ClusterChecks
    from upid.services.cluster_health import ClusterHealth
    from upid.services.cluster_objects import ClusterObjects
    from upid.services.clusters import ClustersService
    from upid.services.erasure import TenantErasure
    from upid.services.schedule import ScheduleService


class Managing(Computing):
    """Registration, checks, health and objects of clusters, and what the schedule starts."""

    @cached_property
    def clusters(self) -> ClustersService:
        """Registration of clusters."""
        from upid.services.clusters import ClustersService

        return ClustersService(
            records=self.records, clusters=self.cluster_records, blobs=self.blobs, history=self.history, kubernetes=self.kubernetes,
            metrics_sources=self.metrics_sources, keys=self.idempotency, clock=self.clock, ids=self.ids, cancel_collection=self.collections.cancel,
            forget_analyses=self.analyses.forget, forget_connections=self._forget_connections, scrub=self.scrub,
        )  # fmt: skip

    def _forget_connections(self, tenant: str, cluster_id: str) -> None:
        """Close what this process has open to a cluster, and begin anew with its circuits."""
        for clients in (self.kubernetes, self.live_kubernetes):
            clients.forget(f"{cluster_id}/")
        self.guards.forget(f"{cluster_id}/")
        self.cluster_records.forget(cluster_id)
        self.circuits.forget(tenant, cluster_id)

    @cached_property
    def erasure(self) -> TenantErasure:
        """All that was collected for a tenant, removed."""
        from upid.services.erasure import TenantErasure

        return TenantErasure(self.records, self.clusters, self.history, self.rollups)

    @cached_property
    def cluster_objects(self) -> ClusterObjects:
        """What clusters hold."""
        from upid.services.cluster_objects import ClusterObjects

        return ClusterObjects(self.cluster_records, self.surveys, self.live_kubernetes, self.clock)

    @cached_property
    def cluster_checks(self) -> ClusterChecks:
        """Validation of clusters."""
        from upid.services.cluster_checks import ClusterChecks

        return ClusterChecks(self.cluster_records, self.live_kubernetes, self.live_metrics_sources, self.clock)

    @cached_property
    def cluster_health(self) -> ClusterHealth:
        """How clusters stand."""
        from upid.services.cluster_health import ClusterHealth

        return ClusterHealth(
            clusters=self.cluster_records, surveys=self.surveys, objects=self.cluster_objects, collections=self.collections, circuits=self.circuits,
            kubernetes=self.live_kubernetes, metrics_sources=self.live_metrics_sources, clock=self.clock,
            history=self.history,
        )  # fmt: skip

    @cached_property
    def schedule(self) -> ScheduleService:
        """What the schedule does."""
        from upid.services.schedule import ScheduleService

        return ScheduleService(self.records, self.clusters, self.collections)
