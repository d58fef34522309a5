"""Closed forms against exact fractions, over magnitudes from 1e-100 to 1e100."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from unit.engine.statistics.reference import Floats, exact, mean_of, near, rows

from upid.engine.statistics.averages import exponential_average, simple_average, weighted_average
from upid.engine.statistics.correlation import mean_ranks, pearson
from upid.engine.statistics.describing import describe
from upid.engine.statistics.linear import least_squares_line
from upid.engine.statistics.regression import multiple_regression
from upid.engine.statistics.variance import anova, spread_by_group

mp.dps = 60
many = settings(max_examples=60, deadline=None)


def size(values: Floats) -> float:
    return float(np.nanmax(np.abs(values)))


@many
@given(rows())
def test_mean_and_variance_are_those_of_fractions(values: Floats) -> None:
    told, true = describe(values[None]), exact(values)
    mean = mean_of(true)
    variance = sum(((v - mean) ** 2 for v in true), Fraction(0)) / (len(true) - 1)

    assert near(told.mean[0], mean, size(values))
    assert abs(mpf(float(told.deviation[0])) - mp.sqrt(mpf(variance.numerator) / variance.denominator)) <= 1e-9 * size(values)


@many
@given(rows(gaps=False), st.integers(1, 6))
def test_moving_averages_are_those_of_fractions(values: Floats, window: int) -> None:
    true, weights = exact(values), range(1, window + 1)
    simple, weighted = simple_average(values[None], window)[0], weighted_average(values[None], window)[0]

    for i in range(window - 1, len(values)):
        last = true[i - window + 1 : i + 1]
        assert near(simple[i], mean_of(last), size(values))
        assert near(weighted[i], sum((w * v for w, v in zip(weights, last, strict=True)), Fraction(0)) / sum(weights), size(values))
    assert np.isnan(simple[: window - 1]).all()


@many
@given(rows(), st.floats(0.01, 1))
def test_the_exponential_average_is_that_of_fractions(values: Floats, alpha: float) -> None:
    found = exponential_average(values[None], alpha)[0]
    level: Fraction | None = None
    for i, value in enumerate(values):
        if not np.isnan(value):
            level = Fraction(value) if level is None else level + Fraction(alpha) * (Fraction(value) - level)
        assert np.isnan(found[i]) if level is None else near(found[i], level, size(values))


@many
@given(rows(), st.sampled_from([0.0, 1.7e9]))
def test_a_line_is_that_of_fractions_even_over_epoch_seconds(values: Floats, origin: float) -> None:
    x = origin + 60.0 * np.arange(len(values))
    line = least_squares_line(x, values[None])
    pairs = [(Fraction(a), Fraction(b)) for a, b in zip(x, values, strict=True) if not np.isnan(b)]
    mx, my = mean_of([a for a, _ in pairs]), mean_of([b for _, b in pairs])
    slope = sum(((a - mx) * (b - my) for a, b in pairs), Fraction(0)) / sum(((a - mx) ** 2 for a, _ in pairs), Fraction(0))

    assert near(line.slope[0], slope, size(values) / float(x[-1] - x[0]))
    assert near(line.at_mean[0], my, size(values))


@many
@given(rows(gaps=False, least=5), st.randoms(use_true_random=False))
def test_correlation_is_that_of_many_digits(values: Floats, random: object) -> None:
    other = np.array([random.random() for _ in values])  # type: ignore[attr-defined] # hypothesis' own random
    found = pearson(values[None], other[None])
    x, y = [mpf(float(v)) for v in values], [mpf(float(v)) for v in other]
    mx, my = mp.fsum(x) / len(x), mp.fsum(y) / len(y)
    sxx, syy = mp.fsum((a - mx) ** 2 for a in x), mp.fsum((b - my) ** 2 for b in y)
    if mp.sqrt(sxx) <= 1e-6 * size(values) or syy == 0:  # badly conditioned: hardly any spread beside its size
        return
    true = mp.fsum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / mp.sqrt(sxx * syy)
    assert abs(mpf(float(found.coefficient[0])) - true) <= 1e-9


@many
@given(rows(gaps=False, least=9))
def test_analysis_of_variance_is_that_of_fractions(values: Floats) -> None:
    groups = np.arange(len(values)) % 3
    found, true = anova(spread_by_group(values, groups, 3)), exact(values)
    parts = [[v for v, g in zip(true, groups, strict=True) if g == each] for each in range(3)]
    grand = mean_of(true)
    between = sum((len(p) * (mean_of(p) - grand) ** 2 for p in parts), Fraction(0))
    within = sum(((v - mean_of(p)) ** 2 for p in parts for v in p), Fraction(0))
    if between + within > (Fraction(size(values)) / 10**6) ** 2:
        assert found.explained == pytest.approx(float(between / (between + within)), abs=1e-9)


@many
@given(rows(gaps=False, least=6))
def test_a_regression_with_one_predictor_is_the_line(values: Floats) -> None:
    x = np.arange(float(len(values)))
    line, fit = least_squares_line(x, values[None]), multiple_regression(x[:, None], values)
    assert near(fit.coefficients[1], float(line.slope[0]), size(values))
    assert near(fit.coefficients[0], float(line.at(0.0)[0]), size(values))


def test_ranks_share_what_ties() -> None:
    assert mean_ranks(np.array([3.0, 1.0, 3.0, np.nan, 2.0])).tolist()[:3] == [3.5, 1.0, 3.5]
    assert np.isnan(mean_ranks(np.array([3.0, np.nan]))[1])


class TestHardCases:
    def test_a_constant_has_no_spread_at_all(self) -> None:
        told = describe(np.full((1, 7), 0.1))
        assert (told.mean[0], told.deviation[0], told.variation[0]) == (0.1, 0.0, 0.0)

    def test_nothing_is_nothing(self) -> None:
        told = describe(np.full((1, 7), np.nan))
        assert told.count[0] == 0
        assert np.isnan([told.mean[0], told.deviation[0], told.minimum[0], told.autocorrelation[0]]).all()
        assert told.effective_samples[0] == 0

    def test_one_point_has_a_mean_and_no_line(self) -> None:
        assert describe(np.array([[5.0]])).mean[0] == 5.0
        assert np.isnan(least_squares_line(np.array([1.0]), np.array([[5.0]])).slope[0])

    def test_equal_times_have_no_slope(self) -> None:
        assert np.isnan(least_squares_line(np.array([3.0, 3.0, 3.0]), np.array([[1.0, 2.0, 3.0]])).slope[0])

    def test_alternate_gaps_do_not_make_samples_independent(self) -> None:
        day = np.sin(np.arange(200) / 20)
        holed = np.where(np.arange(200) % 2, np.nan, day)
        assert describe(holed[None]).effective_samples[0] < 20


@pytest.mark.parametrize(
    "call",
    [
        lambda: simple_average(np.ones((1, 3)), 0), lambda: weighted_average(np.ones((1, 3)), 0), lambda: exponential_average(np.ones((1, 3)), 0),
        lambda: least_squares_line(np.arange(3.0), np.ones((1, 3)), confidence=1), lambda: pearson(np.ones((1, 3)), np.ones((1, 4))),
        lambda: multiple_regression(np.ones((3, 2)), np.ones(3)), lambda: multiple_regression(np.full((5, 1), np.nan), np.ones(5)),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        call()  # type: ignore[operator] # a lambda
