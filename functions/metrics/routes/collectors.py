"""Routes of collectors."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from functions.metrics.routes.collections import STARTS
from functions.metrics.schemas.collections import CollectionOut
from functions.metrics.schemas.collectors import CollectorHealthOut, CollectorIn, CollectorOut, NewCollectorIn
from upid.domain.errors import NotFoundError
from upid.http.answers import accepted, created, no_content
from upid.http.api import PREFIX, Router
from upid.http.paging import Cursor, Limit, Page
from upid.http.params import CurrentCaller, Injected
from upid.services.collectors import CollectorExistsError

router = Router("/metrics/collectors", tag="Metrics Collection")


@router.get("", permission="metrics:read")
def list_collectors(services: Injected, caller: CurrentCaller, limit: Limit = 100, cursor: Cursor = None) -> Page[CollectorOut]:
    """List the collectors, in the order in which their clusters were registered. Registering a cluster creates its collector."""
    views, after = services.collectors.list(caller.tenant, after=cursor, limit=limit)
    return Page.of(views, after, CollectorOut.of)


@router.post("", permission="metrics:write", status=201, errors=(NotFoundError, CollectorExistsError))
def create_collector(body: NewCollectorIn, services: Injected, caller: CurrentCaller) -> Response[CollectorOut]:
    """Give a cluster a collector again after it was deleted."""
    collector = CollectorOut.of(services.collectors.create(caller, body.cluster_id, body.settings()))
    return created(collector, location=f"{PREFIX}/metrics/collectors/{collector.id}")


@router.get("/<collector_id>", permission="metrics:read", errors=(NotFoundError,))
def get_collector(collector_id: str, services: Injected, caller: CurrentCaller) -> CollectorOut:
    """Show a collector."""
    return CollectorOut.of(services.collectors.get(caller.tenant, collector_id))


@router.put("/<collector_id>", permission="metrics:write", errors=(NotFoundError,))
def replace_collector(collector_id: str, body: CollectorIn, services: Injected, caller: CurrentCaller) -> CollectorOut:
    """Replace what a client decides of a collector. How far back is for the first collection alone: later ones go on where the last ended."""
    return CollectorOut.of(services.collectors.replace(caller, collector_id, body.settings()))


@router.delete("/<collector_id>", permission="metrics:write", status=204, errors=(NotFoundError,))
def delete_collector(collector_id: str, services: Injected, caller: CurrentCaller) -> Response[None]:
    """Remove a collector. What was collected stays until its cluster is deleted."""
    services.collectors.delete(caller, collector_id)
    return no_content()


@router.post("/<collector_id>/start", permission="metrics:write", errors=(NotFoundError,))
def start_collector(collector_id: str, services: Injected, caller: CurrentCaller) -> CollectorOut:
    """Let the schedule collect again. A collector that runs already stays as it is."""
    return CollectorOut.of(services.collectors.set_state(caller, collector_id, "running"))


@router.post("/<collector_id>/stop", permission="metrics:write", errors=(NotFoundError,))
def stop_collector(collector_id: str, services: Injected, caller: CurrentCaller) -> CollectorOut:
    """Keep the schedule from collecting. A collection that runs comes to its end; what was missed is collected after the start."""
    return CollectorOut.of(services.collectors.set_state(caller, collector_id, "stopped"))


@router.post("/<collector_id>/run", permission="metrics:write", status=202, errors=STARTS)
def run_collector(collector_id: str, services: Injected, caller: CurrentCaller) -> Response[CollectionOut]:
    """Collect now, whatever the interval and the state. While a collection of the cluster runs, that one is answered."""
    collection = CollectionOut.of(services.collectors.run(caller, collector_id))
    return accepted(collection, location=f"{PREFIX}/metrics/collect/{collection.id}")


@router.get("/<collector_id>/health", permission="metrics:read", errors=(NotFoundError,))
def get_collector_health(collector_id: str, services: Injected, caller: CurrentCaller) -> CollectorHealthOut:
    """Tell how a collector does: lag, gaps, the last error, samples per second."""
    return CollectorHealthOut.of(services.collectors.health(caller, collector_id))
