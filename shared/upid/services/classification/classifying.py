"""Classes of workloads, with evidence and confidence for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.engine.classification.judging import Judged, Measures, judge
from upid.engine.classification.thresholds import Thresholds
from upid.services.classification.applications import SURE_ENOUGH, applications
from upid.services.classification.model import BY_ID, DEFAULTS, LARGE, Subject
from upid.services.entries import number

HALF_SURE_HOURS: Final = 24.0  # measures of a day are half as sure as those of a long time


def classified(subjects: Sequence[Subject], thresholds: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return each workload with its classes; InvalidRequestError for thresholds that contradict each other.

    Keys: namespace, kind, name, uid, measures, classes ({id, group, confidence, evidence}), unknown (classes that can not be told).
    """
    bounds = DEFAULTS | dict(thresholds)
    try:
        held = Thresholds(**{name: value for name, value in bounds.items() if name not in LARGE})
    except ValueError as error:
        raise InvalidRequestError([{"pointer": "#/thresholds", "detail": str(error)}]) from None
    judged = judge(measures_of(subjects), held)
    return [_view(subject, i, judged, bounds) for i, subject in enumerate(subjects)]


def measures_of(subjects: Sequence[Subject]) -> Measures:
    """Return the subjects' measures as columns."""

    def column(name: str) -> NDArray[np.float64]:
        """Return a measure, NaN = not told."""
        values = [getattr(subject, name) for subject in subjects]
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    # Growth that is told without its significance is taken as it is told.
    weight = np.where(np.isnan(column("trend_weight")) & ~np.isnan(column("growth_per_week")), 1.0, column("trend_weight"))
    return Measures(
        cpu=column("cpu_utilization"), memory=column("memory_utilization"), io=column("io_utilization"), variation=column("variation"),
        growth_per_week=column("growth_per_week"), trend_weight=weight, strength=column("cycle_strength"),
    )  # fmt: skip


def _view(subject: Subject, index: int, judged: Mapping[str, Judged], bounds: Mapping[str, float]) -> dict[str, Any]:
    sure = 1.0 if subject.hours is None else subject.hours / (subject.hours + HALF_SURE_HOURS)
    classes = [_class(name, subject, float(each.clarity[index]) * sure, bounds) for name, each in judged.items() if each.holds[index]]
    unknown = [name for name, each in judged.items() if not each.known[index]]
    for name, (weight, told) in applications(subject).items():
        if weight >= SURE_ENOUGH:
            classes.append({"id": name, "group": "application", "confidence": round(weight, 4), "evidence": {"signs": told}})
    scaling = _scaling(subject, bounds)
    classes += [_class(name, subject, 1.0, bounds) for name, holds in scaling.items() if holds]
    unknown += [name for name, holds in scaling.items() if holds is None]
    return {**subject.who(), "measures": told_measures(subject), "classes": classes, "unknown": unknown}


def told_measures(subject: Subject) -> dict[str, Any]:
    """Return what is known of a subject."""
    names = (
        "cpu_utilization", "memory_utilization", "io_utilization", "variation", "growth_per_week", "trend_weight", "cycle_strength", "cycle", "daily",
        "weekly", "monthly", "replicas", "autoscaled", "cpu_request_cores", "memory_request_bytes", "hours",
    )  # fmt: skip
    values = {name: getattr(subject, name) for name in names}
    return {name: number(value) if isinstance(value, float) else value for name, value in values.items()}


def _class(name: str, subject: Subject, confidence: float, bounds: Mapping[str, float]) -> dict[str, Any]:
    kind = BY_ID[name]
    evidence = {measure: getattr(subject, measure) for measure in kind.measures}
    if name == "periodic":
        evidence["cycle"] = subject.cycle
    shown = {measure: number(value) if isinstance(value, float) else value for measure, value in evidence.items()}
    held = {bound: bounds[bound] for bound in kind.bounds}
    return {"id": name, "group": kind.group, "confidence": round(confidence, 4), "evidence": {**shown, "thresholds": held}}


def _scaling(subject: Subject, bounds: Mapping[str, float]) -> dict[str, bool | None]:
    replicas, autoscaled = subject.replicas, subject.autoscaled
    sizes = ((subject.cpu_request_cores, bounds["large_cores"]), (subject.memory_request_bytes, bounds["large_bytes"]))
    large: bool | None = any(value is not None and value >= bound for value, bound in sizes)
    if not large and all(value is None for value, _ in sizes):
        large = None
    vertical = None if replicas is None else False if replicas != 1 else large
    return {
        "horizontal": None if replicas is None else replicas > 1, "vertical": vertical, "elastic": autoscaled,
        "static": None if autoscaled is None else not autoscaled,
    }  # fmt: skip
