"""Back-test folds of stored samples: the last days one by one, each judged by the rule fitted on all that came before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.advice import Advice
from upid.engine.rightsizing.backtest import Backtest
from upid.engine.rightsizing.current import CurrentResources
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.rule import size
from upid.engine.rightsizing.seen import Seen, seen
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import UsageProfile, empty_profile
from upid.engine.usage.resident_bins import ResidentBins, use_within, with_days
from upid.engine.usage.samples import Samples
from upid.engine.usage.starts import context_seconds

Floats = NDArray[np.float64]
FOLDS: Final = 3
LEAST_DAYS: Final = 7  # of samples; with less, the one fold that a profile has is judged
DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Fold:
    """A day to judge on, `tail`, what the rule sees of the time before it, and what was resident, None = nobody knows."""

    view: Seen
    tail: Samples
    resident: ResidentBins | None = None


def folded_with_tests(samples: Samples, resident: ResidentBins | None = None) -> tuple[UsageProfile, tuple[Fold, ...]]:
    """Return the profile of these samples, as `fold` gives it, and one fold for each of the last three days; none of less than a week of samples.

    `resident`: what was resident beside them. It counts in the profile by its days, and no fold knows it of the time that it is judged on.

    A day here is the last 24 hours, the 24 before them, and so on. Kills and restarts count in the profile and are not known to any fold: samples
    do not say when they were.
    """
    steps, per_day = samples.cpu_cores.shape[1], DAY // max(samples.step_seconds, 1)
    empty = empty_profile(samples.workload)
    if steps == 0:
        return empty, ()
    if per_day == 0 or steps < LEAST_DAYS * per_day:
        return with_days(fold(empty, samples), resident, samples.end), ()
    overlap = context_seconds(samples.step_seconds) // samples.step_seconds  # tells which series have just begun
    edges = [steps - (FOLDS - k) * per_day for k in range(FOLDS)]
    profile, folds = fold(empty, _without_events(_cut(samples, 0, edges[0]))), []
    for edge in edges:
        tail = _cut(samples, edge, edge + per_day)
        folds.append(Fold(seen(with_days(profile, resident, tail.start)), tail, resident))
        chunk = _cut(samples, edge - overlap, edge + per_day)
        profile = fold(profile, chunk if edge == edges[-1] else _without_events(chunk))
    return with_days(profile, resident, samples.end), tuple(folds)


def _cut(samples: Samples, begin: int, end: int) -> Samples:
    return replace(
        samples, start=samples.start + begin * samples.step_seconds, cpu_cores=samples.cpu_cores[:, begin:end],
        memory_bytes=samples.memory_bytes[:, begin:end], throttled=samples.throttled[:, begin:end],
    )  # fmt: skip


def _without_events(samples: Samples) -> Samples:
    none = np.zeros_like(samples.oom_kills)
    return replace(samples, oom_kills=none, restarts=none, oom_limit_bytes=np.full(samples.oom_limit_bytes.shape, np.nan))


class _Sums:
    """One resource over all folds, by row; only days count that have both a fitted request and use."""

    def __init__(self, rows: int) -> None:
        self.days, self.samples, self.above, self.above_limit = (np.zeros(rows) for _ in range(4))
        self.hit_limit, self.mean, self.request = (np.zeros(rows) for _ in range(3))

    def add(self, values: NDArray[np.float32], row: NDArray[np.int64], advice: Advice, *, use: NDArray[np.float32]) -> None:
        """Count a day's samples of each series, `use` against the fitted request of its row and `values` against the limit; one that is not set is never passed."""
        request, limit = advice.fitted_request, advice.fitted_limit
        known = ~np.isnan(values)
        sums = (_by_row(part.sum(axis=1, dtype=np.float64), row, len(request)) for part in (
            known, use > request[row, None], values > limit[row, None], np.where(known, use, 0),
        ))  # fmt: skip
        count, above, above_limit, total = sums
        valid = (count > 0) & np.isfinite(request)
        parts: tuple[Any, ...] = (1, count, above, above_limit, above_limit > 0, total / np.maximum(count, 1), request)
        targets = (self.days, self.samples, self.above, self.above_limit, self.hit_limit, self.mean, self.request)
        for target, part in zip(targets, parts, strict=True):
            np.add(target, np.where(valid, part, 0), out=target)

    def share(self, part: Floats, whole: Floats) -> Floats:
        """Return a share of what was judged, NaN where nothing was."""
        return np.where(self.days > 0, part / np.where(whole > 0, whole, 1), np.nan)


def _by_row(values: Floats, row: NDArray[np.int64], rows: int) -> Floats:
    total: Floats = np.bincount(row, weights=values, minlength=rows).astype(np.float64)
    return total


def judge_folds(folds: Sequence[Fold], current: CurrentResources, options: Options) -> Backtest:
    """Return how the rule, fitted anew before each fold, would have done on it: shares over all folds' samples, pods pooled.

    An expected OOM kill is a fold in which the largest use of a row passes the limit fitted before it. Where a memory request is made of resident sets, it
    is judged by these, and the limit by the working set.
    """
    cpu, memory = _Sums(len(current.replicas)), _Sums(len(current.replicas))
    for each in folds:
        sized = size(each.view, current, options)
        tail, working_set = each.tail, each.tail.memory_bytes
        use = use_within(each.resident, tail, sized.by_resident) if each.resident is not None and sized.by_resident.any() else working_set
        cpu.add(tail.cpu_cores, tail.row, sized.cpu, use=tail.cpu_cores)
        memory.add(working_set, tail.row, sized.memory, use=use)
    judged = np.maximum(cpu.days, memory.days)
    return Backtest(
        folds=judged.astype(np.int64), judged_days=np.where(judged > 0, judged, np.nan),
        cpu_time_above_request=cpu.share(cpu.above, cpu.samples), cpu_time_above_limit=cpu.share(cpu.above_limit, cpu.samples),
        memory_time_above_request=memory.share(memory.above, memory.samples), memory_time_above_limit=memory.share(memory.above_limit, memory.samples),
        expected_oom_kills=memory.share(memory.hit_limit, np.ones(len(judged))), cpu_slack=1 - cpu.share(cpu.mean, cpu.request),
        memory_slack=1 - memory.share(memory.mean, memory.request), cpu_request_cores=cpu.share(cpu.request, cpu.days),
        memory_request_bytes=memory.share(memory.request, memory.days),
    )  # fmt: skip
