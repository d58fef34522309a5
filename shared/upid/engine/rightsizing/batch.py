"""Jobs and CronJobs: sized from the peaks of their runs, each pod of a run one observation; runs at the same time are one for how sure that is."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.seen import Seen
from upid.engine.statistics.density import smoothed_quantiles
from upid.engine.usage.histogram import BUCKETS, exponent_of
from upid.engine.usage.runs import Peaks, one_at_a_time, places

Floats = NDArray[np.float64]
RUNS_HALVE: Final = 3.0  # each so many runs halve what is missing to full confidence
RECENCY_DAYS: Final = 4.0  # each such span beyond the usual time between runs halves it


def run_counts(seen: Seen) -> Floats:
    """Return how many runs each row had that did not run at the same time, shape (rows,), 0 for a row that is of no Job or CronJob. [1]."""
    counts = np.zeros(len(seen.last_seen))
    counts[seen.runs.index] = one_at_a_time(seen.runs.begin, seen.runs.end).sum(axis=1)
    return counts


def run_volume(seen: Seen) -> Floats:
    """Return how much is known from runs, 0 to 1, shape (rows,), NaN without a run. Depends on their number and times only, never on values. [1].

    Freshness counts from the time at which the next run was due: a monthly job is not old after a week.
    """
    end, counts = seen.runs.end, one_at_a_time(seen.runs.begin, seen.runs.end).sum(axis=1)
    newest = end.max(axis=1, initial=0)
    oldest = np.where(end > 0, end, np.iinfo(np.int64).max).min(axis=1, initial=np.iinfo(np.int64).max)
    usual = np.where(counts > 1, (newest - oldest) / np.maximum(counts - 1, 1), 0.0)
    late = np.maximum(seen.end - newest - usual, 0) / 86400
    known = (1 - np.exp2(-counts / RUNS_HALVE)) * np.exp2(-late / RECENCY_DAYS)
    result = np.full(len(seen.last_seen), np.nan)
    result[seen.runs.index] = np.where(counts > 0, known, np.nan)
    return result


def run_quantiles(seen: Seen, shares: tuple[float, ...]) -> Floats:
    """Return the CPU that the peaks of runs lie above for given shares of the runs, shape (rows, shares), NaN without a run. [cores].

    All kept runs weigh the same, smoothed as the samples of other rows are.
    """
    result = np.full((len(seen.last_seen), len(shares)), np.nan)
    if len(seen.runs.index):
        weights, top = _counted(seen.runs.cpu)
        result[seen.runs.index] = smoothed_quantiles(weights, top, allowed_time_above=shares)
    return result


def _counted(peaks: Peaks) -> tuple[Floats, NDArray[np.int32]]:
    """Return the runs by bucket of their peak, shape (rows, BUCKETS), and the exponent of each row's highest bucket."""
    exponents, known = exponent_of(peaks), ~np.isnan(peaks)
    top = exponents.max(axis=1)
    rows = np.broadcast_to(np.arange(len(peaks))[:, None], peaks.shape)[known]
    bucket = np.maximum(exponents - top[:, None].astype(np.int64) + BUCKETS - 1, 0)[known]
    weights = np.bincount(rows * BUCKETS + bucket, minlength=len(peaks) * BUCKETS).reshape(len(peaks), BUCKETS)
    return weights.astype(np.float64), top


def run_memory(seen: Seen, worth: Floats) -> tuple[Floats, Floats]:
    """Return the largest memory of any run, and the same with each run's peak times its `worth` (newest first), shape (rows,), NaN without. [bytes].

    Runs at the same time are worth the same.
    """
    found = np.full((2, len(seen.last_seen)), np.nan)
    memory = seen.runs.memory.astype(np.float64)
    for into, values in zip(found, (memory, memory * worth[places(seen.runs.begin, seen.runs.end)]), strict=True):
        into[seen.runs.index] = np.fmax.reduce(values, axis=1, initial=np.nan)
    return found[0], found[1]
