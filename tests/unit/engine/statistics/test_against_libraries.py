"""Statistics against scipy, statsmodels and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import signal, stats

from upid.engine.statistics.averages import exponential_average
from upid.engine.statistics.changes import level_shifts, long_run_variance
from upid.engine.statistics.correlation import cross_correlation, pearson, spearman
from upid.engine.statistics.linear import least_squares_line, robust_trend
from upid.engine.statistics.regression import multiple_regression, polynomial_regression
from upid.engine.statistics.variance import anova, spread_by_group

RANDOM = np.random.default_rng(7)
X = np.arange(60.0) * 300
Y = RANDOM.normal(size=(4, 60)) + X / 9000
TIED = np.round(Y)


def test_the_line_is_scipys() -> None:
    line = least_squares_line(X, Y)
    for row, values in enumerate(Y):
        true = stats.linregress(X, values)
        found = (line.slope[row], line.standard_error[row], line.p_value[row], line.r_squared[row], line.at(0.0)[row])
        assert_allclose(found, (true.slope, true.stderr, true.pvalue, true.rvalue**2, true.intercept), rtol=1e-9)


@pytest.mark.parametrize("values", [Y[0], TIED[0]])
def test_the_robust_slope_is_scipys(values: np.ndarray) -> None:
    found, true = robust_trend(X, values), stats.theilslopes(values, X)
    assert_allclose((found.slope, found.low, found.high), (true.slope, true.low_slope, true.high_slope), rtol=1e-12)


def test_the_robust_test_is_mann_and_kendalls() -> None:
    found = robust_trend(np.arange(8.0), np.array([1.0, 2, 2, 3, 5, 4, 6, 7]))
    # 28 pairs: 26 rise, one ties, one falls; variance (8 * 7 * 21 - 2 * 1 * 9) / 18 = 64.33
    assert (found.score, found.z) == (25.0, pytest.approx(24 / np.sqrt(1158 / 18)))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(found.z))


@pytest.mark.parametrize(("ours", "theirs"), [(pearson, stats.pearsonr), (spearman, stats.spearmanr)])
@pytest.mark.parametrize("values", [Y, TIED])
def test_correlation_is_scipys(ours: object, theirs: object, values: np.ndarray) -> None:
    found, true = ours(values[:2], values[2:]), [theirs(a, b) for a, b in zip(values[:2], values[2:], strict=True)]  # type: ignore[operator] # functions
    assert_allclose(found.coefficient, [each.statistic for each in true], rtol=1e-9)
    assert_allclose(found.p_value, [each.pvalue for each in true], rtol=1e-9)


def test_bounds_of_correlation_are_scipys() -> None:
    found, true = pearson(Y[:1], Y[1:2]), stats.pearsonr(Y[0], Y[1]).confidence_interval()
    assert_allclose((found.low[0], found.high[0]), (true.low, true.high), rtol=1e-9)


def test_correlation_at_a_lag_is_that_of_the_overlap() -> None:
    found = cross_correlation(Y[0], Y[1], np.array([-3, 0, 3]))
    true = [stats.pearsonr(Y[0][3:], Y[1][:-3])[0], stats.pearsonr(Y[0], Y[1])[0], stats.pearsonr(Y[0][:-3], Y[1][3:])[0]]
    assert_allclose(found.coefficient, true, rtol=1e-9)


def test_multiple_regression_is_statsmodels() -> None:
    x = RANDOM.normal(size=(60, 3)) * [1, 1e3, 1e-3] + [3, 1e4, 1e-2]
    y = x @ [1, 1e-3, 1e3] + RANDOM.normal(size=60)
    found, true = multiple_regression(x, y), sm.OLS(y, sm.add_constant(x)).fit()

    assert_allclose(found.coefficients, true.params, rtol=1e-7)
    assert_allclose(found.standard_errors, true.bse, rtol=1e-7)
    assert_allclose(found.p_values, true.pvalues, rtol=1e-6)
    assert_allclose((found.f_statistic, found.p_value), (true.fvalue, true.f_pvalue), rtol=1e-7)
    assert_allclose((found.r_squared, found.adjusted_r_squared), (true.rsquared, true.rsquared_adj), rtol=1e-9)
    assert_allclose(np.column_stack([found.low, found.high]), true.conf_int(), rtol=1e-6)


def test_a_polynomial_is_numpys() -> None:
    x = np.linspace(-2, 5, 40)
    y = 1 + 2 * x - 0.5 * x**3 + RANDOM.normal(size=40) * 0.1
    found = polynomial_regression(x, y, degree=None)
    assert found.degree == 3
    assert_allclose(found.coefficients, np.polynomial.Polynomial.fit(x, y, 3).convert().coef, rtol=1e-8)
    assert_allclose(found.at(x), found.regression.fitted, rtol=1e-12)


def test_the_exponential_average_is_pandas() -> None:
    values = Y.copy()
    values[0, 5:9] = np.nan
    true = pd.DataFrame(values.T).ewm(alpha=0.3, adjust=False, ignore_na=True).mean().to_numpy().T
    assert_allclose(exponential_average(values, 0.3), true, rtol=1e-12)


def test_analysis_of_variance_is_scipys() -> None:
    groups = RANDOM.integers(0, 4, 60)
    found, true = anova(spread_by_group(Y[0], groups, 5)), stats.f_oneway(*[Y[0][groups == each] for each in range(4)])
    assert_allclose((found.f, found.p_value), true, rtol=1e-9)


class TestShifts:
    def test_levels_are_found_where_they_change(self) -> None:
        values = np.concatenate([RANDOM.normal(size=100), 5 + RANDOM.normal(size=60), 1 + RANDOM.normal(size=90)])
        assert [shift.column for shift in level_shifts(values)] == pytest.approx([100, 160], abs=2)

    def test_noise_and_lines_have_none(self) -> None:
        assert sum(bool(level_shifts(np.random.default_rng(seed).normal(size=200))) for seed in range(50)) <= 2
        assert level_shifts(np.arange(50.0)) == []

    def test_noise_that_wanders_does_not_shift(self) -> None:
        noise = np.random.default_rng(2).normal(size=(50, 400))
        wandering = signal.lfilter([1.0], [1.0, -0.5], noise, axis=1)[:, 100:]
        assert sum(bool(level_shifts(row)) for row in wandering) <= 8  # 93 % of such series had one when the noise was taken as white
        shifted = wandering + 6 * (np.arange(300) >= 120)
        assert np.mean([min((abs(shift.column - 120) for shift in level_shifts(row)), default=300) <= 3 for row in shifted]) >= 0.85

    def test_the_long_run_variance_is_that_of_long_means(self) -> None:
        for r in (0.0, 0.5, 0.8):
            noise = signal.lfilter([1.0], [1.0, -r], np.random.default_rng(3).normal(size=20_000))
            # of unit innovations: s^2 (1 + r) / (1 - r) = 1 / (1 - r)^2
            assert long_run_variance(noise) == pytest.approx(1 / (1 - r) ** 2, rel=0.4)
        assert level_shifts(np.full(50, 3.0)) == []

    def test_gaps_are_stepped_over(self) -> None:
        values = np.concatenate([np.zeros(20), np.full(5, np.nan), np.ones(20)])
        assert [tuple(shift) for shift in level_shifts(values)] == [(25, 0.0, 1.0)]

    @pytest.mark.parametrize(("values", "least", "penalty"), [(np.zeros(3001), 3, 3.0), (np.zeros(9), 0, 3.0), (np.zeros(9), 3, 0.0)])
    def test_what_cannot_be_is_refused(self, values: np.ndarray, least: int, penalty: float) -> None:
        with pytest.raises(ValueError, match=r"at least 1|At most"):
            level_shifts(values, least=least, penalty=penalty)
