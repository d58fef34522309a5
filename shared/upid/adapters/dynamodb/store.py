"""The records and the event store of one table, which share their transactions."""

from __future__ import annotations

from typing import NamedTuple

from upid.adapters.aws.clients import AwsClients
from upid.adapters.dynamodb.events import DynamoEventStore
from upid.adapters.dynamodb.log import EventLog
from upid.adapters.dynamodb.records import DynamoRecords
from upid.adapters.dynamodb.table import Table
from upid.ports.clock import Clock


class DynamoStore(NamedTuple):
    """Both ports of one table."""

    records: DynamoRecords
    events: DynamoEventStore


def open_store(clients: AwsClients, table: str, clock: Clock) -> DynamoStore:
    """Return the records and events of a table; nothing is asked of AWS before they are used."""
    opened = Table(clients, table)
    log = EventLog(opened, clock)
    return DynamoStore(DynamoRecords(opened, log, clock), DynamoEventStore(opened, log, clock))
