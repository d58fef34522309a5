"""Forecasts of a whole and of its parts, changed so that they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from upid.services.panels import Floats, numbers


def reconcile(total: dict[str, Any], parts: Sequence[dict[str, Any]]) -> None:
    """Change forecasts so that the parts add up to the whole, each by its share of the variance (weighted least squares).

    With independent errors this is the best linear reconciliation for one level (Wickramasuriya et al., doi:10.1080/01621459.2018.1448825, with a diagonal
    covariance). Bounds move with the means.
    """
    means = np.array([[value or 0.0 for value in part["mean"]] for part in parts])
    spread = np.array([[value or 0.0 for value in part["deviation"]] for part in parts]) ** 2
    whole, wide = np.array([value or 0.0 for value in total["mean"]]), np.array([value or 0.0 for value in total["deviation"]]) ** 2
    gap = whole - means.sum(axis=0)
    every = spread.sum(axis=0) + wide
    share = np.where(every > 0, 1 / np.where(every > 0, every, 1.0), 0.0)
    moved = [gap * variance * share for variance in spread]
    left = gap - np.sum(moved, axis=0)
    _shift(total, -np.where(every > 0, left, gap))
    for part, by in zip(parts, moved, strict=True):
        _shift(part, by)
    # A mean that is held at 0 moves no further: the whole is then what its parts come to, and its bounds hold that.
    total["mean"] = numbers(np.array([[value or 0.0 for value in part["mean"]] for part in parts]).sum(axis=0))
    for name, held in (("low80", min), ("low95", min), ("high80", max), ("high95", max)):
        total[name] = [held(bound, mean) for bound, mean in zip(total[name], total["mean"], strict=True)]


def _shift(told: dict[str, Any], by: Floats) -> None:
    for name in ("mean", "low80", "high80", "low95", "high95"):
        told[name] = numbers(np.maximum(np.array([value or 0.0 for value in told[name]]) + by, 0.0))
