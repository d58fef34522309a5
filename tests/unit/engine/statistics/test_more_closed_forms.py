"""Closed forms of models, trends and forecasts against exact fractions, over magnitudes from 1e-100 to 1e100, with gaps and ties."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from unit.engine.statistics.reference import Floats, exact, magnitudes, mean_of, near, rows

from upid.engine.anomalies.detectors import detect
from upid.engine.capacity.growth import grow
from upid.engine.capacity.headroom import headroom
from upid.engine.capacity.planning import capacity_left, nodes_needed
from upid.engine.capacity.thresholds import threshold
from upid.engine.confidence.scoring import outcome
from upid.engine.forecasting.plain import linear, mean, seasonal_naive
from upid.engine.performance.bottlenecks import find_bottleneck
from upid.engine.performance.latency import apdex, bucket_quantiles, share_within
from upid.engine.performance.throughput import closed_throughput, counted_throughput, counter_throughput
from upid.engine.seasonality.decomposition import classical
from upid.engine.statistics.correlation import cross_correlation
from upid.engine.statistics.linear import least_squares_line, robust_trend
from upid.engine.statistics.quantiles import sorted_quantiles
from upid.engine.statistics.regression import multiple_regression

mp.dps = 60
many = settings(max_examples=30, deadline=None)


def size(values: Floats) -> float:
    return float(np.nanmax(np.abs(values)))


def tied(values: Floats) -> Floats:
    """The values rounded to a quarter of their size, so that many are alike."""
    unit = size(values) / 4
    return np.round(values / unit) * unit if unit > 0 else values


def quantile_of(values: list[Fraction], probability: float) -> Fraction:
    """Hyndman and Fan's seventh."""
    ordered, place = sorted(values), Fraction(probability) * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@many
@given(rows(), st.floats(0, 1))
def test_quantiles_and_headroom_are_those_of_fractions(values: Floats, probability: float) -> None:
    true = quantile_of(exact(values), probability)
    count = (~np.isnan(values[None])).sum(axis=1)
    assert near(sorted_quantiles(np.sort(values[None], axis=1), count, (probability,))[0, 0], true, size(values))
    capacity = 2 * size(values) or 1.0
    found = headroom(np.abs(values)[None], np.array([capacity]), probability=probability)
    used = quantile_of([abs(value) for value in exact(values)], probability)
    assert near(found.of_quantile[0], Fraction(capacity) - used, capacity)
    assert near(found.to_target[0], Fraction(0.8) * Fraction(capacity) - used, capacity)


@many
@given(rows(least=4), st.floats(0.1, 9))
def test_thresholds_are_those_of_fractions(values: Floats, sensitivity: float) -> None:
    for given_values in (values, tied(values)):
        true = exact(given_values)
        first, middle, third = (quantile_of(true, p) for p in (0.25, 0.5, 0.75))
        fence = third + Fraction(sensitivity) * (third - first)
        robust = middle + Fraction(sensitivity) * Fraction(1.482602218505602) * quantile_of([abs(v - middle) for v in true], 0.5)
        scale = size(given_values) * (1 + sensitivity)
        assert near(threshold(given_values[None], method="iqr", sensitivity=sensitivity)[0], fence, scale)
        assert near(threshold(given_values[None], method="robust", sensitivity=sensitivity)[0], robust, scale)


@many
@given(rows(least=5, gaps=True))
def test_robust_trends_are_those_of_fractions(values: Floats) -> None:
    heights = tied(values)
    x = np.arange(float(len(values)))
    x[1] = x[0]  # two values at one time
    known = [(Fraction(a), Fraction(b)) for a, b in zip(x, heights, strict=True) if not np.isnan(b)]
    pairs = [(a, b, c, d) for i, (a, b) in enumerate(known) for c, d in known[i + 1 :] if a != c]
    found = robust_trend(x, heights)
    assert near(found.slope, quantile_of([(d - b) / (c - a) for a, b, c, d in pairs], 0.5), size(heights))
    assert found.score == sum((d > b) - (d < b) for _, b, _, d in pairs)


@many
@given(rows(least=4))
def test_errors_of_a_line_are_those_of_many_digits(values: Floats) -> None:
    x = 60.0 * np.arange(len(values))
    line = least_squares_line(x, values[None])
    pairs = [(mpf(float(a)), mpf(float(b))) for a, b in zip(x, values, strict=True) if not np.isnan(b)]
    mx, my = mp.fsum(a for a, _ in pairs) / len(pairs), mp.fsum(b for _, b in pairs) / len(pairs)
    sxx = mp.fsum((a - mx) ** 2 for a, _ in pairs)
    slope = mp.fsum((a - mx) * (b - my) for a, b in pairs) / sxx
    deviation = mp.sqrt(mp.fsum((b - my - slope * (a - mx)) ** 2 for a, b in pairs) / (len(pairs) - 2))
    assert abs(mpf(float(line.residual_deviation[0])) - deviation) <= 1e-9 * size(values)
    assert abs(mpf(float(line.standard_error[0])) - deviation / mp.sqrt(sxx)) <= 1e-9 * size(values) / mp.sqrt(sxx)
    ahead = grow(x, values[None], np.array([600.0]), model="linear").projected[0, 0]
    assert abs(mpf(float(ahead)) - (my + slope * (x[-1] + 600 - mx))) <= 1e-9 * size(values) * (1 + abs(600 + x[-1]) / float(mp.sqrt(sxx)))


