"""The pretended AWS, for what no contract of a port says."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from adapters.aws.endpoint import Endpoint
from contract.cloud import FAKE, Cloud, cloud, stop_cloud

from upid.adapters.aws.clients import AwsClients


@pytest.fixture
def aws() -> Iterator[Cloud]:
    yield cloud()
    stop_cloud()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A server that plays AWS, which every client asks; botocore's pauses are left out and counted."""
    for name, value in FAKE.items():
        monkeypatch.setenv(name, value)
    playing = Endpoint()
    monkeypatch.setenv("AWS_ENDPOINT_URL", playing.url)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    yield playing
    playing.close()


@pytest.fixture
def clients(endpoint: Endpoint) -> AwsClients:
    return AwsClients()
