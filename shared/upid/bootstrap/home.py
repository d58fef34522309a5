"""What a home chooses: where records, events, blobs, keys and workflows are. Each adapter is imported when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from upid.domain.errors import InvalidError
from upid.settings import AwsSettings, Settings

if TYPE_CHECKING:
    from upid.adapters.aws.clients import AwsClients
    from upid.adapters.directory.links import DirectoryLinks
    from upid.adapters.dynamodb.store import DynamoStore
    from upid.adapters.sqlite.database import Database
    from upid.ports.blobs import Blobs
    from upid.ports.bus import EventBus
    from upid.ports.clock import Clock, Ids
    from upid.ports.keys import Sealer
    from upid.ports.links import Links
    from upid.ports.prices import Prices
    from upid.ports.whole import WholeEvents, WholeRecords
    from upid.ports.workflows import Workflows


class Home:
    """The adapters of one process, in the home that the settings name."""

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

    def scrub(self) -> None:
        """Leave nothing of deleted records in the data folder; on AWS the table keeps nothing of them by itself."""
        if not self.settings.aws:
            self.database.scrub()

    @cached_property
    def aws(self) -> AwsClients:
        """Clients of AWS services."""
        from upid.adapters.aws.clients import AwsClients

        return AwsClients()

    @cached_property
    def table(self) -> DynamoStore:
        """The DynamoDB table that records and events lie in."""
        from upid.adapters.dynamodb.store import open_store

        return open_store(self.aws, _of_aws(self.settings).table, self.clock)

    @cached_property
    def records(self) -> WholeRecords:
        """Documents by key."""
        if self.settings.aws:
            return self.table.records
        from upid.adapters.sqlite.records import SqliteRecords

        return SqliteRecords(self.database, self.clock)

    @cached_property
    def events(self) -> WholeEvents:
        """The event store and its outbox."""
        if self.settings.aws:
            return self.table.events
        from upid.adapters.sqlite.events import SqliteEventStore

        return SqliteEventStore(self.database)

    @cached_property
    def blobs(self) -> Blobs:
        """Profiles, chunks and results by name."""
        if self.settings.aws:
            from upid.adapters.s3.blobs import S3Blobs

            return S3Blobs(self.aws, self.settings.aws.bucket, key_id=self.settings.aws.key)
        from upid.adapters.directory.blobs import open_blobs

        return open_blobs(self.settings.home / "blobs", self.clock.now())

    @cached_property
    def links(self) -> Links:
        """Links to blobs."""
        if not self.settings.aws:
            return self.directory_links
        from upid.adapters.s3.links import S3Links

        return S3Links(self.aws, self.settings.aws.bucket)

    @cached_property
    def directory_links(self) -> DirectoryLinks:
        """Links that the embedded gateway itself answers."""
        from upid.adapters.directory.links import DirectoryLinks

        return DirectoryLinks(self.blobs, self.clock, self.ids)

    @cached_property
    def sealer(self) -> Sealer:
        """Encryption at rest."""
        if self.settings.aws:
            from upid.adapters.kms.sealer import KmsSealer

            return KmsSealer(self.aws, self.settings.aws.key)
        from upid.adapters.keyfile.sealer import KeyfileSealer

        return KeyfileSealer(self.settings.home / "master.key")

    @cached_property
    def prices(self) -> Prices:
        """What nodes cost."""
        from upid.adapters.pricing.table import BundledPrices

        return BundledPrices()

    @cached_property
    def workflows(self) -> Workflows:
        """Executions of the state machines; embedded, they are records, whose `listeners` are called in this process."""
        if self.settings.aws:
            from upid.adapters.stepfunctions.workflows import StepFunctionsWorkflows

            return StepFunctionsWorkflows(self.aws, self.settings.aws.machines)
        from upid.adapters.embedded.workflows import EmbeddedWorkflows

        return EmbeddedWorkflows(self.records, self.clock)

    @cached_property
    def bus(self) -> EventBus:
        """Where events go from the outbox, on AWS."""
        from upid.adapters.eventbridge.bus import EventBridgeBus

        return EventBridgeBus(self.aws, _of_aws(self.settings).bus, self.blobs)


def _of_aws(settings: Settings) -> AwsSettings:
    if settings.aws is None:
        raise InvalidError("This needs the home on AWS: UPID_HOME=aws.")
    return settings.aws
