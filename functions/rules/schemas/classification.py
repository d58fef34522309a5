"""Classes of workloads, and which are alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, create_model, model_validator

from upid.http.schemas import Answer, Body
from upid.services.classification.model import DEFAULTS, ClassificationRequest, SimilarityRequest, Subject, Vector

Group = Literal["resources", "traffic", "application", "scaling"]
Name = Annotated[str, Field(min_length=1, max_length=253)]
Share = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False, description="[1]")]
Strength = Annotated[float, Field(ge=0, le=1, description="Share of the variance that the cycle explains. [1]")]


class ClassBoundsBase(Body):
    """Bounds of the classes in place of the defaults. Shares are of 1."""

    def given(self) -> dict[str, float]:
        """Return what was given."""
        found: dict[str, float] = self.model_dump(exclude_none=True)
        return found


_FIELDS: Any = {
    name: (Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)] | None, Field(default=None, description=f"Default {value:g}."))
    for name, value in DEFAULTS.items()
}
ClassBoundsIn = create_model("ClassBoundsIn", __base__=ClassBoundsBase, **_FIELDS)


class SubjectIn(Body):
    """A workload to classify; what is not known is left out."""

    name: Name
    namespace: str = Field(default="", max_length=253)
    kind: str = Field(default="", max_length=63)
    cpu_utilization: Share | None = Field(default=None, description="Use over request. [1]")
    memory_utilization: Share | None = Field(default=None, description="Use over request. [1]")
    io_utilization: Share | None = Field(default=None, description="Use of disk or network over its capacity. [1]")
    variation: Share | None = Field(default=None, description="Coefficient of variation of use. [1]")
    growth_per_week: FiniteFloat | None = Field(default=None, description="[1]")
    daily: Strength | None = None
    weekly: Strength | None = None
    monthly: Strength | None = None
    replicas: int | None = Field(default=None, ge=0, le=1_000_000)
    autoscaled: bool | None = None
    cpu_request_cores: FiniteFloat | None = Field(default=None, ge=0)
    memory_request_bytes: FiniteFloat | None = Field(default=None, ge=0)
    images: list[str] = Field(default=[], max_length=100)
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(default=[], max_length=100)
    containers: list[str] = Field(default=[], max_length=100)
    hours: FiniteFloat | None = Field(default=None, ge=0, description="Time that the measures are of. [h]")

    def subject(self) -> Subject:
        """Return what the service takes."""
        plain = self.model_dump(exclude={"images", "ports", "containers"})
        return Subject(**plain, images=tuple(self.images), ports=tuple(self.ports), containers=tuple(self.containers))


class CategorizeIn(Body):
    """Workloads to classify by given measures."""

    workloads: list[SubjectIn] = Field(min_length=1, max_length=1000)
    thresholds: ClassBoundsIn = ClassBoundsIn()  # type: ignore[valid-type] # the model is made from the table of defaults

    def bounds(self) -> dict[str, float]:
        """Return the thresholds that were given."""
        found: dict[str, float] = self.thresholds.given()  # type: ignore[attr-defined] # the same
        return found


class ClassifyIn(Body):
    """Which workloads of a cluster to classify."""

    cluster_id: Name
    namespaces: list[Name] = Field(default=[], max_length=100)
    thresholds: ClassBoundsIn = ClassBoundsIn()  # type: ignore[valid-type] # the model is made from the table of defaults

    def request(self) -> ClassificationRequest:
        """Return what the service takes."""
        return ClassificationRequest(self.cluster_id, tuple(self.namespaces), self.thresholds.given())  # type: ignore[attr-defined] # the same


class WorkloadClassOut(Answer):
    """A class that a workload is of, how sure that is, and why."""

    id: str
    group: Group
    confidence: float = Field(description="0 to 1: how clearly the bounds are passed, times how much was seen.")
    evidence: dict[str, Any] = Field(description="The measures and thresholds, or the signs that speak for it.")


class ClassifiedOut(Answer):
    """A workload with its classes."""

    namespace: str
    kind: str
    name: str
    uid: str
    measures: dict[str, Any]
    classes: list[WorkloadClassOut]
    unknown: list[str] = Field(description="Classes that can not be told, because a measure is missing.")


class CategorizedOut(Answer):
    """Given workloads with their classes."""

    thresholds: dict[str, float]
    items: list[ClassifiedOut]


class ClassificationOut(CategorizedOut):
    """A cluster's workloads with their classes, and how many there are of each."""

    cluster_id: str
    workloads: int
    classes: dict[str, int]


class ClassTypeOut(Answer):
    """A class, what it means, what it is judged by, and its default thresholds."""

    id: str
    group: Group
    title: str
    definition: str
    measures: list[str]
    bounds: dict[str, float]


class ClassTypesOut(Answer):
    """All classes."""

    items: list[ClassTypeOut]


class VectorIn(Body):
    """A workload as figures; null = not known."""

    name: Name
    features: dict[Name, Annotated[float, Field(ge=-1e100, le=1e100, allow_inf_nan=False)] | None] = Field(min_length=1, max_length=50)

    def vector(self) -> Vector:
        """Return what the service takes."""
        return Vector(self.name, self.features)


class SimilarityIn(Body):
    """Workloads to compare: those of a cluster, or given ones."""

    cluster_id: Name | None = None
    namespaces: list[Name] = Field(default=[], max_length=100)
    workloads: list[VectorIn] | None = Field(default=None, min_length=1, max_length=1000)
    neighbours: int = Field(default=5, ge=0, le=100, description="How many of the nearest are told.")
    within: FiniteFloat = Field(default=0.5, ge=0, le=1e6, description="Distance that joins two workloads into a group. [1]")

    @model_validator(mode="after")
    def _one_source(self) -> SimilarityIn:
        if (self.cluster_id is None) == (self.workloads is None):
            raise ValueError("give either cluster_id or workloads")
        return self

    def request(self) -> SimilarityRequest:
        """Return what the service takes."""
        vectors = tuple(each.vector() for each in self.workloads or ())
        return SimilarityRequest(self.cluster_id, tuple(self.namespaces), vectors, self.neighbours, self.within)


class NeighbourOut(Answer):
    """Another workload, and how far it is."""

    name: str
    distance: float = Field(description="Root mean square of the differences of the normalised features. [1]")


class SimilarOut(Answer):
    """A workload, its group, and who is nearest."""

    name: str
    group: int
    features: dict[str, float | None]
    neighbours: list[NeighbourOut]


class NormalisedFeatureOut(Answer):
    """How a feature was normalised: (value - centre) / spread."""

    name: str
    centre: float
    spread: float


class SimilarGroupOut(Answer):
    """Workloads that a chain of small distances joins."""

    id: int
    size: int
    members: list[str]


class SimilarityOut(Answer):
    """Which workloads are alike."""

    cluster_id: str | None = None
    features: list[NormalisedFeatureOut]
    items: list[SimilarOut]
    groups: list[SimilarGroupOut]
