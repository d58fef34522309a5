"""Evidence from samples, exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.effective import effective_samples
from upid.engine.statistics.quantiles import sorted_quantiles
from upid.engine.usage.blocks import Block, blocks_of
from upid.engine.usage.counting import Grid, grid_of, valid_samples
from upid.engine.usage.figures import QUANTILES, Evidence, Floats, Spread
from upid.engine.usage.samples import Samples


@dataclass(frozen=True, slots=True)
class _Metric:
    """What is gathered of one metric: shape (rows,) or (rows, days)."""

    quantiles: Floats
    peak: Floats
    count: NDArray[np.int64]
    total: Floats
    squares: Floats


def _empty(rows: int, days: int) -> _Metric:
    shape = (rows, days)
    nothing = np.full((rows, len(QUANTILES)), np.nan)
    return _Metric(nothing, np.full(rows, np.nan), np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape))


def exact_evidence(samples: Samples) -> Evidence:
    """Return what the samples show, exact: quantiles are numpy's `linear` method (Hyndman-Fan 7) over all samples of all pods of a row.

    Values that cannot be (infinite, negative) are no samples. Rows without a series have NaN figures and counts of 0.
    """
    rows, steps = samples.rows, samples.cpu_cores.shape[1]
    grid = grid_of(samples.start, samples.step_seconds, steps)
    cpu, memory = _empty(rows, len(grid.days)), _empty(rows, len(grid.days))
    covered, first, pods = np.zeros(rows, dtype=np.int64), np.full(rows, steps), np.zeros(rows, dtype=np.int64)
    pods_of_series = samples.pods_of_series
    for block in blocks_of(samples.row, steps) if steps else ():
        seen = np.zeros((len(block.local), steps), dtype=bool)
        for values, metric in ((samples.cpu_cores, cpu), (samples.memory_bytes, memory)):
            chosen = valid_samples(values[block.series])
            valid = ~np.isnan(chosen)
            seen |= valid
            _gather(metric, block, chosen, valid, grid)
        pods[block.groups] = np.add.reduceat(seen.any(axis=1) * pods_of_series[block.series], block.starts, dtype=np.int64)
        at_all = seen if block.is_single else np.logical_or.reduceat(seen, block.starts, axis=0)
        covered[block.groups] = at_all.sum(axis=1)
        first[block.groups] = np.where(at_all.any(axis=1), np.argmax(at_all, axis=1), steps)
    hours = covered * samples.step_seconds / 3600
    effective = effective_samples(cpu.count, cpu.total, cpu.squares, covered, hours=hours)
    return Evidence(
        source="samples", cpu=_spread(cpu), memory=_spread(memory), cpu_samples=cpu.count.sum(axis=1), memory_samples=memory.count.sum(axis=1),
        samples=covered, effective_samples=effective, pods=pods, coverage=covered / np.maximum(steps - first, 1),
        throttled_fraction=_throttled(samples), oom_kills=_events(samples, samples.oom_kills), restarts=_events(samples, samples.restarts),
    )  # fmt: skip


def _gather(metric: _Metric, block: Block, values: NDArray[np.float32], valid: NDArray[np.bool_], grid: Grid) -> None:
    known = values if valid.all() else np.where(valid, values, np.float32(0))
    count = np.add.reduceat(valid, grid.day_starts, axis=1, dtype=np.int64)
    total = np.add.reduceat(known, grid.day_starts, axis=1, dtype=np.float64)
    squares = np.add.reduceat(np.square(known, dtype=np.float64), grid.day_starts, axis=1)
    if not block.is_single:
        count, total, squares = (np.add.reduceat(part, block.starts, axis=0) for part in (count, total, squares))
    metric.count[block.groups], metric.total[block.groups], metric.squares[block.groups] = count, total, squares
    width = np.diff(np.append(block.starts, len(values)))
    for pods in np.unique(width):  # rows of equally many pods are one rectangle, each row's samples side by side
        chosen = np.flatnonzero(width == pods)
        series = (block.starts[chosen][:, None] + np.arange(pods)).reshape(-1)
        ordered = np.sort(values[series].reshape(len(chosen), -1), axis=1)
        held = count[chosen].sum(axis=1)
        metric.quantiles[block.groups[chosen]] = sorted_quantiles(ordered, held, QUANTILES)
        last = np.take_along_axis(ordered, np.maximum(held - 1, 0)[:, None], axis=1)[:, 0]
        metric.peak[block.groups[chosen]] = np.where(held > 0, last, np.nan)


def _spread(metric: _Metric) -> Spread:
    with np.errstate(invalid="ignore"):
        mean = metric.total.sum(axis=1) / metric.count.sum(axis=1)
    p50, p90, p95, p99 = metric.quantiles.T.copy()
    return Spread(mean, p50, p90, p95, p99, metric.peak)


def _throttled(samples: Samples) -> Floats:
    share = np.clip(samples.throttled, 0, 1)
    measured = ~np.isnan(share)
    total = np.bincount(samples.row, weights=np.where(measured, share, 0).sum(axis=1, dtype=np.float64), minlength=samples.rows)
    count = np.bincount(samples.row, weights=measured.sum(axis=1), minlength=samples.rows)
    with np.errstate(invalid="ignore"):
        return total / count


def _events(samples: Samples, counts: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.bincount(samples.row, weights=counts, minlength=samples.rows).astype(np.int64)
