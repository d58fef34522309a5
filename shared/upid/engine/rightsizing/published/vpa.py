"""Vertical Pod Autoscaler, target: vertical-pod-autoscaler/pkg/recommender/{model/aggregations_config,util/histogram,logic/estimator}.go.

The target carries the safety margin alone; the confidence multipliers are those of its lower and upper bound.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.published.window import Floats, Window, weighted_bucket

RATIO: Final = 1.05
FIRST_CORES, FIRST_BYTES = 0.01, 1e7
MOST_CORES, MOST_BYTES = 1000.0, 1e12
TARGET, LOWER, UPPER = 0.9, 0.5, 0.95
MARGIN: Final = 0.15
LEAST_CORES, LEAST_BYTES = 0.025, 250e6
DAY: Final = 86400
PEAKS: Final = 8  # daily peaks of memory that count
SAMPLES_PER_DAY: Final = 1440  # of a container at the recommender's pace


def bucket_of(values: Floats, first: float, most: float) -> NDArray[np.int64]:
    """Return the exponential bucket of each value: the first as wide as `first`, each next one 5 % wider; -1 for NaN."""
    last = math.ceil(math.log(most * (RATIO - 1) / first + 1) / math.log(RATIO))
    with np.errstate(invalid="ignore"):
        place = np.floor(np.log(np.where(np.isnan(values), 0, values) / first * (RATIO - 1) + 1) / math.log(RATIO))
    return np.where(np.isnan(values), -1, np.clip(place, 0, last)).astype(np.int64)


def bucket_end(bucket: NDArray[np.int64], first: float) -> Floats:
    """Return where a bucket ends, which is what its percentiles are; NaN for -1."""
    end: Floats = np.where(bucket < 0, np.nan, first * (RATIO ** (bucket + 1.0) - 1) / (RATIO - 1))
    return end


def cpu_percentile(window: Window, probability: float) -> Floats:
    """Return a percentile of the histogram of samples whose weight halves every 24 hours of age, shape (rows,). [cores]."""
    weights = np.exp2((window.moments - window.start) / DAY)
    return bucket_end(weighted_bucket(bucket_of(window.values, FIRST_CORES, MOST_CORES), weights, probability), FIRST_CORES)


def daily_peaks(window: Window) -> Floats:
    """Return the largest value in each 24 hours from a row's first sample on, shape (rows, days), NaN = none."""
    steps = DAY // window.step_seconds
    first = np.argmax(~np.isnan(window.values), axis=1)
    day = (np.arange(window.values.shape[1]) - first[:, None]) // steps
    count = int(day.max(initial=0)) + 1
    return np.stack([np.fmax.reduce(np.where(day == k, window.values, np.nan), axis=1) for k in range(count)], axis=1)


def memory_percentile(window: Window, probability: float) -> Floats:
    """Return a percentile of the histogram of the last eight daily peaks, whose weight halves every 24 hours, shape (rows,). [bytes]."""
    peaks = daily_peaks(window)[:, -PEAKS:]
    weights = np.exp2(np.arange(peaks.shape[1], dtype=np.float64))
    return bucket_end(weighted_bucket(bucket_of(peaks, FIRST_BYTES, MOST_BYTES), weights, probability), FIRST_BYTES)


def cpu(window: Window) -> Floats:
    """Return the target: 90th percentile by its bucket's end and 15 %, at least 25m, shape (rows,). [cores]."""
    return np.maximum(cpu_percentile(window, TARGET) * (1 + MARGIN), LEAST_CORES)


def memory(window: Window) -> Floats:
    """Return the target: 90th percentile of daily peaks by its bucket's end and 15 %, at least 250 MB, shape (rows,). [bytes]."""
    return np.maximum(memory_percentile(window, TARGET) * (1 + MARGIN), LEAST_BYTES)


def confidence(window: Window) -> Floats:
    """Return the days of data: the lesser of the time that the samples span and their number in days of one a minute, shape (rows,). [d].

    Samples of a longer step stand for the ones a minute that they cover.
    """
    known = ~np.isnan(window.values)
    first, last = np.argmax(known, axis=1), known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    span = (last - first) * window.step_seconds / DAY
    days: Floats = np.minimum(span, window.count * window.step_seconds / 60 / SAMPLES_PER_DAY)
    return days


def cpu_bounds(window: Window) -> tuple[Floats, Floats]:
    """Return the lower and the upper bound: 50th and 95th percentile and 15 %, times (1 + 0.001 / c) ** -2 and 1 + 1 / c for c days. [cores]."""
    days = confidence(window)
    with np.errstate(divide="ignore"):
        low, high = (1 + 0.001 / days) ** -2.0, 1 + 1 / days
    lower, upper = (cpu_percentile(window, p) * (1 + MARGIN) for p in (LOWER, UPPER))
    return np.maximum(lower * low, LEAST_CORES), np.maximum(upper * high, LEAST_CORES)
