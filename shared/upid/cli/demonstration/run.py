"""One run of the demo: the platform in this process, the cluster beside it, and the tour."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from upid.cli.demonstration.child import ClusterProcess
from upid.cli.demonstration.client import PREFIX, PlatformClient
from upid.cli.demonstration.tour import Stages, StoppedError, Tour
from upid.cli.table import render
from upid.demo.state import DemoState, read_state, write_state
from upid.runtime.home import PlatformError
from upid.runtime.server import PlatformServer, bounded
from upid.runtime.signals import Ending
from upid.services.identity import ADMIN
from upid.settings import Settings

MOST_ROWS: Final = 80
LABEL: Final = 14  # columns
PIPE_COLUMNS: Final = 200
USUAL_PODS: Final = 150
HOUR: Final = 3600


@dataclass(slots=True)
class Demonstration:
    """Starts, shows and stops. The platform is used through its HTTP API; only the token is had without the password, which is nobody's but the user's."""

    settings: Settings
    pods: int
    stages: Stages
    stopping: Ending
    _server: PlatformServer | None = field(default=None, repr=False)
    _cluster: ClusterProcess | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name of the demo cluster of this size."""
        return "demo" if self.pods == USUAL_PODS else f"demo-{self.pods}"

    def start(self) -> None:
        """Start the platform and the cluster; PlatformError or UnavailableError, one line each, where that fails; StoppedError as `Tour`."""
        if self.stopping.is_set():
            raise StoppedError
        self.stages.begin("Starting the platform")
        self._server = PlatformServer(self.settings)
        self._server.start()
        self._cluster = ClusterProcess(self._state_file(), self.stopping)
        self._cluster.start()
        if self.stopping.is_set():
            raise StoppedError
        self.stages.end(f"{self._server.url} and a demo cluster on {self._cluster.url}")

    def show(self, password_line: Callable[[PlatformServer, int], str]) -> None:
        """Go through the platform and print what comes out, and where everything is."""
        server = self._server
        assert server is not None
        client = PlatformClient(server.url, lambda: server.services.identity.token_for(ADMIN).access_token)
        tour = Tour(client, self.stages, self.stopping)
        cluster_id = self._register(tour)
        tour.collect(cluster_id)
        summary = tour.analyze(cluster_id)
        entries, beside = tour.recommendations(cluster_id, MOST_ROWS), tour.beside(cluster_id)
        terminal = sys.stdout.isatty()
        document = {"cluster": self.name, "summary": summary, "recommendations": entries}
        print(f"\n{render(document, width=None if terminal else PIPE_COLUMNS, color=terminal, beside=beside)}")
        print(f"All of them   {server.url}{PREFIX}/optimization/recommendations/{cluster_id}")
        print(f"API           {server.url}{PREFIX}")
        print(f"OpenAPI page  {server.url}{PREFIX}/docs")
        print(password_line(server, LABEL))
        print(f"Data          {self.settings.home}")
        print("Serving; Ctrl-C ends it.", flush=True)
        client.close()

    def keep_up(self) -> None:
        """Start the cluster's process again where it is gone: it comes back on its port."""
        if self._cluster is not None and not self._cluster.running and not self.stopping.is_set():
            self._cluster.start()

    def stop(self) -> None:
        """Stop the platform, then the cluster."""
        with bounded():
            self.stages.close()
            if self._server is not None:
                self._server.stop()
            if self._cluster is not None:
                self._cluster.stop()

    def _register(self, tour: Tour) -> str:
        assert self._cluster is not None
        state = read_state(self._cluster.state_file)
        assert state is not None
        return tour.register(self.name, self._cluster.url, state.token)

    def _state_file(self) -> Path:
        """Return the file of this cluster's state, made where it is not there yet."""
        assert self._server is not None
        path = self.settings.home / f"{self.name}.json"
        if read_state(path) is None:
            services = self._server.services
            anchor = int(services.clock.now()) // HOUR * HOUR
            try:
                write_state(path, DemoState(services.ids.secret(), anchor, port=0, pods=self.pods))
            except OSError as error:
                raise PlatformError(f"{path} cannot be written: {error.strerror}.") from None
        return path
