"""What clusters hold, as it is shown. Where a query names `fields`, the others are left out of each item."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Generic, Literal, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, Field

from upid.domain.errors import InvalidRequestError
from upid.domain.times import format_time
from upid.http.paging import Page, decode_cursor, encode_cursor
from upid.http.schemas import Answer, PickedOut
from upid.services.cluster_objects import Listed, ObjectQuery

Namespace = Annotated[
    str, Field(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$", description="Only objects of this namespace.")
]


class ClusterObjectOut(PickedOut):
    """What every object has. `age_seconds` is null where its creation is not known."""

    name: str
    uid: str = ""
    created_at: str | None = None
    age_seconds: float | None = None
    labels: dict[str, str] = {}


class NamespacedObjectOut(ClusterObjectOut):
    """An object in a namespace."""

    namespace: str


class ClusterOwnerOut(Answer):
    """What controls an object."""

    kind: str
    name: str
    uid: str


class ClusterNodeOut(ClusterObjectOut):
    """A node: what it can give to pods, and how it is."""

    ready: bool = False
    schedulable: bool = Field(default=True, description="False where it is cordoned.")
    pressures: list[str] = Field(default=[], description="Conditions that it suffers from, such as MemoryPressure.")
    taints: list[str] = Field(default=[], description="As key:effect.")
    cpu_cores: float | None = None
    memory_bytes: float | None = None
    pods: float | None = Field(default=None, description="Most pods that it takes.")
    instance_type: str = ""
    region: str = ""
    zone: str = ""
    capacity_type: str = Field(default="", examples=["spot"])
    kubelet_version: str = ""
    architecture: str = ""
    os_image: str = ""


class ClusterNamespaceOut(ClusterObjectOut):
    """A namespace."""

    phase: str = Field(default="", examples=["Active"])


class ClusterWorkloadOut(NamespacedObjectOut):
    """A workload of any kind; an Argo Rollout is one."""

    kind: str = Field(default="", examples=["Deployment"])
    replicas: int | None = Field(default=None, description="Null where the kind has none, as a CronJob.")
    ready_replicas: int | None = None
    images: list[str] = []


class ClusterPodOut(NamespacedObjectOut):
    """A pod."""

    phase: str = Field(default="", examples=["Running"])
    reason: str = Field(default="", description="Why it does not run, such as CrashLoopBackOff, Evicted or Terminating.")
    resize: str = Field(
        default="", description="How a resize in place stands: in_progress, deferred or infeasible; empty = none is under way."
    )
    node: str = ""
    owner: ClusterOwnerOut | None = None
    containers: int = Field(default=0, description="Those that run together, sidecars included.")
    ready_containers: int = 0
    restarts: int = 0
    qos_class: str = ""
    cpu_request_cores: float | None = Field(default=None, description="As the scheduler counts it, sidecars, start and overhead included.")
    memory_request_bytes: float | None = None


class ClusterDeploymentOut(ClusterWorkloadOut):
    """A Deployment of the cluster."""

    updated_replicas: int = 0
    available_replicas: int = 0
    paused: bool = False
    strategy: str = ""
    generation: int = 0
    revision: str = ""


class ClusterServicePortOut(Answer):
    """A port of a Service."""

    name: str
    port: int
    protocol: str
    target: str


class ClusterServiceOut(NamespacedObjectOut):
    """A Service."""

    type: str = Field(default="", examples=["ClusterIP"])
    cluster_ip: str = ""
    external_name: str = ""
    selector: dict[str, str] = {}
    ports: list[ClusterServicePortOut] = []


class ClusterContentKeyOut(Answer):
    """A key of a ConfigMap, without its value."""

    name: str
    size_bytes: int


class ClusterConfigMapOut(NamespacedObjectOut):
    """A ConfigMap: its keys and their sizes, never a value."""

    keys: list[ClusterContentKeyOut] = []
    size_bytes: int = 0
    immutable: bool = False


class ClusterSecretOut(NamespacedObjectOut):
    """A Secret: its type, size and age, never a value."""

    type: str = Field(default="", examples=["kubernetes.io/tls"])
    keys: int = Field(default=0, description="How many keys it has.")
    size_bytes: int = 0
    immutable: bool = False


Shown = TypeVar("Shown", bound=ClusterObjectOut)


class ObservedPage(Page[Shown], Generic[Shown]):
    """A page of a cluster's objects, and when they were as they are shown."""

    source: Literal["live", "snapshot"]
    observed_at: str
    age_seconds: float = Field(description="How long ago that was; 0 where it is live.")
    malformed: int = Field(description="Objects of this page that could not be read and are left out.")

    @classmethod
    def observed(cls, listed: Listed, filters: ObjectFilters) -> Self:
        """Return the page of a list, with the fields of each item that filters name (all without)."""
        (shown,) = get_args(cls.model_fields["items"].annotation)
        fields = filters.named()
        picked = fields | {"name", "namespace"} if fields else frozenset(shown.model_fields)
        items = [shown.model_validate({name: value for name, value in row.items() if name in picked}) for row in listed.rows]
        return cls(
            items=items, next_cursor=None if listed.after is None else encode_cursor(listed.after), source=listed.source,
            observed_at=format_time(listed.observed_at), age_seconds=listed.age_seconds, malformed=listed.malformed,
        )  # fmt: skip


class ObjectFilters(Answer):
    """Which objects of the cluster, and how much of each."""

    selector: str = Field(
        default="", max_length=2000, description="Label selector as kubectl takes it.", examples=["app=web,tier in (front, back)"]
    )
    fields: str = Field(
        default="", max_length=1000, description="Only these fields of each item, separated by commas; `name` is always there."
    )
    live: bool = Field(default=False, description="Ask the cluster now, instead of answering from what the last collection saw.")
    limit: int = Field(default=100, ge=1, le=500, description="How many items a page has at most; it may have fewer and not be the last.")
    cursor: Annotated[str | None, AfterValidator(decode_cursor)] = Field(
        default=None, max_length=8000, description="Where to go on: `next_cursor` of the page before, with the same query otherwise."
    )

    def named(self) -> frozenset[str]:
        """Return the fields that were asked for, none for all."""
        return frozenset(filter(None, (name.strip() for name in self.fields.split(","))))

    def query(self, shown: type[BaseModel]) -> ObjectQuery:
        """Return what the service takes; InvalidRequestError for a field that items, which are `shown` so, do not have."""
        unknown = sorted(self.named() - set(shown.model_fields))
        if unknown:
            raise InvalidRequestError(
                [{"pointer": "?fields", "detail": f"There is no field {unknown[0]!r}: there are {', '.join(shown.model_fields)}."}]
            )
        return ObjectQuery("", self.selector, self.live, self.limit, self.cursor)


class NamespacedFilters(ObjectFilters):
    """The same, of one namespace or of all."""

    namespace: Namespace = ""

    def query(self, shown: type[BaseModel]) -> ObjectQuery:
        """Return what the service takes, as `ObjectFilters.query`."""
        return replace(super().query(shown), namespace=self.namespace)
