"""Whose clusters may be reached as the platform itself: as its role in AWS, or as the service account of the pod that it runs in.

Those are the operator's. A tenant that may name any EKS cluster, any workspace of Amazon Managed Prometheus or the platform's own cluster reads what
the operator may read, so the operator says which tenants may: the first one, which is his own, unless he says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import ForbiddenError

EVERYBODY: Final = "*"


class OwnIdentityError(ForbiddenError):
    """The tenant may not use the identity that the platform itself has in AWS or in the cluster that it runs in."""

    title = "Not as the platform itself"


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """tenants: those that may use the platform's own identity; `*` = all of them."""

    tenants: frozenset[str]

    def hold(self, tenant: str, cluster: ClusterAccess, metrics: MetricsAccess) -> None:
        """Hold that a tenant may use an access; OwnIdentityError where it needs the platform's own identity and the tenant may not."""
        used = _used(cluster, metrics)
        if used and not self.tenants & {tenant, EVERYBODY}:
            raise OwnIdentityError(
                f"{used} is reached as the platform itself, which the operator allows other tenants only (UPID_OWN_IDENTITY): "
                "give credentials of your own.", way=used,
            )  # fmt: skip


def external_id(tenant: str) -> str:
    """Return the external id that a role is assumed with for a tenant: what its trust policy asks for, so that no other tenant gets in by its name."""
    return f"upid:{tenant}"


def _used(cluster: ClusterAccess, metrics: MetricsAccess) -> str:
    """Return what of an access needs the platform's own identity, "" = nothing."""
    if cluster.in_cluster:
        return "in_cluster"
    if cluster.eks_name:
        return "eks"
    return metrics.kind if metrics.kind == "amp" else ""