@many
@given(rows(gaps=False, least=8))
def test_plain_forecasts_are_those_of_fractions(values: Floats) -> None:
    true = exact(values)
    n = len(true)
    scale = size(values)
    assert near(mean(values[None], 2).mean[0, 1], mean_of(true), scale)
    assert [Fraction(float(each)) for each in seasonal_naive(values[None], 3, 2).mean[0]] == [true[-2], true[-1], true[-2]]
    middle = Fraction(n - 1, 2)
    slope = sum(((i - middle) * value for i, value in enumerate(true)), Fraction(0)) / sum((i - middle) ** 2 for i in range(n))
    assert near(linear(values[None], 3).mean[0, 2], mean_of(true) + slope * (n + 2 - middle), 3 * scale)


@many
@given(rows(gaps=False, least=8))
def test_a_classical_trend_is_that_of_fractions(values: Floats) -> None:
    true, parts = exact(values), classical(values[None], 4)
    for step in range(2, len(true) - 2):
        smooth = (true[step - 2] / 2 + sum(true[step - 1 : step + 2]) + true[step + 2] / 2) / 4
        assert near(parts.trend[0, step], smooth, size(values))
    assert near(float(parts.season[0, :4].sum()), 0, size(values))


@many
@given(rows(gaps=False, least=8), st.randoms(use_true_random=False))
def test_two_predictors_are_solved_as_fractions_are(values: Floats, random: object) -> None:
    x = np.array([[i, random.random()] for i in range(len(values))])  # type: ignore[attr-defined] # hypothesis' own random
    found = multiple_regression(x, values)
    table = [[Fraction(1), *(Fraction(float(each)) for each in row)] for row in x]
    system = [[sum((row[i] * row[j] for row in table), Fraction(0)) for j in range(3)] for i in range(3)]
    aims = [sum((row[i] * y for row, y in zip(table, exact(values), strict=True)), Fraction(0)) for i in range(3)]
    for i in range(3):  # Gauss and Jordan
        pivot = system[i][i]
        if pivot == 0:
            return
        system[i], aims[i] = [each / pivot for each in system[i]], aims[i] / pivot
        for j in {0, 1, 2} - {i}:
            factor = system[j][i]
            system[j] = [a - factor * b for a, b in zip(system[j], system[i], strict=True)]
            aims[j] -= factor * aims[i]
    if found.condition < 1e6:
        assert all(near(found.coefficients[i], aims[i], size(values) * max(1.0, found.condition)) for i in range(3))


@many
@given(rows(gaps=False, least=6), rows(gaps=False, least=6), st.integers(-2, 2))
def test_correlation_at_a_lag_is_that_of_many_digits(one: Floats, other: Floats, lag: int) -> None:
    length = min(len(one), len(other))
    x, y = one[:length], other[:length]
    found = cross_correlation(x, y, np.array([lag])).coefficient[0]
    left, right = (x[: length - lag], y[lag:]) if lag >= 0 else (x[-lag:], y[:lag])
    a, b = ([mpf(float(v)) for v in part] for part in (left, right))
    ma, mb = mp.fsum(a) / len(a), mp.fsum(b) / len(b)
    sa, sb = mp.fsum((v - ma) ** 2 for v in a), mp.fsum((v - mb) ** 2 for v in b)
    if mp.sqrt(sa) > 1e-6 * size(left) and mp.sqrt(sb) > 1e-6 * size(right):
        true = mp.fsum((u - ma) * (v - mb) for u, v in zip(a, b, strict=True)) / mp.sqrt(sa * sb)
        assert abs(mpf(float(found)) - true) <= 1e-9


@many
@given(rows(least=4), rows(least=4, gaps=False))
def test_errors_of_forecasts_are_those_of_fractions(actual: Floats, forecast: Floats) -> None:
    length = min(len(actual), len(forecast))
    came, told = actual[:length], forecast[:length]
    pairs = [(Fraction(a), Fraction(b)) for a, b in zip(came, told, strict=True) if not np.isnan(a)]
    found = outcome(came, told, np.ones(length), 1.0)
    assert found.points == len(pairs)
    if pairs:
        scale = max(float(max(abs(a), abs(b))) for a, b in pairs)
        assert near(found.mae, sum((abs(b - a) for a, b in pairs), Fraction(0)) / len(pairs), scale)
        assert near(found.bias, sum((b - a for a, b in pairs), Fraction(0)) / len(pairs), scale)


