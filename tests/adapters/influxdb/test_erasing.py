"""Erasing, on a real server: nothing is left in any measurement, series or database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.test_usage_history import MIDNIGHT, SCOPE, chunk, short_chunks, volumes
from outside.real_influxdb import NEEDED, influxdb, is_installed

from upid.adapters.influxdb.client import InfluxClient
from upid.adapters.influxdb.history import InfluxHistory
from upid.settings import InfluxSettings

pytestmark = pytest.mark.skipif(not is_installed(), reason=NEEDED)
OTHERS = (SCOPE._replace(cluster_id="cl_10"), SCOPE._replace(tenant="other"))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[InfluxClient]:
    with influxdb(tmp_path) as server:
        client = InfluxClient(InfluxSettings(server.url))
        history = InfluxHistory(client)
        short_chunks(history, MIDNIGHT)
        history.append(SCOPE, volumes(MIDNIGHT))
        history.compact(SCOPE, before=MIDNIGHT + 86400)
        for scope in OTHERS:
            history.append(scope, chunk())
        yield client


def series(client: InfluxClient, tenant: str) -> list[str]:
    return [row[0] for found in client.execute("SHOW SERIES", f"upid_{tenant}_300s") for row in found["values"]]


def test_a_deleted_cluster_leaves_no_series_and_others_stay(client: InfluxClient) -> None:
    before = series(client, "default")
    assert {key.partition(",")[0] for key in before if "cluster=cl_1," in key} == {"members", "samples", "windows"}

    assert InfluxHistory(client).delete_cluster("default", "cl_1") == ""

    assert series(client, "default") == [key for key in before if "cluster=cl_10," in key]
    assert len(list(InfluxHistory(client).read(OTHERS[0], start=0, end=4e9))) == 1


def test_an_erased_tenant_leaves_no_database(client: InfluxClient) -> None:
    InfluxHistory(client).delete_tenant("default")
    names = [row[0] for found in client.execute("SHOW DATABASES") for row in found["values"]]
    assert [name for name in names if name.startswith("upid")] == ["upid_other_300s"]


def test_what_is_older_than_a_database_keeps_is_dropped_and_the_rest_of_a_chunk_is_written(client: InfluxClient) -> None:
    history, now = InfluxHistory(client), int(time.time()) // 300 * 300
    history.expire("default", days=30, now=now)

    assert [history.append(SCOPE, chunk(now - days * 86400)) for days in (40, 2)] == [True, True]
    assert [found.start for found in history.read(SCOPE, start=now - 50 * 86400, end=4e9)] == [now - 2 * 86400]
