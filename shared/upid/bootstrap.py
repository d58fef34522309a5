"""The only place that chooses adapters. Services are built on first use, never at import, and import what they need then."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from upid.settings import Settings

if TYPE_CHECKING:
    from upid.adapters.sqlite.database import Database
    from upid.ports.blobs import Blobs
    from upid.ports.clock import Clock, Ids
    from upid.ports.events import EventStore
    from upid.ports.keys import Sealer
    from upid.ports.kubernetes import KubernetesClients
    from upid.ports.metrics_source import MetricsSources
    from upid.ports.prices import Prices
    from upid.ports.records import Records
    from upid.ports.usage_history import UsageHistory
    from upid.services.identity import IdentityService


class Services:
    """The services of one process. A test replaces a port by setting the attribute of its name before it is used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        """The system's clock."""
        from upid.adapters.system.clock import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> Ids:
        """New identifiers."""
        from upid.adapters.system.ids import UlidIds

        return UlidIds(self.clock)

    @cached_property
    def database(self) -> Database:
        """The SQLite file that records and events lie in."""
        from upid.adapters.sqlite.database import Database

        return Database(self.settings.home / "upid.db")

    @cached_property
    def records(self) -> Records:
        """Documents by key."""
        from upid.adapters.sqlite.records import SqliteRecords

        return SqliteRecords(self.database, self.clock)

    @cached_property
    def events(self) -> EventStore:
        """The event store and its outbox."""
        from upid.adapters.sqlite.events import SqliteEventStore

        return SqliteEventStore(self.database)

    @cached_property
    def blobs(self) -> Blobs:
        """Profiles, chunks and results by name."""
        from upid.adapters.directory.blobs import open_blobs

        return open_blobs(self.settings.home / "blobs", self.clock.now())

    @cached_property
    def sealer(self) -> Sealer:
        """Encryption at rest."""
        from upid.adapters.keyfile.sealer import KeyfileSealer

        return KeyfileSealer(self.settings.home / "master.key")

    @cached_property
    def history(self) -> UsageHistory:
        """Usage as it was measured."""
        from upid.adapters.columnar.history import ColumnarHistory

        return ColumnarHistory(self.blobs)

    @cached_property
    def prices(self) -> Prices:
        """What nodes cost."""
        from upid.adapters.pricing.table import BundledPrices

        return BundledPrices()

    @cached_property
    def kubernetes(self) -> KubernetesClients:
        """Kubernetes API servers."""
        from upid.adapters.kubernetes.client import ApiServers

        return ApiServers()

    @cached_property
    def metrics_sources(self) -> MetricsSources:
        """Prometheus APIs."""
        from upid.adapters.prometheus.source import PrometheusSources

        return PrometheusSources()

    @cached_property
    def identity(self) -> IdentityService:
        """Users, logins and tokens."""
        from upid.services.identity import IdentityService

        return IdentityService(self.records, self.events, self.sealer, self.clock, self.ids, self.settings.token_seconds)


@cache
def build_services() -> Services:
    """Return the services of this process, built on first use from its environment."""
    return Services(Settings.from_environment())
