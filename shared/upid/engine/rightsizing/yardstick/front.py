"""Our curve against points at the same fleet slack."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.yardstick.outcome import Outcomes
from upid.engine.rightsizing.yardstick.trace import Floats

LEAST_VIOLATION: Final = 0.0005
MOST_VIOLATION: Final = {"cpu": 0.10, "memory": 0.30}
DRAWS: Final = 500


def curve_at(slack: Floats, violation: Floats, wanted: Floats) -> Floats:
    """Return the curve's violation at other slacks, its logarithm linear in slack between the points; NaN outside of the curve, shape of `wanted`.

    Points without any violation are no part of the curve: their logarithm is not known.
    """
    held = (violation > 0) & np.isfinite(slack)
    if not held.any():
        return np.full(wanted.shape, np.nan)
    order = np.argsort(slack[held], kind="stable")
    found = np.exp(np.interp(wanted, slack[held][order], np.log(violation[held][order]), left=np.nan, right=np.nan))
    result: Floats = np.asarray(found, dtype=np.float64)
    return result


def is_judged(resource: str, slack: Floats, violation: Floats, ours: Floats) -> NDArray[np.bool_]:
    """Tell which points are judged: slack above 0, a violation that is neither negligible nor absurd, and inside our curve. Shape of the input."""
    result: NDArray[np.bool_] = (slack > 0) & (violation >= LEAST_VIOLATION) & (violation <= MOST_VIOLATION[resource]) & ~np.isnan(ours)
    return result


def drawn_ratios(found: Outcomes, rules: int, judged: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return our violation over each rule's at its slack for containers drawn again, shape (DRAWS, rules), and the geometric means of the judged, (DRAWS,).

    `found` has the rules first and our curve behind them. The draws are the same each time.
    """
    containers = len(found.use)
    weights = np.random.default_rng(0).multinomial(containers, np.full(containers, 1 / containers), size=DRAWS).astype(np.float64)
    slack, violation = found.fleet_slack(weights), found.violation(weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.stack([
            curve_at(slack[draw, rules:], violation[draw, rules:], slack[draw, :rules]) / violation[draw, :rules] for draw in range(DRAWS)
        ])  # fmt: skip
        ratios[~np.isfinite(ratios) | (ratios <= 0)] = np.nan
        logs = np.log(ratios[:, judged])
        known = ~np.isnan(logs)
        means = np.exp(np.where(known, logs, 0).sum(axis=1) / known.sum(axis=1))
    return ratios, means
