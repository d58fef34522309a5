"""A real InfluxDB that goes down, is killed and comes back, while chunks are written and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from contract.test_usage_history import DAY, MIDNIGHT, SCOPE, chunk, sums, volumes
from outside.real_influxdb import NEEDED, InfluxServer, influxdb, is_installed

from upid.adapters.buffered.history import BufferedHistory, BufferFullError
from upid.adapters.directory.blobs import open_blobs
from upid.adapters.influxdb.client import InfluxClient
from upid.adapters.influxdb.history import InfluxHistory
from upid.domain.errors import ConflictError, UnavailableError
from upid.ports.usage_history import UsageChunk, UsageHistory
from upid.settings import InfluxSettings

pytestmark = pytest.mark.skipif(not is_installed(), reason=NEEDED)
TIMES = [MIDNIGHT + 600 * n for n in range(6)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InfluxServer]:
    with influxdb(tmp_path / "influxdb") as running:
        yield running


def stored(server: InfluxServer) -> InfluxHistory:
    return InfluxHistory(InfluxClient(InfluxSettings(server.url)))


@pytest.fixture
def history(server: InfluxServer, tmp_path: Path) -> BufferedHistory:
    return BufferedHistory(stored(server), open_blobs(tmp_path / "blobs", 0.0), most_waiting=3)


def piece(start: int) -> UsageChunk:
    return chunk(start, steps=2, seed=start % 1000)


def read(history: UsageHistory, start: float = 0) -> list[UsageChunk]:
    return list(history.read(SCOPE, start=start, end=4e9))


def test_what_is_written_while_the_server_is_down_reaches_it_once_when_it_is_back(server: InfluxServer, history: BufferedHistory) -> None:
    assert history.append(SCOPE, piece(TIMES[0]))
    server.kill()
    assert [history.append(SCOPE, piece(time)) for time in TIMES[1:4]] == [True, True, True]
    assert not history.append(SCOPE, piece(TIMES[2]))
    assert history.append(SCOPE, volumes(TIMES[1]))
    state = history.state("default", "cl_1")
    assert (state.state, "4 windows wait in the buffer, 3 of 3 in its fullest part" in state.detail) == ("unhealthy", True)

    server.start()
    assert history.state("default", "cl_1").state == "degraded"
    assert sums(read(history)) == sums([piece(time) for time in TIMES[:4]])
    assert history.append(SCOPE, piece(TIMES[4]))
    assert history.append(SCOPE, volumes(TIMES[3]))

    assert history.state("default", "cl_1").state == "healthy"
    for each in (history, stored(server)):
        assert [found.start for found in read(each)] == TIMES[:5]
        assert sums(read(each)) == sums([piece(time) for time in TIMES[:5]])
        assert [found.start for found in each.read_family(SCOPE, "storage", start=0, end=4e9)] == [TIMES[1], TIMES[3]]


def test_a_buffer_that_is_full_takes_nothing_more_and_loses_nothing(server: InfluxServer, history: BufferedHistory) -> None:
    server.kill()
    for time in TIMES[:3]:
        history.append(SCOPE, piece(time))
    with pytest.raises(BufferFullError, match="3 windows of shard 3 wait already"):
        history.append(SCOPE, piece(TIMES[3]))
    server.start()
    assert history.append(SCOPE, piece(TIMES[3]))
    assert [found.start for found in read(stored(server))] == TIMES[:4]


def test_collecting_goes_on_from_the_buffer_and_a_longer_history_is_told_to_be_away(server: InfluxServer, history: BufferedHistory) -> None:
    for time in TIMES[:2]:
        history.append(SCOPE, piece(time))
    server.kill()
    history.append(SCOPE, piece(TIMES[2]))
    assert sums(read(history, TIMES[1] + 300)) == sums([piece(TIMES[1]), piece(TIMES[2])])
    assert history.compact(SCOPE, before=MIDNIGHT + DAY) == 0
    with pytest.raises(UnavailableError):
        read(history, TIMES[0] - 1)


def test_a_write_that_broke_off_is_written_again_onto_the_same_points(server: InfluxServer, history: BufferedHistory) -> None:
    bodies = list[bytes]()

    class Dying(InfluxClient):
        def write(self, database: str, lines: bytes) -> None:
            if lines.startswith(b"windows"):
                raise UnavailableError("It was killed here.")
            bodies.append(lines)
            InfluxClient.write(self, database, lines)

    with pytest.raises(UnavailableError):
        InfluxHistory(Dying(InfluxSettings(server.url))).append(SCOPE, chunk(seed=1, series=3))
    assert (len(set(bodies)), read(stored(server))) == (2, [])

    assert history.append(SCOPE, chunk(seed=2))
    (found,) = read(stored(server))
    np.testing.assert_array_equal(found.memory_bytes, chunk(seed=2).memory_bytes)


def test_a_chunk_that_the_server_has_and_the_buffer_still_holds_is_there_once(server: InfluxServer, history: BufferedHistory) -> None:
    stored(server).append(SCOPE, piece(TIMES[0]))
    history._buffer.put(history._buffer.folder(SCOPE, "usage"), piece(TIMES[0]), "waiting")
    assert [found.start for found in read(history)] == [TIMES[0]]
    assert history.append(SCOPE, piece(TIMES[1]))
    assert [found.start for found in read(history)] == TIMES[:2]
    assert history.delete_cluster("default", "cl_1") == ""
    assert (read(history), list(history._buffer.blobs.names(""))) == ([], [])


def test_a_damaged_window_that_waits_is_put_aside_and_named_and_the_rest_goes_on(server: InfluxServer, history: BufferedHistory) -> None:
    server.kill()
    for time in TIMES[:2]:
        history.append(SCOPE, piece(time))
    first, _ = history._buffer.windows(history._buffer.folder(SCOPE, "usage"))
    history._buffer.blobs.put(first.blob, b"damaged")
    server.start()

    assert history.append(SCOPE, piece(TIMES[2]))
    assert [found.start for found in read(history)] == TIMES[1:3]
    state = history.state("default", "cl_1")
    assert (state.state, first.blob.replace("/cl_1/", "/cl_1/quarantine/") in state.detail) == ("degraded", True)


def test_a_waiting_window_that_the_store_refuses_is_given_up_and_one_that_overlaps_it_is_refused(
    server: InfluxServer, history: BufferedHistory, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    history.append(SCOPE, piece(TIMES[1]))
    with pytest.raises(ConflictError, match="waiting window"):
        history.append(SCOPE, piece(TIMES[1] + 300))
    server.start()
    stored(server).append(SCOPE, piece(TIMES[1] - 300))

    assert history.append(SCOPE, piece(TIMES[2]))
    assert [found.start for found in read(history)] == [TIMES[1] - 300, TIMES[2]]
    assert "is given up" in caplog.text
    with pytest.raises(ConflictError):
        history.append(SCOPE, piece(TIMES[2] + 300))
    assert history.state("default", "cl_1").state == "healthy"
