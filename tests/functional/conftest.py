"""The platform on a data folder of its own, in process and as a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from functional.client import PASSWORD, Client

from upid.bootstrap import Services, build_services
from upid.runtime.gateway import Gateway
from upid.runtime.server import PlatformServer
from upid.runtime.template import Template


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services on an empty data folder; a test replaces a port by setting its attribute before it is used."""
    for name, value in {"UPID_HOME": str(tmp_path / "home"), "PORT": "0", "UPID_SCHEDULES": "off", "UPID_WORKERS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UPID_ADMIN_PASSWORD", PASSWORD)
    build_services.cache_clear()
    yield build_services()
    build_services.cache_clear()


@pytest.fixture(scope="session")
def gateway() -> Gateway:
    """The embedded gateway of the project's own template."""
    return Gateway(Template.load())


@pytest.fixture
def client(services: Services, gateway: Gateway) -> Client:
    """A client in process, logged in as admin."""
    services.settings.home.mkdir(parents=True, exist_ok=True)
    services.identity.ensure_admin(PASSWORD)
    return Client(gateway, services).named("admin")


@pytest.fixture
def server(services: Services) -> Iterator[PlatformServer]:
    """The platform as a server on a free port of this process."""
    with PlatformServer(services.settings) as running:
        yield running
