"""Two processes that write one window at once, on a real server: a task that is retried while its first try still runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from contract.test_usage_history import MIDNIGHT, SCOPE, assert_same, chunk
from outside.real_influxdb import NEEDED, influxdb, is_installed

from upid.adapters.influxdb.client import InfluxClient
from upid.adapters.influxdb.databases import Databases
from upid.adapters.influxdb.history import InfluxHistory
from upid.ports.usage_history import HistoryScope, UsageChunk
from upid.settings import InfluxSettings

pytestmark = pytest.mark.skipif(not is_installed(), reason=NEEDED)
WRITES = 3  # samples, members, window


@pytest.fixture
def client(tmp_path: Path) -> Iterator[InfluxClient]:
    with influxdb(tmp_path) as server:
        yield InfluxClient(InfluxSettings(server.url))


class KilledError(Exception):
    """The process is gone."""


class Overtaken(Databases):
    """Databases of a writer that another one overtakes before a write of his."""

    def __init__(self, client: InfluxClient, number: int, other: Callable[[], object]) -> None:
        super().__init__(client)
        self.left, self.other = number, other

    def write(self, database: str, lines: bytes) -> None:
        if self.left == 0:
            self.other()
        self.left -= 1
        super().write(database, lines)


def overtaken(client: InfluxClient, number: int, other: Callable[[], object]) -> InfluxHistory:
    """Return a writer that another one overtakes before its write of this number."""
    writer = InfluxHistory(client)
    writer._databases = Overtaken(client, number, other)
    return writer


def test_two_writers_of_the_same_content_leave_it_there_once_whoever_is_first(client: InfluxClient) -> None:
    other = InfluxHistory(client)
    for number in range(WRITES):
        scope, content = SCOPE._replace(shard=number), chunk(MIDNIGHT, seed=number)

        assert overtaken(client, number, partial(other.append, scope, content)).append(scope, content)

        (found,) = other.read(scope, start=0, end=4e9)
        assert_same(found, content)
        assert not other.append(scope, content)


def test_a_writer_that_dies_behind_the_other_leaves_the_same_content_whole(client: InfluxClient) -> None:
    other = InfluxHistory(client)
    for number in range(WRITES):
        scope, content = SCOPE._replace(shard=number), chunk(MIDNIGHT, seed=number)

        def overtake(scope: HistoryScope = scope, content: UsageChunk = content) -> None:
            other.append(scope, content)
            raise KilledError

        with pytest.raises(KilledError):
            overtaken(client, number, overtake).append(scope, content)

        (found,) = other.read(scope, start=0, end=4e9)
        assert_same(found, content)
