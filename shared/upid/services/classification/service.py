"""Classification of workloads as clients ask for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upid.services.classification.model import DEFAULTS, TYPES, ClassificationRequest, SimilarityRequest, Subject, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from upid.services.features import ClusterFeatures


@dataclass(frozen=True, slots=True)
class ClassificationService:
    """Classifies and compares workloads. Nothing is stored: the same usage gives the same answer."""

    features: Callable[[], ClusterFeatures]

    def types(self) -> dict[str, Any]:
        """Return every class with what it means and the default thresholds."""
        return {"items": [{**each._asdict(), "bounds": {name: DEFAULTS[name] for name in each.bounds}} for each in TYPES]}

    def categorize(self, subjects: Sequence[Subject], thresholds: Mapping[str, float]) -> dict[str, Any]:
        """Return given workloads with their classes; InvalidRequestError for thresholds that contradict each other."""
        from upid.services.classification.classifying import classified  # noqa: PLC0415 API groups must start without numpy

        return {"thresholds": DEFAULTS | dict(thresholds), "items": classified(subjects, thresholds)}

    def analyze(self, tenant: str, request: ClassificationRequest) -> dict[str, Any]:
        """Return the workloads of a cluster with their classes, and how many there are of each class.

        Raises NotFoundError without the cluster, NothingCollectedError, InvalidRequestError for thresholds that contradict each other.
        """
        from upid.services.classification.classifying import classified  # noqa: PLC0415 API groups must start without numpy

        items = classified(self._subjects(tenant, request.cluster_id, request.namespaces), request.thresholds)
        return {
            "cluster_id": request.cluster_id, "thresholds": DEFAULTS | dict(request.thresholds), "workloads": len(items), "classes": counts(items),
            "items": items,
        }  # fmt: skip

    def patterns(self, tenant: str, cluster_id: str, *, namespace: str | None) -> dict[str, Any]:
        """Return the resource and traffic patterns of a cluster's workloads, and how many there are of each; errors as `analyze`."""
        found = self.analyze(tenant, ClassificationRequest(cluster_id, (namespace,) if namespace else ()))
        groups = {"resources", "traffic"}
        items = [item | {"classes": [each for each in item["classes"] if each["group"] in groups]} for item in found["items"]]
        return found | {"items": items, "classes": counts(items)}

    def similar(self, tenant: str, request: SimilarityRequest) -> dict[str, Any]:
        """Return which workloads of a cluster, or which given ones, are alike.

        Errors as `analyze`, and InvalidRequestError for too many of them.
        """
        from upid.services.classification.comparing import compared, vector_of  # noqa: PLC0415 API groups must start without numpy

        vectors: Sequence[Vector] = request.vectors
        if request.cluster_id is not None:
            vectors = [vector_of(subject) for subject in self._subjects(tenant, request.cluster_id, request.namespaces)]
        return {"cluster_id": request.cluster_id, **compared(vectors, nearest=request.nearest, within=request.within)}

    def _subjects(self, tenant: str, cluster_id: str, namespaces: Sequence[str]) -> list[Subject]:
        from upid.services.classification.subjects import subjects_of  # noqa: PLC0415 API groups must start without numpy

        shards = self.features().shards(tenant, cluster_id, namespaces=namespaces)
        found = [subject for shard in shards for subject in subjects_of(shard)]
        return sorted(found, key=lambda subject: (subject.namespace, subject.kind, subject.name, subject.uid))


def counts(items: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many workloads are of each class, 0 included."""
    found = Counter(each["id"] for item in items for each in item["classes"])
    return {each.id: found[each.id] for each in TYPES}
