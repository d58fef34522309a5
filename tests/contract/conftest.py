"""One fixture for each port, once for each adapter that claims to be it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from contract.cloud import stop_cloud
from contract.stores import BLOBS, DOCUMENTS, HISTORIES, ROLLUPS, SEALERS, Documents, SetClock, stop_influx

from upid.ports.blobs import Blobs
from upid.ports.events import EventStore
from upid.ports.keys import Sealer
from upid.ports.records import Records
from upid.ports.usage_history import UsageHistory
from upid.ports.usage_rollups import UsageRollups


@pytest.fixture(autouse=True, scope="module")
def _no_cloud_is_left() -> Iterator[None]:
    yield
    stop_cloud()
    stop_influx()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=sorted(DOCUMENTS))
def documents_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def documents(documents_kind: str, tmp_path: Path, clock: SetClock) -> Iterator[Documents]:
    opened = DOCUMENTS[documents_kind](tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def records(documents: Documents) -> Records:
    return documents.records


@pytest.fixture
def events(documents: Documents) -> EventStore:
    return documents.events


@pytest.fixture(params=sorted(BLOBS))
def blobs_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def blobs(blobs_kind: str, tmp_path: Path) -> Blobs:
    return BLOBS[blobs_kind](tmp_path)


@pytest.fixture(params=sorted(HISTORIES))
def history(request: pytest.FixtureRequest, tmp_path: Path) -> UsageHistory:
    return HISTORIES[request.param](tmp_path)


@pytest.fixture(params=sorted(ROLLUPS))
def rollups(request: pytest.FixtureRequest, tmp_path: Path) -> UsageRollups:
    return ROLLUPS[request.param](tmp_path)


@pytest.fixture(params=sorted(SEALERS))
def sealer_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_sealer(sealer_kind: str) -> Callable[[Path], Sealer]:
    return SEALERS[sealer_kind]


@pytest.fixture
def sealer(open_sealer: Callable[[Path], Sealer], tmp_path: Path) -> Sealer:
    return open_sealer(tmp_path)
