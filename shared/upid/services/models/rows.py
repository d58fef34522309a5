"""Panels through the engine as rows, and back as answers in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.services.models.telling import Answer, shown
from upid.services.panels import Batch, Panel, batches
from upid.services.statistics import trust

Floats = NDArray[np.float64]
DAY_SECONDS: Final = 86400.0


def with_unit(panels: Sequence[Panel], unit: str) -> list[Panel]:
    """Return panels whose unit is what the request says, where it says one."""
    return [replace(panel, unit=unit) for panel in panels] if unit else list(panels)


def by_batch(panels: Sequence[Panel], run: Callable[[Batch], Sequence[Answer]]) -> list[Answer]:
    """Return what `run` answers for each panel, in the order of the panels."""
    found: list[Answer] = [{}] * len(panels)
    for batch in batches(panels):
        for place, answer in zip(batch.places, run(batch), strict=True):
            found[place] = answer
    return found


def days(batch: Batch) -> Floats:
    """Return the times of a batch's columns from its first step on. [d]."""
    return batch.panels[0].times / DAY_SECONDS


def told(panel: Panel, figures: Mapping[str, Any], *, warnings: Sequence[str] = (), parts: Mapping[str, float] | None = None) -> Answer:
    """Return a panel's answer: the series, its confidence by volume, coverage, stability and regularity with `parts` beside, and its figures."""
    head = panel.told()
    return head | {"warnings": [*head["warnings"], *warnings], "confidence": trust(panel, **(parts or {}))} | shown(figures)


def after(panel: Panel, days_ahead: float) -> str | None:
    """Return the time so many days behind a panel's last step, None where that is not known or not finite."""
    if not np.isfinite(days_ahead):
        return None
    return panel.moment(len(panel.values) - 1 + days_ahead * DAY_SECONDS / panel.step_seconds)


def answer_of(algorithm: str, request: Mapping[str, Any], series: list[Answer]) -> Answer:
    """Return a model's answer: what was computed, with which parameters, and what it says of each series."""
    parameters = {name: value for name, value in request.items() if value is None or isinstance(value, str | float | int | bool)}
    return {"algorithm": algorithm, "parameters": shown(parameters), "series": series}
