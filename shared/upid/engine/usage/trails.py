"""How usage went over time, in few enough points to draw: the mean and the peak of each row in bins of equal length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.blocks import blocks_of
from upid.engine.usage.counting import valid_samples
from upid.engine.usage.samples import Samples

Drawn = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Trails:
    """Usage of rows over time, shape (rows, bins) each; NaN = no sample in the bin.

    Attributes
    ----------
    start, bin_seconds : int
        When the first bin begins [s since the epoch], and how long each is; the last may be shorter. [s]
    cpu_mean, cpu_peak : ndarray, float32
        Mean over all samples of all pods in the bin, and the largest sample of any pod. [cores]
    memory_mean, memory_peak : ndarray, float32
        The same. [bytes]
    """

    start: int
    bin_seconds: int
    cpu_mean: Drawn
    cpu_peak: Drawn
    memory_mean: Drawn
    memory_peak: Drawn


def trails_of(samples: Samples, points: int) -> Trails:
    """Return the trails of all rows in at most `points` bins of whole steps.

    Values that cannot be (infinite, negative) are no samples. Rows without a series are NaN, and of an empty grid there is no bin.

    Raises
    ------
    ValueError
        If `points` is less than 1.
    """
    if points < 1:
        raise ValueError(f"points must be at least 1, got {points}.")
    steps = samples.cpu_cores.shape[1]
    width = max(-(-steps // points), 1)
    cuts = np.arange(0, steps, width)
    cpu_mean, cpu_peak, memory_mean, memory_peak = (np.full((samples.rows, len(cuts)), np.nan, dtype=np.float32) for _ in range(4))
    for block in blocks_of(samples.row, steps) if steps else ():
        for values, mean, peak in ((samples.cpu_cores, cpu_mean, cpu_peak), (samples.memory_bytes, memory_mean, memory_peak)):
            chosen = valid_samples(values[block.series])
            mean[block.groups], peak[block.groups] = _binned(chosen, cuts, block.starts)
    return Trails(samples.start, width * samples.step_seconds, cpu_mean, cpu_peak, memory_mean, memory_peak)


def _binned(values: Drawn, cuts: NDArray[np.int64], starts: NDArray[np.int64]) -> tuple[Drawn, Drawn]:
    """Return mean and peak by group and bin, shape (groups, bins). `values`: (series, steps); `starts`: each group's first series."""
    valid = ~np.isnan(values)
    total = np.add.reduceat(np.add.reduceat(np.where(valid, values, 0), cuts, axis=1, dtype=np.float64), starts, axis=0)
    count = np.add.reduceat(np.add.reduceat(valid, cuts, axis=1, dtype=np.int64), starts, axis=0)
    with np.errstate(invalid="ignore"):
        mean = (total / count).astype(np.float32)
    return mean, np.fmax.reduceat(np.fmax.reduceat(values, cuts, axis=1), starts, axis=0)
