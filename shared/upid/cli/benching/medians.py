"""Medians of figures from several runs of the same thing."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def medians(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one run's figures with each number the median of all runs'; what is no number is the first run's. `runs` is beside where there are more."""
    told = {name: _median([run[name] for run in runs]) for name in runs[0]}
    return told | ({"runs": len(runs)} if len(runs) > 1 else {})


def _median(values: Sequence[Any]) -> Any:
    if isinstance(values[0], Mapping):
        return {name: _median([value[name] for value in values]) for name in values[0]}
    if isinstance(values[0], int | float):
        return type(values[0])(round(statistics.median(values), 6))
    return values[0]
