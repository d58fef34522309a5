"""The mathematical models as API groups know them: numerics are imported when a model is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Answer = dict[str, Any]


class ModelsService:
    """Runs models. Each takes a request as its schema has it and returns the answer's members; InvalidRequestError points at what is impossible."""

    def latency(self, request: Mapping[str, Any]) -> Answer:
        """Return percentiles, objectives and Apdex of latencies."""
        from upid.services.models.latency import analyze_latency  # noqa: PLC0415 API groups must start without numpy

        return analyze_latency(request)

    def saturation(self, request: Mapping[str, Any]) -> Answer:
        """Return where load curves saturate."""
        from upid.services.models.saturation import find_saturation  # noqa: PLC0415 API groups must start without numpy

        return find_saturation(request)

    def bottleneck(self, request: Mapping[str, Any]) -> Answer:
        """Return the resource that limits a system."""
        from upid.services.models.bottleneck import detect_bottleneck  # noqa: PLC0415 API groups must start without numpy

        return detect_bottleneck(request)
