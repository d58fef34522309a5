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
    fields = filters.picked(ClusterNodeOut)
    listed = services.cluster_objects.list(caller, cluster_id, "nodes", filters.query())
    return ObservedPage[ClusterNodeOut].observed(listed, ClusterNodeOut, fields)


@router.get("/<cluster_id>/namespaces", permission="clusters:read", errors=ERRORS)
def list_cluster_namespaces(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: Filters
) -> ObservedPage[ClusterNamespaceOut]:
    """List the cluster's namespaces."""
    fields = filters.picked(ClusterNamespaceOut)
    listed = services.cluster_objects.list(caller, cluster_id, "namespaces", filters.query())
    return ObservedPage[ClusterNamespaceOut].observed(listed, ClusterNamespaceOut, fields)


@router.get("/<cluster_id>/workloads", permission="clusters:read", errors=ERRORS)
def list_cluster_workloads(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterWorkloadOut]:
    """List the cluster's workloads of every kind; live without bare pods and the kinds of operators."""
    fields = filters.picked(ClusterWorkloadOut)
    listed = services.cluster_objects.list(caller, cluster_id, "workloads", filters.query())
    return ObservedPage[ClusterWorkloadOut].observed(listed, ClusterWorkloadOut, fields)


@router.get("/<cluster_id>/pods", permission="clusters:read", errors=ERRORS)
def list_cluster_pods(cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace) -> ObservedPage[ClusterPodOut]:
    """List the cluster's pods."""
    fields = filters.picked(ClusterPodOut)
    listed = services.cluster_objects.list(caller, cluster_id, "pods", filters.query())
    return ObservedPage[ClusterPodOut].observed(listed, ClusterPodOut, fields)


@router.get("/<cluster_id>/deployments", permission="clusters:read", errors=ERRORS)
def list_cluster_deployments(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterDeploymentOut]:
    """List the cluster's Deployments."""
    fields = filters.picked(ClusterDeploymentOut)
    listed = services.cluster_objects.list(caller, cluster_id, "deployments", filters.query())
    return ObservedPage[ClusterDeploymentOut].observed(listed, ClusterDeploymentOut, fields)


@router.get("/<cluster_id>/services", permission="clusters:read", errors=ERRORS)
def list_cluster_services(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterServiceOut]:
    """List the cluster's Services."""
    fields = filters.picked(ClusterServiceOut)
    listed = services.cluster_objects.list(caller, cluster_id, "services", filters.query())
    return ObservedPage[ClusterServiceOut].observed(listed, ClusterServiceOut, fields)


@router.get("/<cluster_id>/configmaps", permission="clusters:read", errors=ERRORS)
def list_cluster_config_maps(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterConfigMapOut]:
    """List the cluster's ConfigMaps: their keys and sizes, never a value."""
    fields = filters.picked(ClusterConfigMapOut)
    listed = services.cluster_objects.list(caller, cluster_id, "configmaps", filters.query())
    return ObservedPage[ClusterConfigMapOut].observed(listed, ClusterConfigMapOut, fields)


@router.get("/<cluster_id>/secrets", permission="clusters:read", errors=ERRORS)
def list_cluster_secrets(
    cluster_id: str, services: Injected, caller: CurrentCaller, filters: InNamespace
) -> ObservedPage[ClusterSecretOut]:
    """List the cluster's Secrets: their names, types, sizes and ages, never a value."""
    fields = filters.picked(ClusterSecretOut)
    listed = services.cluster_objects.list(caller, cluster_id, "secrets", filters.query())
    return ObservedPage[ClusterSecretOut].observed(listed, ClusterSecretOut, fields)
