"""The mathematical models, as API groups know them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upid.ports.prices import Prices
from upid.services.models import capacity, resource
from upid.services.models.bottleneck import detect_bottleneck
from upid.services.models.latency import analyze_latency
from upid.services.models.requests import Question, Reservation, SizingQuestion, XyQuestion
from upid.services.models.resource import Measured
from upid.services.models.rightsizing import RightSizing
from upid.services.models.rows import with_unit
from upid.services.models.saturation import find_saturation
from upid.services.models.statistical import StatisticalModels
from upid.services.models.telling import Answer
from upid.services.models.throughput import calculate_throughput, closed
from upid.services.panels import Panel
from upid.services.usage_series import SeriesReader

Workloads = Sequence[tuple[str, Sequence[Reservation]]]
Model = Callable[[Sequence[Panel], Mapping[str, Any]], Answer]


@dataclass(frozen=True, slots=True)
class ModelsService:
    """Runs models. Each takes a request as its schema has it and returns the answer's members; InvalidRequestError points at what is impossible.

    Models over series also raise what `SeriesReader.read` does.
    """

    reader: SeriesReader
    prices: Prices
    statistical: StatisticalModels
    sizing: RightSizing

    # ------------------------------------------------------------ statistical
    def regression(self, tenant: str, asked: XyQuestion, kind: str) -> Answer:
        """Return a regression, `linear` or `polynomial`, of y on x or of series over time."""
        return self.statistical.regression(tenant, asked, kind)

    def smoothing(self, tenant: str, question: Question) -> Answer:
        """Return series smoothed exponentially."""
        return self.statistical.smoothing(tenant, question)

    def average(self, tenant: str, question: Question) -> Answer:
        """Return moving averages."""
        return self.statistical.average(tenant, question)

    def decomposition(self, tenant: str, question: Question) -> Answer:
        """Return trend, season and rest."""
        return self.statistical.decomposition(tenant, question)

    # ------------------------------------------------------------ resource
    def utilization(self, tenant: str, question: Question) -> Answer:
        """Return how much of capacities is used."""
        return self._over_series(resource.calculate_utilization, tenant, question)

    def efficiency(self, tenant: str, workloads: Workloads) -> Answer:
        """Return how well what is paid for is used."""
        return resource.score_efficiency(self._measured(tenant, workloads), self.prices)

    def waste(self, tenant: str, workloads: Workloads, request: Mapping[str, Any]) -> Answer:
        """Return what is reserved and not used."""
        return resource.detect_waste(self._measured(tenant, workloads), request, self.prices)

    def right_sizing(self, tenant: str, question: SizingQuestion) -> Answer:
        """Return what containers need."""
        return self.sizing.size(tenant, question)

    def peaks(self, tenant: str, question: Question) -> Answer:
        """Return peaks."""
        return self._over_series(resource.detect_peaks, tenant, question)

    # ------------------------------------------------------------ performance
    def throughput(self, tenant: str, question: Question) -> Answer:
        """Return throughput, of a closed system where no series is asked for."""
        return self._over_series(calculate_throughput, tenant, question) if question.asked else closed(question.request)

    def latency(self, request: Mapping[str, Any]) -> Answer:
        """Return percentiles, objectives and Apdex of latencies."""
        return analyze_latency(request)

    def saturation(self, request: Mapping[str, Any]) -> Answer:
        """Return where load curves saturate."""
        return find_saturation(request)

    def bottleneck(self, request: Mapping[str, Any]) -> Answer:
        """Return the resource that limits a system."""
        return detect_bottleneck(request)

    # ------------------------------------------------------------ capacity
    def planning(self, tenant: str, question: Question) -> Answer:
        """Return when capacities are full, and the nodes that they need."""
        return self._over_series(capacity.plan, tenant, question)

    def growth(self, tenant: str, question: Question) -> Answer:
        """Return how series grow."""
        return self._over_series(capacity.project, tenant, question)

    def thresholds(self, tenant: str, question: Question) -> Answer:
        """Return where to warn."""
        return self._over_series(capacity.calculate_thresholds, tenant, question)

    def headroom(self, tenant: str, question: Question) -> Answer:
        """Return what is free above use."""
        return self._over_series(capacity.analyze_headroom, tenant, question)

    def _over_series(self, model: Model, tenant: str, question: Question) -> Answer:
        panels = with_unit(self.reader.read(tenant, question.asked), question.request["unit"])
        return model(panels, question.request)

    def _measured(self, tenant: str, workloads: Workloads) -> list[tuple[str, list[Measured]]]:
        return [
            (
                name,
                [
                    Measured(each.resource, each.reserved, each.usd_per_unit_hour, self.reader.read(tenant, each.asked)[0])
                    for each in resources
                ],
            )
            for name, resources in workloads
        ]