@many
@given(rows(least=12, most=30, gaps=False))
def test_scores_are_those_of_many_digits(values: Floats) -> None:
    found = detect(values[None], "z_score", causal=False).score[0]
    true = [mpf(float(v)) for v in values]
    middle = mp.fsum(true) / len(true)
    spread = mp.sqrt(mp.fsum((v - middle) ** 2 for v in true) / (len(true) - 1))
    if spread > 1e-2 * size(values):  # above the floor
        assert max(abs(mpf(float(f)) - (v - middle) / spread) for f, v in zip(found, true, strict=True)) <= 1e-9


@many
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=20), magnitudes)
def test_rates_are_those_of_fractions(counts: list[int], scale: float) -> None:
    values = np.array(counts) * scale
    true = exact(values)
    found = counted_throughput(np.array([7.0]), values[None])
    assert near(found.mean_per_second[0], mean_of(true) / 7, size(values))
    events = sum((b - a if b >= a else b for a, b in pairwise(true)), Fraction(0))
    counter = counter_throughput(7.0 * np.arange(len(values)), values[None])
    assert near(counter.total[0], events, size(values) * len(values))
    assert near(closed_throughput(values[:1], np.array([0.3]), np.array([0.2]))[0], true[0] / (Fraction(0.3) + Fraction(0.2)), size(values))


@many
@given(st.lists(st.integers(0, 1000), min_size=2, max_size=8), st.floats(0, 1))
def test_buckets_are_those_of_fractions(counts: list[int], probability: float) -> None:
    upper = np.array([0.1 * 2**i for i in range(len(counts))] + [np.inf])
    cumulative = np.cumsum([*counts, 0]).astype(np.float64)
    found, total = bucket_quantiles(upper, cumulative[None], (probability,)), int(cumulative[-1])
    if total == 0:
        assert np.isnan(found.value[0, 0])
        return
    rank = Fraction(probability * total)
    place = next(i for i, reached in enumerate(cumulative) if reached >= rank and reached > 0)
    before = Fraction(cumulative[place - 1]) if place else Fraction(0)
    lower = Fraction(upper[place - 1]) if place else Fraction(0)
    true = lower + (Fraction(upper[place]) - lower) * (rank - before) / (Fraction(cumulative[place]) - before)
    assert near(found.value[0, 0], true, 1.0)
    assert near(share_within(upper, cumulative[None], float(upper[0]))[0][0], Fraction(counts[0], total), 1.0)
    assert near(apdex(cumulative[:1], np.array([1.0]), np.array([total + 1.0]))[0], (counts[0] + Fraction(1, 2)) / (total + 1), 1.0)


@many
@given(st.floats(0.01, 0.99), st.integers(1, 50), st.floats(1e-100, 1e100), st.floats(0, 10))
def test_the_utilisation_law_is_that_of_fractions(busy: float, servers: int, throughput: float, think: float) -> None:
    found = find_bottleneck(throughput, np.array([busy, busy / 2]), np.array([servers, 1]), think_seconds=think)
    demands = [Fraction(busy) * servers / Fraction(throughput), Fraction(busy / 2) / Fraction(throughput)]
    for place, demand in enumerate(demands):
        assert near(found.demand_seconds[place], demand, 0.0)
    most = min(servers / demands[0], 1 / demands[1])
    assert near(found.most_throughput, most, 0.0)
    assert near(found.saturation_users, (sum(demands) + Fraction(think)) * most, 0.0)


@many
@given(st.floats(0, 1e6), st.floats(1e-3, 1e6), st.integers(0, 9), st.lists(st.floats(0, 1e100), min_size=1, max_size=9))
def test_nodes_hold_the_demand_and_no_fewer_do(demand: float, node: float, spare: int, nodes: list[float]) -> None:
    needed = nodes_needed(demand, node, spare=spare) - spare
    exactly = Fraction(demand) / Fraction(node)
    assert needed >= exactly * (1 - Fraction(1, 10**11))
    assert needed - 1 < exactly * (1 + Fraction(1, 10**11)) or needed == 0
    kept = sorted(Fraction(each) for each in nodes)[: max(len(nodes) - spare, 0)]
    assert near(capacity_left(np.array(nodes), spare), sum(kept, Fraction(0)), 0.0)


@pytest.mark.parametrize("values", [np.full(6, 0.1), np.array([0.3, *[np.nan] * 4, 0.3]), np.full(6, 1e100), np.zeros(6)])
def test_a_constant_is_told_to_the_last_bit(values: Floats) -> None:
    line, level = least_squares_line(np.arange(6.0), values[None]), values[0]
    assert (line.slope[0], line.at_mean[0]) == (0.0, level)
    assert threshold(values[None], method="deviation", sensitivity=3.0)[0] == level
    assert robust_trend(np.arange(6.0), np.nan_to_num(values, nan=level)).slope == 0.0
