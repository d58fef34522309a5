"""Routes of the gateway itself."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from functions.gateway.groups import apis, openapi_text
from functions.gateway.page import HEADERS, page
from functions.gateway.schemas import HealthOut, MetricsOut, RouteOut
from upid import __version__
from upid.domain.errors import UnavailableError
from upid.domain.times import format_time
from upid.http.api import Router
from upid.http.paging import Cursor, Limit, Page, slice_after
from upid.http.params import Injected
from upid.ports.records import Key

router = Router("/gateway", tag="Gateway")
documents = Router("", tag="Documentation")


@router.post("/health", public=True, errors=(UnavailableError,))
def check_health(services: Injected) -> HealthOut:
    """Tell whether the platform can serve: its record store is read once."""
    services.records.get(Key("g#health", "probe"))
    return HealthOut(status="ok", version=__version__, time=format_time(services.clock.now()))


@router.get("/health", public=True, errors=(UnavailableError,))
def get_health(services: Injected) -> HealthOut:
    """Tell whether the platform can serve, for probes that send GET."""
    return check_health(services)


@router.get("/metrics", permission="gateway:read")
def get_gateway_metrics(services: Injected) -> MetricsOut:
    """Return what the process that answers keeps in memory, and how often that was of use; other processes have their own."""
    return MetricsOut.of(services.clock.now(), services.caches.counts())


@router.get("/routes", permission="gateway:read")
def list_routes(limit: Limit = 100, cursor: Cursor = None) -> Page[RouteOut]:
    """List the routes of all groups with the permission that each needs."""
    routes = [RouteOut.of((name, endpoint)) for name, api in apis().items() for endpoint in api.endpoints]
    items, after = slice_after(routes, lambda route: f"{route.path} {route.method}", after=cursor, limit=limit)
    return Page(items=items, next_cursor=after)


@documents.get("/openapi.json", public=True, content="application/json")
def get_openapi_document() -> Response[str]:
    """Return the OpenAPI document of the whole API."""
    return Response(200, "application/json", openapi_text(), headers={"Cache-Control": "public, max-age=60"})


@documents.get("/docs", public=True, content="text/html")
def get_documentation_page() -> Response[str]:
    """Return the page that shows the OpenAPI document to people."""
    return Response(200, "text/html; charset=utf-8", page(), headers=HEADERS)
