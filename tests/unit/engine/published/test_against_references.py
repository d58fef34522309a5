"""The two rules with the most moving parts against slow, independent ones that go sample by sample."""

from __future__ import annotations

import bisect
import math
from itertools import accumulate
from statistics import quantiles

import numpy as np
import pytest

from upid.engine.rightsizing.published import attune, vpa
from upid.engine.rightsizing.published.window import Window

STEP = 300


def usage(seed: int, scale: float) -> Window:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 0.8, (3, 5 * 288)) * scale
    values[0, 100:400] = np.nan
    values[1, :50] = np.nan
    return Window(values, 1_699_833_600 + 7 * 3600, STEP)


def slow_vpa(samples: list[tuple[float, float]], first: float, probability: float) -> float:
    """Return the end of the bucket in which the weighted percentile falls: `samples` are (value, age in half-lives)."""
    ends = [*accumulate(first * 1.05**k for k in range(400))]
    weights = [0.0] * 401
    for value, age in samples:
        weights[bisect.bisect_right(ends, value)] += 0.5**age
    threshold, reached = probability * math.fsum(weights), 0.0
    for bucket, weight in enumerate(weights):
        reached += weight
        if reached >= threshold:
            return ends[bucket]
    raise AssertionError


@pytest.mark.parametrize("seed", range(4))
def test_vpa_equals_a_histogram_filled_sample_by_sample(seed: int) -> None:
    window = usage(seed, 0.3)
    end = window.values.shape[1]

    for row, found in zip(window.values, vpa.cpu(window), strict=True):
        samples = [(float(v), (end - i) * STEP / 86400) for i, v in enumerate(row) if not math.isnan(v)]
        assert found == pytest.approx(max(slow_vpa(samples, 0.01, 0.9) * 1.15, 0.025), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_vpa_memory_equals_one_sample_per_day_of_each_container(seed: int) -> None:
    window = usage(seed, 4e8)

    for row, found in zip(window.values, vpa.memory(window), strict=True):
        known = [(i, float(v)) for i, v in enumerate(row) if not math.isnan(v)]
        peaks: dict[int, float] = {}
        for i, value in known:
            day = (i - known[0][0]) // 288
            peaks[day] = max(peaks.get(day, 0.0), value)
        samples = [(peak, float(max(peaks) - day)) for day, peak in peaks.items()]
        assert found == pytest.approx(max(slow_vpa(samples, 1e7, 0.9) * 1.15, 250e6), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_attune_equals_its_chain_step_by_step(seed: int) -> None:
    window = usage(seed, 0.3)

    for row, found in zip(window.values, attune.cpu(window), strict=True):
        known = [(i, float(v)) for i, v in enumerate(row) if not math.isnan(v)]
        hours: dict[int, list[float]] = {}
        for i, value in known:
            hours.setdefault((window.start + i * STEP) // 3600 % 24, []).append(value)
        everything = [value for _, value in known]
        p95 = quantiles(everything, n=100, method="inclusive")[94]
        base = max([p95, *(quantiles(values, n=100, method="inclusive")[94] for values in hours.values())])
        burst = 1 + 0.1 * math.log2(max(everything) / p95) if max(everything) > 3 * p95 else 1.0
        sure = min(max(min((known[-1][0] - known[0][0]) * STEP / 86400, math.sqrt(len(known) / 24)) / 7, 0), 1)
        assert found == pytest.approx(min(max(base * 1.2 * burst * (1 + (1 - sure) ** 2), 0.001), 4.0), rel=1e-9)
