"""Routes of the gateway itself."""

from __future__ import annotations

from functions.gateway.schemas import HealthOut
from upid import __version__
from upid.domain.errors import UnavailableError
from upid.domain.times import format_time
from upid.http.api import Router
from upid.http.params import Injected

router = Router("/gateway", tag="Gateway")


@router.post("/health", public=True, errors=(UnavailableError,))
def check_health(services: Injected) -> HealthOut:
    """Tell whether the platform can serve: its record store is read once."""
    return HealthOut(status="ok", version=__version__, time=format_time(services.clock.now()))
