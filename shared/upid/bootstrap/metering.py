"""Services of usage: collected, stored, asked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from upid.bootstrap.platform import Platform

if TYPE_CHECKING:
    from upid.services.aggregations import AggregationsService
    from upid.services.collecting import CollectingService
    from upid.services.collections import CollectionsService
    from upid.services.collectors import CollectorsService
    from upid.services.completing import CompletingService
    from upid.services.current_details import CurrentDetailsService
    from upid.services.current_usage import CurrentUsageService
    from upid.services.downsampling import DownsamplingService
    from upid.services.retention import Retention
    from upid.services.usage import UsageService
    from upid.services.usage_series import SeriesReader


class Metering(Platform):
    """Collections and collectors, usage now and as it was."""

    @cached_property
    def collections(self) -> CollectionsService:
        """Collections, as they are asked for."""
        from upid.services.collections import CollectionsService

        return CollectionsService(
            records=self.records, clusters=self.cluster_records, blobs=self.blobs, workflows=self.workflows, keys=self.idempotency, clock=self.clock,
            ids=self.ids,
        )  # fmt: skip

    @cached_property
    def collectors(self) -> CollectorsService:
        """Collectors of clusters."""
        from upid.services.collectors import CollectorsService

        return CollectorsService(self.records, self.cluster_records, self.collections, self.clock)

    @cached_property
    def usage(self) -> UsageService:
        """Stored usage, asked."""
        from upid.services.rosters import Rosters
        from upid.services.usage import UsageService

        return UsageService(self.cluster_records, self.blobs, self.history, self.rollups, self.retention, Rosters(self.blobs), self.clock)

    @cached_property
    def aggregations(self) -> AggregationsService:
        """Queries of stored usage whose answers are kept."""
        from upid.services.aggregations import AggregationsService

        return AggregationsService(
            self.records, self.cluster_records, self.blobs, self.workflows, lambda: self.usage, self.retention, self.clock, self.ids
        )

    @cached_property
    def current_usage(self) -> CurrentUsageService:
        """What clusters use now."""
        from upid.services.current_usage import CurrentUsageService

        return CurrentUsageService(self.usage, self.blobs, self.clock)

    @cached_property
    def current_details(self) -> CurrentDetailsService:
        """What the network and storage of clusters carry now."""
        from upid.services.current_details import CurrentDetailsService

        return CurrentDetailsService(self.usage, self.blobs, self.clock)

    @cached_property
    def collecting(self) -> CollectingService:
        """The tasks of `collect-usage`."""
        from upid.services.collecting import CollectingService
        from upid.services.work import WorkLog

        return CollectingService(
            clusters=self.cluster_records, blobs=self.blobs, history=self.history, kubernetes=self.kubernetes, metrics_sources=self.metrics_sources,
            clock=self.clock, log=WorkLog("collections", self.records, self.clock), observing=self.observing,
        )  # fmt: skip

    @cached_property
    def retention(self) -> Retention:
        """How long usage is kept."""
        from upid.services.retention import Retention

        return Retention(self.records)

    @cached_property
    def downsampling(self) -> DownsamplingService:
        """Usage as it ages."""
        from upid.services.downsampling import DownsamplingService
        from upid.services.rosters import Rosters

        return DownsamplingService(
            self.records, self.cluster_records, self.history, self.rollups, self.retention, Rosters(self.blobs), self.clock
        )

    @cached_property
    def completing(self) -> CompletingService:
        """The ends of work: collections, and whatever workflow failed."""
        from upid.services.completing import CompletingService

        return CompletingService(self.records, self.cluster_records, self.blobs, self.clock, self.ids)

    @cached_property
    def series_reader(self) -> SeriesReader:
        """Series of requests and of stored usage."""
        from upid.services.rosters import Rosters
        from upid.services.snapshots import Snapshots
        from upid.services.usage_series import SeriesReader

        return SeriesReader(self.cluster_records, Snapshots(self.blobs), self.history, Rosters(self.blobs))
