"""Routes of how clusters stand."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.clusters.schemas_state import ClusterHealthOut, ClusterMetricsOut, ClusterStatusOut, ClusterValidationOut, LiveQuery
from upid.domain.errors import NotFoundError
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected
from upid.services.cluster_objects import AccessRefusedError, ClusterUnavailableError
from upid.services.surveys import NotObservedError

Moment = Annotated[LiveQuery, Query()]

router = Router("/clusters", tag="Cluster Health & Status")


@router.post("/<cluster_id>/validate", permission="clusters:write", errors=(NotFoundError,))
def validate_cluster(cluster_id: str, services: Injected, caller: CurrentCaller) -> ClusterValidationOut:
    """Try out a cluster's access, item by item.

    Asks the cluster now: whether it is reached, its TLS and version, each permission that collecting, showing and rollouts need, in-place resize, and
    the metrics source. A cluster that fails is no error: the answer tells what is missing, with manifests of the least rights to mend it.
    """
    return ClusterValidationOut.of(services.cluster_checks.validate(caller, cluster_id))


@router.get("/<cluster_id>/health", permission="clusters:read", errors=(NotFoundError,))
def get_cluster_health(cluster_id: str, services: Injected, caller: CurrentCaller, moment: Moment) -> ClusterHealthOut:
    """Tell how well a cluster is: its connections, collection, nodes and pods. Live also tries out the connections."""
    return ClusterHealthOut.of(services.cluster_health.health(caller, cluster_id, live=moment.live))


@router.get("/<cluster_id>/status", permission="clusters:read", errors=(NotFoundError, ClusterUnavailableError, AccessRefusedError))
def get_cluster_status(cluster_id: str, services: Injected, caller: CurrentCaller, moment: Moment) -> ClusterStatusOut:
    """Tell what is known of a cluster: its version, how many objects it has, what could not be read, and how its collection stands."""
    return ClusterStatusOut.of(services.cluster_health.status(caller, cluster_id, live=moment.live))


@router.get(
    "/<cluster_id>/metrics",
    permission="clusters:read",
    errors=(NotFoundError, NotObservedError, ClusterUnavailableError, AccessRefusedError),
)
def get_cluster_metrics(cluster_id: str, services: Injected, caller: CurrentCaller, moment: Moment) -> ClusterMetricsOut:
    """Tell how much CPU and memory a cluster's nodes can give, how much its pods ask for, by namespace too, and how much is used."""
    return ClusterMetricsOut.of(services.cluster_health.metrics(caller, cluster_id, live=moment.live))
