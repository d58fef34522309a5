"""The only place that chooses adapters. Services are built on first use, never at import, and import what they need then."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from upid.settings import Settings

if TYPE_CHECKING:
    from upid.ports.clock import Clock


class Services:
    """The services of one process. A test replaces a port by setting the attribute of its name before it is used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        """The system's clock."""
        from upid.adapters.system.clock import SystemClock

        return SystemClock()


@cache
def build_services() -> Services:
    """Return the services of this process, built on first use from its environment."""
    return Services(Settings.from_environment())
