"""The mathematical models as API groups know them: numerics are imported when a model is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from upid.services.series import Asked

if TYPE_CHECKING:
    from upid.services.panels import Panel
    from upid.services.usage_series import SeriesReader

Answer = dict[str, Any]


class Question(NamedTuple):
    """What a model over series is asked: the series, and everything else of the request by name."""

    asked: Asked
    request: Mapping[str, Any]


class ModelsService:
    """Runs models. Each takes a request as its schema has it and returns the answer's members; InvalidRequestError points at what is impossible.

    Models over series also raise what `SeriesReader.read` does.
    """

    def __init__(self, reader: Callable[[], SeriesReader]) -> None:
        self._reader = reader

    # ------------------------------------------------------------ performance
    def latency(self, request: Mapping[str, Any]) -> Answer:
        """Return percentiles, objectives and Apdex of latencies."""
        return _run("latency", "analyze_latency", request)

    def saturation(self, request: Mapping[str, Any]) -> Answer:
        """Return where load curves saturate."""
        return _run("saturation", "find_saturation", request)

    def bottleneck(self, request: Mapping[str, Any]) -> Answer:
        """Return the resource that limits a system."""
        return _run("bottleneck", "detect_bottleneck", request)

    # ------------------------------------------------------------ capacity
    def planning(self, tenant: str, question: Question) -> Answer:
        """Return when capacities are full, and the nodes that they need."""
        return self._over_series("capacity", "plan", tenant, question)

    def growth(self, tenant: str, question: Question) -> Answer:
        """Return how series grow."""
        return self._over_series("capacity", "project", tenant, question)

    def thresholds(self, tenant: str, question: Question) -> Answer:
        """Return where to warn."""
        return self._over_series("capacity", "calculate_thresholds", tenant, question)

    def headroom(self, tenant: str, question: Question) -> Answer:
        """Return what is free above use."""
        return self._over_series("capacity", "analyze_headroom", tenant, question)

    def _over_series(self, module: str, function: str, tenant: str, question: Question) -> Answer:
        return _run(module, function, self._panels(tenant, question), question.request)

    def _panels(self, tenant: str, question: Question) -> Sequence[Panel]:
        from upid.services.models.rows import with_unit  # noqa: PLC0415 API groups must start without numpy

        return with_unit(self._reader().read(tenant, question.asked), question.request["unit"])


def _run(module: str, function: str, *arguments: Any) -> Answer:
    """Call a model, whose module is imported now: API groups must start without numpy."""
    answer: Answer = getattr(import_module(f"upid.services.models.{module}"), function)(*arguments)
    return answer
