"""The whole platform in one process: HTTP, workflows, schedules and events, on one port and one data folder."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol, Self

import uvicorn

from upid.bootstrap import Services, build_services
from upid.runtime.asgi import GatewayApp
from upid.runtime.events import OutboxPublisher
from upid.runtime.gateway import Gateway
from upid.runtime.home import BACKLOG, DataFolder, PlatformError, bind
from upid.runtime.scheduler import Scheduler
from upid.runtime.signals import Ending
from upid.runtime.template import Template
from upid.runtime.workflows.engine import WorkflowEngine
from upid.settings import Settings

__all__ = ["PlatformError", "PlatformServer", "bounded", "serve"]

DRAIN_SECONDS: Final = 3  # requests that still run when the platform stops get this long
STOP_SECONDS: Final = 9.0  # after these a platform that does not stop is ended: its data is safe at any moment
START_SECONDS: Final = 30.0


class Part(Protocol):
    """Something that runs beside the requests."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End, soon."""
        ...


class PlatformServer:
    """The platform of one process. `start` returns when it answers; usable as a context manager.

    admin_password: the admin's password where it was generated at this start, None otherwise. url: where it is reached.
    """

    def __init__(self, settings: Settings, *, services: Services | None = None) -> None:
        self.settings = settings
        self.admin_password: str | None = None
        self.url = ""
        self._services = services
        self._folder = DataFolder(settings.home)
        self._parts: list[Part] = []
        self._app: GatewayApp | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take the port and the folder, make sure that there is an admin, and begin to answer; PlatformError or AppError, one line, where that fails."""
        listening = bind(self.settings.host, self.settings.port)
        try:
            self._folder.take()
            self._start(listening)
        except BaseException:
            self.stop()
            listening.close()
            raise
        host, port = listening.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def stop(self) -> None:
        """Stop taking requests, end what runs beside them, and let the folder go; stopping twice is no error.

        Requests come to their end while the rest does, so that both together take no longer than one: work that one of them still starts is
        recorded, and waits for the next start.
        """
        if self._server is not None:
            self._server.should_exit = True
        for part in reversed(self._parts):
            part.stop()
        if self._thread is not None:
            self._thread.join(DRAIN_SECONDS + 2)
        if self._app is not None:
            self._app.close()
        self._parts, self._server, self._thread, self._app = [], None, None, None
        self._folder.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def services(self) -> Services:
        """The services that requests are answered with."""
        return self._services or build_services()

    def _start(self, listening: Any) -> None:
        services, template = self.services, Template.load()
        if services.settings.home != self.settings.home:
            raise PlatformError(f"The services of this process belong to {services.settings.home}, not to {self.settings.home}.")
        services.identity.prepare()
        self.admin_password = services.identity.ensure_admin(self.settings.admin_password)
        gateway = Gateway(template)
        gateway.load()
        for part in background(services, template):
            part.start()
            self._parts.append(part)
        self._app = GatewayApp(gateway, services.clock, services.ids)
        self._server = uvicorn.Server(_config(self._app))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, name="http", daemon=True)
        self._thread.start()
        self._wait_until_started(self._server, self._thread)

    @staticmethod
    def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise PlatformError("The HTTP server did not start; the log has why.")
            time.sleep(0.005)


def background(services: Services, template: Template) -> list[Part]:
    """Return what runs beside the requests, in the order in which it starts."""
    parts: list[Part] = [OutboxPublisher(services, template), WorkflowEngine(services, template)]
    return [*parts, Scheduler(services, template)] if services.settings.schedules else parts


def serve(settings: Settings, announce: Callable[[PlatformServer], None], ending: Ending) -> None:
    """Run the platform until its end is asked for, and stop within ten seconds. `announce` is called once it answers."""
    if ending.is_set():
        return
    server = PlatformServer(settings)
    try:
        server.start()
        announce(server)
        ending.wait()
    finally:
        with bounded():
            server.stop()


@contextmanager
def bounded() -> Iterator[None]:
    """End the process where what is done in here, which is to stop, takes longer than it may."""
    guard = threading.Timer(STOP_SECONDS, os._exit, (1,))
    guard.daemon = True
    guard.start()
    try:
        yield
    finally:
        guard.cancel()


def _config(app: GatewayApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
