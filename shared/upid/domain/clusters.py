"""Clusters as they are registered, and how to reach them and their metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MetricsKind = Literal["prometheus", "thanos", "mimir", "victoriametrics", "amp", "metrics-server"]


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """How to reach a Kubernetes API server. Secrets stay inside: never shown, never logged.

    Either `kubeconfig` (its text, with `context`, "" = the current one; `trusted` = it came from a file named at the command line or at
    start-up, so exec plugins and paths are allowed, relative to `base_path`), or `server` with `certificate_authority` (PEM) and `token`,
    or an EKS cluster by `eks_name` and `eks_region`, as `role_arn` ("" = the platform's own role), taken on with `external_id`, or `in_cluster`: the one that the platform runs in.
    `system` names it among all outside systems (`<cluster's id>/kubernetes`), so that its connections and its circuit are its own; "" = it has none.
    """

    kubeconfig: str | None = None
    context: str = ""
    trusted: bool = False
    base_path: str = ""
    server: str = ""
    certificate_authority: str = ""
    token: str = ""
    eks_name: str = ""
    eks_region: str = ""
    role_arn: str = ""
    in_cluster: bool = False
    external_id: str = field(default="", compare=False)
    system: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return f"ClusterAccess(server={self.server!r}, context={self.context!r})"


@dataclass(frozen=True, slots=True)
class MetricsAccess:
    """How to reach what measures usage: a Prometheus HTTP API, or metrics-server behind the cluster's own API.

    `cluster_label` is a matcher such as `cluster="prod"`, or several joined by commas, for a source that several clusters share; `tenant` is whose
    series are asked for where a source keeps tenants apart by a header (Mimir, Thanos). `aws_region` signs requests to Amazon Managed Prometheus
    ("" = as its URL says). `certificate_authority`: PEM text of whom to trust there, "" = the system's authorities. `cluster` is where the API server is, for metrics-server alone. `system`: as in ClusterAccess.
    """

    url: str = ""
    kind: MetricsKind = "prometheus"
    headers: tuple[tuple[str, str], ...] = ()
    bearer_token: str = ""
    username: str = ""
    password: str = ""
    cluster_label: str = ""
    max_qps: float = 0.0
    tenant: str = ""
    aws_region: str = ""
    certificate_authority: str = ""
    cluster: ClusterAccess | None = field(default=None, compare=False)
    system: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return f"MetricsAccess(kind={self.kind!r}, url={self.url!r}, cluster_label={self.cluster_label!r})"
