"""Routes of workload classification."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.rules.schemas.classification import (
    CategorizedOut,
    CategorizeIn,
    ClassificationOut,
    ClassifyIn,
    ClassTypesOut,
    SimilarityIn,
    SimilarityOut,
)
from upid.domain.errors import NotFoundError
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected
from upid.services.analyses import NothingCollectedError

router = Router("/classification", tag="Workload Classification")

Namespace = Annotated[str | None, Query(max_length=253, description="Only workloads of this namespace.")]
NEEDS_USAGE = (NotFoundError, NothingCollectedError)


@router.post("/analyze", permission="classification:read", errors=NEEDS_USAGE)
def classify_cluster(body: ClassifyIn, services: Injected, caller: CurrentCaller) -> ClassificationOut:
    """Classify the workloads of a cluster by resources, traffic, application and scaling, with evidence and confidence for each class."""
    return ClassificationOut.model_validate(services.classification.analyze(caller.tenant, body.request()))


@router.get("/types", permission="classification:read")
def get_workload_types(services: Injected) -> ClassTypesOut:
    """Return the classes, what each means, and its default thresholds."""
    return ClassTypesOut.model_validate(services.classification.types())


@router.post("/categorize", permission="classification:read")
def categorize_workloads(body: CategorizeIn, services: Injected) -> CategorizedOut:
    """Classify workloads by measures of the request, such as use over request and the coefficient of variation."""
    return CategorizedOut.model_validate(services.classification.categorize([each.subject() for each in body.workloads], body.bounds()))


@router.get("/<cluster_id>/workload-patterns", permission="classification:read", errors=NEEDS_USAGE)
def get_workload_patterns(cluster_id: str, services: Injected, caller: CurrentCaller, namespace: Namespace = None) -> ClassificationOut:
    """Return the resource and traffic patterns of a cluster's workloads: intensity, steadiness, bursts, cycles, growth."""
    return ClassificationOut.model_validate(services.classification.patterns(caller.tenant, cluster_id, namespace=namespace))


@router.post("/similarity-analysis", permission="classification:read", errors=NEEDS_USAGE)
def analyze_similarity(body: SimilarityIn, services: Injected, caller: CurrentCaller) -> SimilarityOut:
    """Tell which workloads are alike: distances over normalised features, nearest neighbours, groups."""
    return SimilarityOut.model_validate(services.classification.similar(caller.tenant, body.request()))
