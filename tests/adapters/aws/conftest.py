"""The pretended AWS, for what no contract of a port says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract.cloud import Cloud, cloud, stop_cloud


@pytest.fixture
def aws() -> Iterator[Cloud]:
    yield cloud()
    stop_cloud()
