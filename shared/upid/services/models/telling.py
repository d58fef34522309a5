"""Figures as answers have them: no NaN, no infinity, warnings in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from upid.services.entries import number

Answer = dict[str, Any]
WORTH: Final = 10.0  # effective samples that make half of the confidence of volume


def shown(values: Mapping[str, Any]) -> Answer:
    """Return figures as JSON has them: twelve significant digits, None for NaN and infinity; what is no number stays."""
    return {name: value if isinstance(value, str | bool | list | dict) else number(value) for name, value in values.items()}


def sureness(effective_samples: float, *shares: float) -> float | None:
    """Return a confidence from 0 to 1: n / (n + 10) of effective samples, times shares (coverage, quality) that are known; None without samples. [1]."""
    if not effective_samples > 0:
        return None
    found = effective_samples / (effective_samples + WORTH)
    for share in shares:
        if share == share:  # noqa: PLR0124 NaN differs from itself: a share that is not known takes nothing away
            found *= min(max(share, 0.0), 1.0)
    return round(found, 4)


def head(algorithm: str, parameters: Mapping[str, Any], warnings: list[str], confidence: float | None) -> Answer:
    """Return what every answer tells beside its figures."""
    return {"algorithm": algorithm, "parameters": shown(parameters), "warnings": warnings, "confidence": confidence}
