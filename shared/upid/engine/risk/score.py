"""How risky a change of resources is, 0 to 100."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVELS: Final = ((75.0, "critical"), (50.0, "high"), (25.0, "medium"), (0.0, "low"))


@dataclass(frozen=True, slots=True)
class RiskFactors:
    """What can make a change go wrong, each 0 to 1, shape (rows,).

    `cpu_cut`, `memory_cut`: share of the request that is taken away; `uncertainty`: 1 - confidence; `memory_above_limit`, `cpu_above_request`: how far the
    back-test's shares pass what is allowed; `killed`, `throttled`, `leaking`: seen in the history; `single`: one pod takes it all.
    """

    cpu_cut: Floats
    memory_cut: Floats
    uncertainty: Floats
    memory_above_limit: Floats
    cpu_above_request: Floats
    killed: Floats
    throttled: Floats
    leaking: Floats
    single: Floats


# How sure each factor alone makes trouble, in the order of the fields.
WEIGHTS: Final = (0.15, 0.30, 0.35, 0.60, 0.30, 0.35, 0.15, 0.30, 0.05)


def risk_score(factors: RiskFactors) -> Floats:
    """Return 100 * (1 - product of (1 - weight * factor)): independent causes, any of which is enough; shape (rows,), NaN in a factor counts as 1."""
    calm = np.ones(len(factors.cpu_cut))
    for field, weight in zip(fields(factors), WEIGHTS, strict=True):
        value = getattr(factors, field.name)
        calm *= 1 - weight * np.clip(np.where(np.isnan(value), 1.0, value), 0, 1)
    return 100 * (1 - calm)


def risk_level(score: float) -> str:
    """Return the level of a score: low below 25, medium below 50, high below 75, else critical. ValueError for NaN."""
    for least, level in LEVELS:
        if score >= least:
            return level
    raise ValueError(f"{score} is no risk score.")
