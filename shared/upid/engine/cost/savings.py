"""What reserved resources cost."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOURS_PER_MONTH: Final = 730.0
GIB: Final = 2.0**30


def reserved(request: Floats, limit: Floats) -> Floats:
    """Return what the scheduler reserves: the request; the limit where only that is set, as Kubernetes defaults it; else 0. [unit of the input]."""
    return np.where(np.isnan(request), np.where(np.isnan(limit), 0.0, limit), request)


def monthly_cost(
    cpu_cores: Floats, memory_bytes: Floats, *, cpu_usd_per_core_hour: Floats, memory_usd_per_gib_hour: Floats, replicas: Floats
) -> Floats:
    """Return what reserved resources cost in a month of 730 hours, times replicas, shape (rows,); NaN where a price or an amount is. [USD]."""
    per_hour = cpu_cores * cpu_usd_per_core_hour + memory_bytes / GIB * memory_usd_per_gib_hour
    return per_hour * HOURS_PER_MONTH * replicas
