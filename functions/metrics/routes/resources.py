"""Routes of usage now."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, Field

from functions.metrics.schemas.resources import (
    ClusterUsageOut,
    ContainerUsageOut,
    NetworkUsageOut,
    NodeUsageOut,
    PodUsageOut,
    StorageUsageOut,
)
from upid.domain.errors import NotFoundError
from upid.http.api import Router
from upid.http.paging import Cursor, Limit, Page, slice_after
from upid.http.params import CurrentCaller, Injected
from upid.http.schemas import Answer
from upid.services.analyses import NothingCollectedError

router = Router("/metrics/resources", tag="Resource Metrics")

ERRORS = (NotFoundError, NothingCollectedError)


class NowFilters(Answer):
    """Of which namespace, and which page."""

    namespace: str = Field("", max_length=253, description="Only this namespace.")
    limit: Annotated[int, Field(ge=1, le=500, description="How many items a page has at most.")] = 100
    cursor: Cursor = None


class DetailFilters(NowFilters):
    """The same, and what the figures are summed over."""

    by: Literal["pod", "workload", "namespace", "node", "cluster"] = Field("workload", description="What each item is of.")


Filters = Annotated[NowFilters, Query()]
Details = Annotated[DetailFilters, Query()]
Model = TypeVar("Model", bound=BaseModel)


def page_of(model: type[Model], entries: list[dict[str, Any]], after: str | None, limit: int) -> Page[Model]:
    """Return one page of entries in the order of their `key`."""
    found, cursor = slice_after(entries, lambda entry: str(entry["key"]), after=after, limit=limit)
    return Page(items=[model.model_validate(entry) for entry in found], next_cursor=cursor)


@router.get("/<cluster_id>", permission="metrics:read", errors=ERRORS)
def get_current_usage(cluster_id: str, services: Injected, caller: CurrentCaller) -> ClusterUsageOut:
    """Tell what a cluster uses now, beside what is requested and what its nodes can give."""
    return ClusterUsageOut.model_validate(services.current_usage.overview(caller.tenant, cluster_id))


@router.get("/<cluster_id>/pods", permission="metrics:read", errors=ERRORS)
def list_pod_usage(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Filters) -> Page[PodUsageOut]:
    """List what each pod uses now, with its containers, by namespace and name."""
    return page_of(PodUsageOut, services.current_usage.pods(caller.tenant, cluster_id, filters.namespace), filters.cursor, filters.limit)


@router.get("/<cluster_id>/nodes", permission="metrics:read", errors=ERRORS)
def list_node_usage(
    cluster_id: str, services: Injected, caller: CurrentCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[NodeUsageOut]:
    """List what the pods of each node use now, by the node's name. What the system itself uses is not in it."""
    return page_of(NodeUsageOut, services.current_usage.nodes(caller.tenant, cluster_id), cursor, limit)


@router.get("/<cluster_id>/cpu", permission="metrics:read", errors=ERRORS)
def list_cpu_usage(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Filters) -> Page[ContainerUsageOut]:
    """List what each workload's containers use of CPU now, beside request and limit. [cores]."""
    return page_of(
        ContainerUsageOut,
        services.current_usage.containers(caller.tenant, cluster_id, "cpu_cores", filters.namespace),
        filters.cursor,
        filters.limit,
    )


@router.get("/<cluster_id>/memory", permission="metrics:read", errors=ERRORS)
def list_memory_usage(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Filters) -> Page[ContainerUsageOut]:
    """List what each workload's containers use of memory now (working set), beside request and limit. [bytes]."""
    return page_of(
        ContainerUsageOut,
        services.current_usage.containers(caller.tenant, cluster_id, "memory_bytes", filters.namespace),
        filters.cursor,
        filters.limit,
    )


@router.get("/<cluster_id>/storage", permission="metrics:read", errors=ERRORS)
def list_storage_usage(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Details) -> Page[StorageUsageOut]:
    """List what containers keep in files and what volumes hold now, beside what was asked for.

    By pod, workload, namespace or node, or for the whole cluster.
    """
    found = services.current_details.storage(caller.tenant, cluster_id, filters.by, filters.namespace)
    return page_of(StorageUsageOut, found, filters.cursor, filters.limit)


@router.get("/<cluster_id>/network", permission="metrics:read", errors=ERRORS)
def list_network_usage(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Details) -> Page[NetworkUsageOut]:
    """List what pods receive and send now, with dropped packets and errors.

    By pod, workload, namespace or node, or for the whole cluster.
    """
    found = services.current_details.network(caller.tenant, cluster_id, filters.by, filters.namespace)
    return page_of(NetworkUsageOut, found, filters.cursor, filters.limit)
