"""Outside systems, each behind its circuit breaker and its bulkhead."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from upid.bootstrap.home import Home

if TYPE_CHECKING:
    from upid.adapters.influxdb.client import InfluxClient
    from upid.adapters.resilience.guards import Guards
    from upid.ports.kubernetes import KubernetesClients
    from upid.ports.metrics_source import MetricsSources
    from upid.ports.usage_history import UsageHistory
    from upid.ports.usage_rollups import UsageRollups
    from upid.services.circuits import Circuits


class Outside(Home):
    """Clients of Kubernetes API servers, of metrics sources and of an InfluxDB."""

    @cached_property
    def circuits(self) -> Circuits:
        """States of the circuits to outside systems."""
        from upid.services.circuits import Circuits

        return Circuits(self.records, self.clock, self.ids)

    @cached_property
    def guards(self) -> Guards:
        """A circuit breaker and a bulkhead for each outside system."""
        from upid.adapters.resilience.guards import Guards

        return Guards(self.clock, self.circuits.changed, recall=self.circuits.recall)

    @cached_property
    def history(self) -> UsageHistory:
        """Usage as it was measured: in an InfluxDB where the settings name one, else on blobs."""
        if self.influxdb is None:
            from upid.adapters.columnar.history import ColumnarHistory

            return ColumnarHistory(self.blobs)
        from upid.adapters.buffered.history import BufferedHistory
        from upid.adapters.influxdb.history import InfluxHistory

        return BufferedHistory(InfluxHistory(self.influxdb), self.blobs)

    @cached_property
    def rollups(self) -> UsageRollups:
        """Usage on longer steps, where the history is."""
        if self.influxdb is None:
            from upid.adapters.columnar.rollups import ColumnarRollups

            return ColumnarRollups(self.blobs)
        from upid.adapters.influxdb.rollups import InfluxRollups

        return InfluxRollups(self.influxdb)

    @cached_property
    def influxdb(self) -> InfluxClient | None:
        """The InfluxDB that the settings name, None without one."""
        if not self.settings.influxdb:
            return None
        from upid.adapters.influxdb.client import InfluxClient

        return InfluxClient(self.settings.influxdb, self.guards.of("usage-history/influxdb"))

    @cached_property
    def kubernetes(self) -> KubernetesClients:
        """Kubernetes API servers."""
        from upid.adapters.kubernetes.client import ApiServers

        return ApiServers(guards=self.guards)

    @cached_property
    def live_kubernetes(self) -> KubernetesClients:
        """The same for who waits for the answer: it gives up before API Gateway does."""
        from upid.adapters.kubernetes.client import ApiServers
        from upid.adapters.kubernetes.session import Patience

        return ApiServers(
            Patience(connect_seconds=3.0, read_seconds=10.0, attempts=2, longest_wait_seconds=2.0, queue_seconds=1.0), guards=self.guards
        )

    @cached_property
    def metrics_sources(self) -> MetricsSources:
        """What measures usage: Prometheus APIs, and metrics-server behind a cluster's own."""
        from upid.adapters.metrics_server.source import SourcesByKind
        from upid.adapters.prometheus.source import PrometheusSources

        return SourcesByKind(PrometheusSources(self.guards), self.kubernetes)

    @cached_property
    def live_metrics_sources(self) -> MetricsSources:
        """The same as `metrics_sources` for who waits for the answer."""
        from upid.adapters.metrics_server.source import SourcesByKind
        from upid.adapters.prometheus.source import PrometheusSources

        return SourcesByKind(PrometheusSources(self.guards, attempts=1, check_seconds=8.0), self.live_kubernetes)
