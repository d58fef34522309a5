"""Which workloads are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.engine.classification.similarity import distances, groups, neighbours, normalised
from upid.services.classification.model import Subject, Vector
from upid.services.entries import number

FEATURES: Final = (
    "cpu_utilization", "memory_utilization", "variation", "growth_per_week", "daily", "log10_cpu_cores", "log10_memory_bytes", "log2_replicas",
)  # fmt: skip


def vector_of(subject: Subject) -> Vector:
    """Return a workload as figures: sizes as logarithms, so that twice as large is as far at any size."""
    found = {name: getattr(subject, name) for name in FEATURES if not name.startswith("log")}
    logs = {
        "log10_cpu_cores": _log(subject.cpu_cores, math.log10), "log10_memory_bytes": _log(subject.memory_bytes, math.log10),
        "log2_replicas": _log(subject.replicas, math.log2),
    }  # fmt: skip
    return Vector(f"{subject.namespace}/{subject.kind}/{subject.name}", found | logs)


def _log(value: float | None, function: Any) -> float | None:
    return None if value is None or value <= 0 else float(function(value))


def compared(vectors: Sequence[Vector], *, nearest: int, within: float) -> dict[str, Any]:
    """Return the nearest neighbours and the group of each workload, and how features were normalised.

    Keys: features ({name, centre, spread}), items ({name, group, neighbours}), groups ({id, size, members}). InvalidRequestError for too many workloads.
    """
    names = sorted({name for vector in vectors for name in vector.features})
    cells = [_cell(vector.features.get(name)) for vector in vectors for name in names]
    table = np.array(cells, dtype=np.float64).reshape(len(vectors), len(names))
    scaled = normalised(table)
    try:
        apart = distances(scaled.values)
    except ValueError as error:
        raise InvalidRequestError([{"pointer": "#/namespaces", "detail": str(error)}]) from None
    near, group = neighbours(apart, nearest), groups(apart, within)
    items = [
        {
            "name": vector.name, "group": int(group[i]), "features": {name: number(_cell(value)) for name, value in vector.features.items()},
            "neighbours": [{"name": vectors[j].name, "distance": number(apart[i, j])} for j in near[i] if not np.isnan(apart[i, j])],
        }
        for i, vector in enumerate(vectors)
    ]  # fmt: skip
    members: dict[int, list[str]] = {}
    for vector, number_of in zip(vectors, group.tolist(), strict=True):
        members.setdefault(number_of, []).append(vector.name)
    told = [{"name": name, "centre": number(scaled.centre[i]), "spread": number(scaled.spread[i])} for i, name in enumerate(names)]
    return {
        "features": told,
        "items": items,
        "groups": [{"id": key, "size": len(names), "members": names} for key, names in sorted(members.items())],
    }


def _cell(value: float | None) -> float:
    return math.nan if value is None else float(value)
