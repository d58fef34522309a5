"""The adapters that are held to the ports' contracts. A second adapter of a port is one more line in its table."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from contract.cloud import ENDPOINT, cloud, named
from outside.real_influxdb import NEEDED, InfluxServer, is_installed

from upid.adapters.buffered.history import BufferedHistory
from upid.adapters.columnar.history import ColumnarHistory
from upid.adapters.columnar.rollups import ColumnarRollups
from upid.adapters.directory.blobs import open_blobs
from upid.adapters.dynamodb.store import open_store
from upid.adapters.influxdb.client import InfluxClient
from upid.adapters.influxdb.history import InfluxHistory
from upid.adapters.influxdb.rollups import InfluxRollups
from upid.adapters.keyfile.sealer import KeyfileSealer
from upid.adapters.kms.sealer import KmsSealer
from upid.adapters.s3.blobs import S3Blobs
from upid.adapters.sqlite.database import Database
from upid.adapters.sqlite.events import SqliteEventStore
from upid.adapters.sqlite.records import SqliteRecords
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock
from upid.ports.events import EventStore
from upid.ports.keys import Sealer
from upid.ports.records import Records
from upid.ports.usage_history import UsageHistory
from upid.ports.usage_rollups import UsageRollups
from upid.settings import InfluxSettings

START = 1_700_000_000.0


@dataclass
class SetClock:
    """A clock that a test sets."""

    moment: float = START

    def now(self) -> float:
        return self.moment


@dataclass(frozen=True)
class Documents:
    """A record store and the event store that shares its transactions."""

    records: Records
    events: EventStore
    close: Callable[[], None]


def _sqlite(place: Path, clock: Clock) -> Documents:
    database = Database(place / "store.db")
    return Documents(SqliteRecords(database, clock), SqliteEventStore(database), database.close)


def _directory(place: Path) -> Blobs:
    return open_blobs(place / "blobs", START)


def _columnar(place: Path) -> UsageHistory:
    return ColumnarHistory(_directory(place))


def _keyfile(place: Path) -> Sealer:
    return KeyfileSealer(place / "master.key")


def _dynamodb(place: Path, clock: Clock) -> Documents:
    store = open_store(cloud().clients, cloud().table(place), clock)
    return Documents(store.records, store.events, lambda: None)


def _s3(place: Path) -> Blobs:
    return S3Blobs(cloud().clients, cloud().bucket(place))


def _columnar_s3(place: Path) -> UsageHistory:
    return ColumnarHistory(_s3(place))


_SERVERS: list[InfluxServer] = []


def influx_url() -> str:
    """Return the address of this process's InfluxDB, started now where it was not."""
    if not is_installed():
        pytest.skip(NEEDED)
    if not _SERVERS:
        _SERVERS.append(InfluxServer(Path(tempfile.mkdtemp(prefix="upid-influxdb-"))))
        _SERVERS[0].start()
    return _SERVERS[0].url


def stop_influx() -> None:
    """End it, with all that lies in it."""
    while _SERVERS:
        server = _SERVERS.pop()
        server.kill()
        shutil.rmtree(server.place)


def _influxdb(place: Path) -> UsageHistory:
    """Return a history whose databases have a prefix of their own: every test begins with none."""
    return InfluxHistory(InfluxClient(InfluxSettings(influx_url(), prefix=named(place))))


def _buffered(place: Path) -> UsageHistory:
    return BufferedHistory(_influxdb(place), _directory(place))


def _kms(place: Path) -> Sealer:
    return KmsSealer(cloud().clients, cloud().key(place))


DOCUMENTS: dict[str, Callable[[Path, Clock], Documents]] = {"sqlite": _sqlite, "dynamodb": _dynamodb}
BLOBS: dict[str, Callable[[Path], Blobs]] = {"directory": _directory, "s3": _s3}
HISTORIES: dict[str, Callable[[Path], UsageHistory]] = {
    "columnar": _columnar,
    "columnar-s3": _columnar_s3,
    "influxdb": _influxdb,
    "buffered": _buffered,
}
ROLLUPS: dict[str, Callable[[Path], UsageRollups]] = {
    "directory": lambda place: ColumnarRollups(_directory(place)),
    "s3": lambda place: ColumnarRollups(_s3(place)),
    "influxdb": lambda place: InfluxRollups(InfluxClient(InfluxSettings(influx_url(), prefix=named(place)))),
}
SEALERS: dict[str, Callable[[Path], Sealer]] = {"keyfile": _keyfile, "kms": _kms}
# moto lives in one process, and in its threads two writers with one condition may both win: rivals meet at a server of its own.
ALONE = frozenset() if ENDPOINT else frozenset({"dynamodb", "s3", "kms"})
