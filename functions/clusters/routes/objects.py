"""Routes of what clusters hold."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.clusters.schemas_objects import (
    ClusterConfigMapOut,
    ClusterDeploymentOut,
    ClusterNamespaceOut,
    ClusterNodeOut,
    ClusterPodOut,
    ClusterSecretOut,
    ClusterServiceOut,
    ClusterWorkloadOut,
    NamespacedFilters,
    ObjectFilters,
    ObservedPage,
)
from upid.domain.errors import NotFoundError
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected
from upid.services.cluster_objects import AccessRefusedError, ClusterUnavailableError, ListExpiredError
from upid.services.surveys import NotObservedError

router = Router("/clusters", tag="Resource Discovery")

ERRORS = (NotFoundError, NotObservedError, ListExpiredError, ClusterUnavailableError, AccessRefusedError)
Filters = Annotated[ObjectFilters, Query()]
InNamespace = Annotated[NamespacedFilters, Query()]


@router.get("/<cluster_id>/nodes", permission="clusters:read", errors=ERRORS)
def list_cluster_nodes(cluster_id: str, services: Injected, caller: CurrentCaller, filters: Filters) -> ObservedPage[ClusterNodeOut]:
    """List the cluster's nodes."""
    listed = services.cluster_objects.list(caller, cluster_id, "nodes", filters.query(ClusterNodeOut))
    return ObservedPage[ClusterNodeOut].observed(listed, filters)


@router.get("/<cluster_id>/namespaces", permission="clusters:read", errors=ERRORS)
def list_cluster_namespaces(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: Filters
) -> ObservedPage[ClusterNamespaceOut]:
    """List the cluster's namespaces."""
    listed = services.cluster_objects.list(caller, cluster_id, "namespaces", filters.query(ClusterNamespaceOut))
    return ObservedPage[ClusterNamespaceOut].observed(listed, filters)


@router.get("/<cluster_id>/workloads", permission="clusters:read", errors=ERRORS)
def list_cluster_workloads(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterWorkloadOut]:
    """List the cluster's workloads of every kind; live without bare pods and the kinds of operators."""
    listed = services.cluster_objects.list(caller, cluster_id, "workloads", filters.query(ClusterWorkloadOut))
    return ObservedPage[ClusterWorkloadOut].observed(listed, filters)


@router.get("/<cluster_id>/pods", permission="clusters:read", errors=ERRORS)
def list_cluster_pods(cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace) -> ObservedPage[ClusterPodOut]:
    """List the cluster's pods."""
    listed = services.cluster_objects.list(caller, cluster_id, "pods", filters.query(ClusterPodOut))
    return ObservedPage[ClusterPodOut].observed(listed, filters)


@router.get("/<cluster_id>/deployments", permission="clusters:read", errors=ERRORS)
def list_cluster_deployments(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterDeploymentOut]:
    """List the cluster's Deployments."""
    listed = services.cluster_objects.list(caller, cluster_id, "deployments", filters.query(ClusterDeploymentOut))
    return ObservedPage[ClusterDeploymentOut].observed(listed, filters)


@router.get("/<cluster_id>/services", permission="clusters:read", errors=ERRORS)
def list_cluster_services(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterServiceOut]:
    """List the cluster's Services."""
    listed = services.cluster_objects.list(caller, cluster_id, "services", filters.query(ClusterServiceOut))
    return ObservedPage[ClusterServiceOut].observed(listed, filters)


@router.get("/<cluster_id>/configmaps", permission="clusters:read", errors=ERRORS)
def list_cluster_config_maps(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterConfigMapOut]:
    """List the cluster's ConfigMaps: their keys and sizes, never a value."""
    listed = services.cluster_objects.list(caller, cluster_id, "configmaps", filters.query(ClusterConfigMapOut))
    return ObservedPage[ClusterConfigMapOut].observed(listed, filters)


@router.get("/<cluster_id>/secrets", permission="clusters:read", errors=ERRORS)
def list_cluster_secrets(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterSecretOut]:
    """List the cluster's Secrets: their names, types, sizes and ages, never a value."""
    listed = services.cluster_objects.list(caller, cluster_id, "secrets", filters.query(ClusterSecretOut))
    return ObservedPage[ClusterSecretOut].observed(listed, filters)
