"""Throughput: from counters, from counts, and from users by Little's law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.engine.performance.throughput import Throughput, closed_throughput, counted_throughput, counter_throughput
from upid.engine.statistics.describing import describe
from upid.services.models.rows import answer_of, by_batch, told
from upid.services.models.telling import Answer, shown
from upid.services.panels import Batch, Panel, numbers


def calculate_throughput(panels: Sequence[Panel], request: Mapping[str, Any]) -> Answer:
    """Return each series' throughput, as `ThroughputOut` names it; InvalidRequestError where a value is below 0."""
    for place, panel in enumerate(panels):
        if np.nanmin(panel.values) < 0:
            raise InvalidRequestError(
                [{"pointer": f"#/series/{place}", "detail": f"Values of {panel.name[:100]} below 0 are no {request['kind']}s."}]
            )

    def _run(batch: Batch) -> list[Answer]:
        found = _of_batch(batch, request["kind"])
        return [_measured(panel, row, found, request) for row, panel in enumerate(batch.panels)]

    return answer_of("throughput", request, by_batch(panels, _run)) | {"closed": None}


def closed(request: Mapping[str, Any]) -> Answer:
    """Return the throughput of a closed system."""
    columns = (np.array([request[name]], dtype=np.float64) for name in ("users", "response_seconds", "think_seconds"))
    found = float(closed_throughput(*columns)[0])
    figures = {"throughput_per_second": found, "busy_users": found * request["response_seconds"]}
    return {"algorithm": "littles-law", "parameters": shown(request), "series": [], "closed": shown(figures)}


def _of_batch(batch: Batch, kind: str) -> Throughput:
    if kind == "counter":
        return counter_throughput(batch.panels[0].times, batch.values)
    return counted_throughput(np.full(len(batch.panels), batch.panels[0].step_seconds), batch.values)


def _measured(panel: Panel, row: int, found: Throughput, request: Mapping[str, Any]) -> Answer:
    rates = found.per_second[row : row + 1]
    use = describe(rates, (0.5, 0.95, 0.99))
    mean, highest = float(found.mean_per_second[row]), float(use.maximum[0])
    figures = {
        "mean_per_second": mean, "p50_per_second": use.quantiles[0, 0], "p95_per_second": use.quantiles[0, 1], "p99_per_second": use.quantiles[0, 2],
        "peak_per_second": highest, "deviation_per_second": use.deviation[0], "total": found.total[row], "seconds": found.seconds[row],
        "peak_to_mean": highest / mean if mean > 0 else np.nan, "resets": int(found.resets[row]),
    }  # fmt: skip
    warnings = [f"The counter fell {found.resets[row]} times: each counts as a restart from 0."] if found.resets[row] else []
    if np.isnan(mean):
        warnings.append("A counter needs two readings.")
    rates_told = numbers(rates[0]) if request["rates"] else None
    return told(panel, figures, warnings=warnings) | {"per_second": rates_told}
