"""Both homes, each started once, and the demo cluster beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from e2e.homes.aws import aws_home
from e2e.homes.embedded import embedded_home
from e2e.homes.journey import Journey

from upid.cli.demonstration.child import ClusterProcess
from upid.demo.state import DemoState, write_state
from upid.runtime.signals import Ending

HOMES = {"embedded": embedded_home, "aws": aws_home}
PODS = 30


@pytest.fixture(scope="module")
def demo_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The demo cluster's URL and the token that it takes."""
    file = tmp_path_factory.mktemp("demo") / "demo.json"
    write_state(file, DemoState("a token for the demo", int(time.time()) // 3600 * 3600, port=0, pods=PODS))
    process = ClusterProcess(file, Ending())
    process.start()
    yield process.url, "a token for the demo"
    process.stop()


@pytest.fixture(scope="module")
def journey_of(demo_cluster: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Journey]]:
    """The journey through a home by the home's name; a home is started when it is first asked for."""
    journeys: dict[str, Journey] = {}
    with ExitStack() as running:

        def journey(name: str) -> Journey:
            if name not in journeys:
                folder: Path = tmp_path_factory.mktemp(name)
                journeys[name] = Journey(running.enter_context(HOMES[name](folder)), *demo_cluster)
            return journeys[name]

        yield journey


@pytest.fixture(scope="module", params=sorted(HOMES, reverse=True))
def journey(request: pytest.FixtureRequest, journey_of: Callable[[str], Journey]) -> Journey:
    return journey_of(request.param)
