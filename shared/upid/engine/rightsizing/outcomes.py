"""What given requests and limits would have done to measured usage: time above them, OOM kills, throttling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.density import share_above
from upid.engine.usage.counting import valid_samples
from upid.engine.usage.histogram import DAY_SLOTS, Histogram, day_weight
from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.samples import Samples

NOT_SET = float("nan")


@dataclass(frozen=True, slots=True)
class Settings:
    """Requests and limits of one container, NaN = not set. [cores], [bytes]."""

    cpu_request_cores: float = NOT_SET
    cpu_limit_cores: float = NOT_SET
    memory_request_bytes: float = NOT_SET
    memory_limit_bytes: float = NOT_SET


@dataclass(frozen=True, slots=True)
class Outcome:
    """What settings would have done. Shares are of samples, pods pooled (0-1); NaN where there is no sample or the value is not set.

    Attributes
    ----------
    cpu_time_above_request, memory_time_above_request, memory_time_above_limit : float
        Share of samples above. [1]
    throttled_time : float
        Share of samples above the CPU limit: the kernel would have throttled the pod then. [1]
    cpu_held_back : float
        Share of all CPU time used that lies above the CPU limit; NaN from a profile. [1]
    oom_kills, pods_oom_killed : float
        Kills, and pods that had one; 0 without a memory limit, NaN from a profile. [1]
    """

    cpu_time_above_request: float
    throttled_time: float
    cpu_held_back: float
    memory_time_above_request: float
    memory_time_above_limit: float
    oom_kills: float
    pods_oom_killed: float


def outcome_of_samples(samples: Samples, settings: Settings) -> Outcome:
    """Return what settings would have done to all series of the samples, pooled.

    A kill is each time that a pod's working set goes above the memory limit, a pod that begins above it included. A kill that was measured happens
    again under any limit at or below the one that it happened at, so that a limit that held usage down does not count as harmless.
    A pod that is throttled today would have used more: what is measured under a CPU limit is the least that a higher one would have seen.
    """
    cpu, memory = valid_samples(samples.cpu_cores), valid_samples(samples.memory_bytes)
    over = memory > np.float64(settings.memory_limit_bytes)  # NaN is above nothing; float64, so that a limit keeps its last byte
    passed = over[:, :1].sum(axis=1) + (over[:, 1:] & ~over[:, :-1]).sum(axis=1)
    measured = np.where(samples.oom_limit_bytes >= settings.memory_limit_bytes, samples.oom_kills, 0)
    kills = np.maximum(passed, measured)
    return Outcome(
        cpu_time_above_request=_share(cpu, settings.cpu_request_cores),
        throttled_time=_share(cpu, settings.cpu_limit_cores),
        cpu_held_back=_held_back(cpu, settings.cpu_limit_cores),
        memory_time_above_request=_share(memory, settings.memory_request_bytes),
        memory_time_above_limit=_share(memory, settings.memory_limit_bytes),
        oom_kills=float(kills.sum()),
        pods_oom_killed=float((kills > 0).sum()),
    )


def outcome_of_profile(profile: UsageProfile, row: int, settings: Settings) -> Outcome:
    """Return what settings would have done to a row of a profile; days count less the older they are, and kills cannot be told.

    Raises
    ------
    IndexError
        If the profile has no such row.
    """
    return Outcome(
        cpu_time_above_request=_above(profile, profile.cpu, row, settings.cpu_request_cores),
        throttled_time=_above(profile, profile.cpu, row, settings.cpu_limit_cores),
        cpu_held_back=np.nan,
        memory_time_above_request=_above(profile, profile.memory, row, settings.memory_request_bytes),
        memory_time_above_limit=_above(profile, profile.memory, row, settings.memory_limit_bytes),
        oom_kills=np.nan,
        pods_oom_killed=np.nan,
    )


def _share(values: NDArray[np.float32], threshold: float) -> float:
    count = np.count_nonzero(~np.isnan(values))
    if count == 0 or np.isnan(threshold):
        return np.nan
    return float(np.count_nonzero(values > np.float64(threshold)) / count)


def _held_back(cpu: NDArray[np.float32], limit: float) -> float:
    used = float(np.nansum(cpu, dtype=np.float64))
    if used == 0 or np.isnan(limit):
        return np.nan
    return float(np.nansum(np.maximum(cpu - np.float64(limit), 0), dtype=np.float64) / used)


def _above(profile: UsageProfile, histogram: Histogram, row: int, value: float) -> float:
    """Return the share of a row's weight above a value: its newest days on the scale of its older part."""
    days = day_weight(profile.newest_day - np.arange(DAY_SLOTS), profile.reference_day)
    weights: NDArray[np.float64] = histogram.older[row] + np.einsum("d,db->b", days, histogram.days[row])
    return float(share_above(weights[None, :], histogram.top[[row]], np.array([value]))[0])
