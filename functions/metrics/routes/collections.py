"""Routes of collections."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query

from functions.metrics.schemas.collections import CollectIn, CollectionOut, CollectionStatusOut
from upid.domain.errors import NotFoundError
from upid.http.answers import accepted
from upid.http.api import PREFIX, Router
from upid.http.paging import Cursor, Limit, Page
from upid.http.params import CurrentCaller, Injected
from upid.services.collections import CollectionRunningError, StepConflictError
from upid.services.idempotency import IdempotencyKeyReusedError

router = Router("/metrics", tag="Metrics Collection")

STARTS = (NotFoundError, CollectionRunningError, StepConflictError, IdempotencyKeyReusedError)
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=255, description="Sending a request twice with the same key starts it once.")
]


@router.post("/collect", permission="metrics:write", status=202, errors=STARTS)
def collect_usage(
    body: CollectIn, services: Injected, caller: CurrentCaller, idempotency_key: IdempotencyKey = ""
) -> Response[CollectionOut]:
    """Collect the usage of a cluster from where the last collection ended.

    One collection of a cluster runs at a time: while one runs, this answers the running one, or 409 where other parameters are asked for.
    """
    collection = CollectionOut.of(services.collections.start(caller, body.request(), idempotency_key=idempotency_key))
    return accepted(collection, location=f"{PREFIX}/metrics/collect/{collection.id}")


@router.get("/collect/<collection_id>", permission="metrics:read", errors=(NotFoundError,))
def get_collection(collection_id: str, services: Injected, caller: CurrentCaller) -> CollectionOut:
    """Tell how a collection stands, with its figures once it ended."""
    return CollectionOut.of(services.collections.view(caller.tenant, collection_id))


@router.get("/status", permission="metrics:read", errors=(NotFoundError,))
def list_collection_status(
    services: Injected,
    caller: CurrentCaller,
    cluster_id: Annotated[str, Query(max_length=64, description="Only this cluster.")] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[CollectionStatusOut]:
    """Tell for each cluster up to when its usage is collected, how far that lags, and how its last collection ended."""
    views, after = services.collections.status(caller, cluster_id=cluster_id, after=cursor, limit=limit)
    return Page.of(views, after, CollectionStatusOut.of)
