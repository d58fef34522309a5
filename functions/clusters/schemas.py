"""What the clusters group takes and gives. Credentials go in and never come out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from upid.domain.clusters import ClusterAccess, MetricsAccess, MetricsKind
from upid.http.schemas import Answer, Body
from upid.services.clusters import Registration

Name = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$", examples=["production"])
]
Secret = Annotated[str, Field(max_length=65536, json_schema_extra={"writeOnly": True})]
HeaderName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, Field(max_length=8192, pattern=r"^[\x20-\x7e\t]*$", json_schema_extra={"writeOnly": True})]
TagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^=]+$")]
TagValue = Annotated[str, Field(max_length=256)]


class BasicAuthIn(Body):
    """Credentials of HTTP basic authentication."""

    username: str = Field(min_length=1, max_length=256, pattern=r"^[^:]+$")
    password: Secret = Field(repr=False)


class MetricsAccessIn(Body):
    """Where the cluster's usage is measured: a Prometheus HTTP API, what speaks it, or metrics-server behind the cluster's own API.

    `thanos`, `mimir` and `victoriametrics` are asked as each of them wants it; what they leave out of an answer is told. `amp` is Amazon Managed Service
    for Prometheus: requests are signed as the platform's own AWS identity. `metrics-server` takes no URL and keeps no history: confidence stays low.
    """

    kind: MetricsKind
    url: str = Field(
        default="", max_length=2048, description="Needed by every kind but metrics-server.", examples=["https://prometheus.example.com"]
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default={}, max_length=20, repr=False, description="Sent with every request, such as X-Scope-OrgID."
    )
    bearer_token: Secret | None = Field(default=None, repr=False)
    basic_auth: BasicAuthIn | None = None
    cluster_label: str = Field(
        default="",
        max_length=512,
        description="A matcher for a source that several clusters share; several are joined by commas.",
        examples=['cluster="production"'],
    )

    tenant: str = Field(default="", max_length=256, description="Whose series, for Mimir (X-Scope-OrgID) and Thanos (THANOS-TENANT).")
    aws_region: str = Field(
        default="", max_length=64, description="Region of the workspace, for amp; empty = as its URL tells.", examples=["eu-central-1"]
    )

    certificate_authority: str = Field(
        default="", max_length=65536, description="PEM text of whom to trust at an https URL; empty = the system's authorities."
    )

    def access(self) -> MetricsAccess:
        """Return what the service takes."""
        login = self.basic_auth or BasicAuthIn.model_construct(username="", password="")
        return MetricsAccess(
            self.url,
            self.kind,
            tuple(sorted(self.headers.items())),
            self.bearer_token or "",
            login.username,
            login.password,
            self.cluster_label,
            tenant=self.tenant,
            aws_region=self.aws_region,
            certificate_authority=self.certificate_authority,
        )


class EksIn(Body):
    """An EKS cluster by name. AWS tells where it is; tokens are signed as `aws eks get-token` does."""

    name: str = Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", examples=["production"])
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$", examples=["eu-central-1"])
    role_arn: str = Field(
        default="",
        max_length=2048,
        pattern=r"^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+)?$",
        description="The role to be in; empty = the platform's own.",
    )


class ClusterIn(Body):
    """A cluster to register, with exactly one way of access.

    `kubeconfig`; or `server` with `token` and, for a private one, `certificate_authority`; or `eks`; or `in_cluster`.
    """

    name: Name
    kubeconfig: str | None = Field(
        default=None, min_length=1, max_length=262144, repr=False, json_schema_extra={"writeOnly": True},
        description="A kubeconfig's text with inline data only: no exec, auth-provider or file paths.",
    )  # fmt: skip
    server: str = Field(default="", max_length=2048, description="URL of the API server.", examples=["https://10.0.0.1:6443"])
    certificate_authority: str = Field(default="", max_length=65536, description="PEM text; empty = the system's authorities.")
    token: Secret = Field(default="", repr=False)
    eks: EksIn | None = None
    in_cluster: bool = Field(default=False, description="The cluster that the platform runs in, by its pod's service account.")
    context: str = Field(default="", max_length=1024, description="A context of the kubeconfig; empty = its current one.")
    metrics: MetricsAccessIn
    region: str = Field(default="", max_length=128, examples=["eu-central-1"])
    tags: dict[TagKey, TagValue] = Field(default={}, max_length=50)

    def registration(self) -> Registration:
        """Return what the service takes; what comes over HTTP is never trusted."""
        access = ClusterAccess(
            kubeconfig=self.kubeconfig,
            context=self.context,
            server=self.server,
            certificate_authority=self.certificate_authority,
            token=self.token,
            eks_name=self.eks.name if self.eks else "",
            eks_region=self.eks.region if self.eks else "",
            role_arn=self.eks.role_arn if self.eks else "",
            in_cluster=self.in_cluster,
        )
        return Registration(self.name, access, self.metrics.access(), self.region, self.tags)


class MetricsAccessOut(Answer):
    """What may be shown of a metrics source: header names without values, and which way it authenticates."""

    kind: str
    url: str
    authentication: Literal["none", "bearer", "basic", "sigv4", "cluster"]
    headers: list[str]
    cluster_label: str | None
    tenant: str | None = None


class ClusterOut(Answer):
    """A registered cluster."""

    id: str
    name: str
    context: str = Field(description="The kubeconfig's context, or the server's host.")
    server: str = Field(description="URL of the API server where it was given apart from a kubeconfig, else empty.")
    region: str
    tags: dict[str, str]
    metrics: MetricsAccessOut
    created_at: str
    updated_at: str
    version: int = Field(description="One more with every change by a client; the ETag.")
    credentials_sealed_at: str | None = Field(
        description="When the data key that seals the credentials was made; null = before that was noted."
    )
    watermark: str | None = Field(description="End of what has been collected; null before the first collection.")
    step_seconds: int | None = Field(description="Step of the collected samples; null before the first collection.")
    last_collection_id: str | None
    latest_analysis_id: str | None

    @classmethod
    def of(cls, view: dict[str, Any]) -> ClusterOut:
        """Return the answer for a cluster's view."""
        return cls.model_validate(view)
