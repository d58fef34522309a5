"""The knobs of sizing. One lies under all: `allowed_time_above`; a strategy is a named value of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

MIB: Final = 2**20
STRATEGIES: Final = MappingProxyType({"max-savings": 0.05, "balanced": 0.01, "high-availability": 0.001, "development": 0.1})
DEFAULT_STRATEGY: Final = "balanced"
CpuLimitPolicy = Literal["none", "burst"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to size. All shares are of 1, never of 100.

    Attributes
    ----------
    allowed_time_above : float
        Share of time that CPU use may be above the request, in [1e-6, 0.5]. [1]
    minimum_samples : int
        Steps with a sample (of one pod, never summed over pods) below which nothing is said. [1]
    minimum_hours : float
        Time covered by these steps below which nothing is said. [h]
    minimum_runs : int
        Runs of a Job or CronJob that are enough, however short they were. [1]
    cpu_floor_cores, memory_floor_bytes : float
        Least request. [cores], [bytes]
    cpu_rounding_cores, memory_rounding_bytes : float
        Requests and limits are rounded up to a multiple of these. [cores], [bytes]
    raise_hysteresis, lower_hysteresis : float
        Relative change of a request below which it is left as it is, upwards and downwards. [1]
    cpu_limit : {"none", "burst"}
        `none`: no CPU limit, except where the container is of QoS class Guaranteed; `burst`: a limit above almost all use.
    memory_limit_headroom : float
        How far the memory limit lies above the largest use, beside the request's own margin. [1]
    heap_overhead : float
        What a runtime needs beside its heap, relative to the heap; the memory limit leaves room for it. [1]
    memory_window_days : int
        Peaks older than this no longer count. [d]
    available_replicas : int
        Pods that are kept of a workload that has so many, so that one may fail. [1]
    storage_review_days : float
        A growing volume is sized for what it holds this far ahead: it cannot be made smaller, and each change is work. [d]
    review_days : float
        A growing workload is sized for its use this far ahead. [d]
    """

    allowed_time_above: float = STRATEGIES[DEFAULT_STRATEGY]
    minimum_samples: int = 48
    minimum_hours: float = 12.0
    minimum_runs: int = 3
    cpu_floor_cores: float = 0.010
    memory_floor_bytes: float = 32 * MIB
    cpu_rounding_cores: float = 0.001
    memory_rounding_bytes: float = MIB
    raise_hysteresis: float = 0.05
    lower_hysteresis: float = 0.10
    cpu_limit: CpuLimitPolicy = "none"
    memory_limit_headroom: float = 0.20
    heap_overhead: float = 0.25
    memory_window_days: int = 31
    available_replicas: int = 2
    storage_review_days: float = 30.0
    review_days: float = 7.0

    def __post_init__(self) -> None:
        if not 1e-6 <= self.allowed_time_above <= 0.5:
            raise ValueError(f"allowed_time_above must be from 1e-6 to 0.5, got {self.allowed_time_above}.")
        counts = (self.minimum_samples, self.minimum_runs, self.memory_window_days, self.available_replicas)
        positive = (self.cpu_rounding_cores, self.memory_rounding_bytes, *counts)
        if not all(value > 0 for value in positive):
            raise ValueError("Roundings, minimum_samples, minimum_runs, memory_window_days and available_replicas must be above 0.")
        shares = (self.cpu_floor_cores, self.memory_floor_bytes, self.raise_hysteresis, self.lower_hysteresis, self.minimum_hours,
                  self.memory_limit_headroom, self.heap_overhead, self.review_days, self.storage_review_days)  # fmt: skip
        if not all(value >= 0 for value in shares):
            raise ValueError("Floors, hystereses, headrooms, minimum_hours and reviews must be 0 or more.")


def options_of(strategy: str | float = DEFAULT_STRATEGY) -> Options:
    """Return the options of a named strategy, or of a number taken as `allowed_time_above`.

    Raises
    ------
    ValueError
        For a name that is no strategy, or a number outside [1e-6, 0.5].
    """
    if isinstance(strategy, str):
        if strategy not in STRATEGIES:
            raise ValueError(f"{strategy!r} is no strategy: use one of {', '.join(STRATEGIES)}.")
        return Options(allowed_time_above=STRATEGIES[strategy], available_replicas=1 if strategy == "development" else 2)
    return Options(allowed_time_above=float(strategy))
