import numpy as np
import pytest
from scipy.optimize import least_squares

from upid.engine.performance.scalability import fit_scalability, usl_peak, usl_throughput

LOADS = np.array([[1, 2, 4, 8, 16, 32, 64]], dtype=float)


def law(rate: float, contention: float, coherency: float, loads: np.ndarray = LOADS) -> np.ndarray:
    return usl_throughput(loads, np.array([rate]), np.array([contention]), np.array([coherency]))


def best_of_scipy(loads: np.ndarray, measured: np.ndarray) -> float:
    def gap(p: np.ndarray) -> np.ndarray:
        return p[0] * loads / (1 + p[1] * (loads - 1) + p[2] * loads * (loads - 1)) - measured

    starts = [(0.01, 1e-5), (0.1, 1e-3), (0.3, 1e-2), (1e-4, 1e-7)]
    fits = [
        least_squares(gap, [measured[0], *start], bounds=(0, np.inf), x_scale=[measured[0], 0.1, 1e-3], xtol=1e-15, ftol=1e-15, gtol=1e-15)
        for start in starts
    ]
    return min(float((fit.fun**2).sum()) for fit in fits)


def test_throughput_of_two_workers_by_hand() -> None:
    # 100 * 2 / (1 + 0.1 * 1 + 0.05 * 2 * 1) = 200 / 1.2.
    assert law(100, 0.1, 0.05, np.array([[2.0]]))[0, 0] == pytest.approx(200 / 1.2)


def test_the_peak_by_hand() -> None:
    # sqrt((1 - 0.19) / 0.01) = 9.
    load, throughput = usl_peak(np.array([10.0]), np.array([0.19]), np.array([0.01]))

    assert load[0] == pytest.approx(9)
    assert throughput[0] == pytest.approx(90 / (1 + 0.19 * 8 + 0.01 * 72))


@pytest.mark.parametrize(("rate", "contention", "coherency"), [(100, 0.05, 0.001), (1e-60, 0.02, 1e-5), (1e60, 0.3, 0.01), (7, 0, 0.002)])
def test_exact_data_give_their_parameters_back(rate: float, contention: float, coherency: float) -> None:
    fit = fit_scalability(LOADS, law(rate, contention, coherency))

    assert fit.rate[0] == pytest.approx(rate, rel=1e-6)
    assert fit.contention[0] == pytest.approx(contention, rel=1e-5, abs=1e-7)
    assert fit.coherency[0] == pytest.approx(coherency, rel=1e-5, abs=1e-9)
    assert fit.r_squared[0] == pytest.approx(1)


def test_no_fit_of_scipy_leaves_less() -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        measured = law(rng.uniform(1, 1000), rng.uniform(0, 0.3), 10 ** rng.uniform(-6, -2)) * np.exp(rng.normal(0, 0.05, LOADS.shape))
        ours = float(((fit_scalability(LOADS, measured).throughput(LOADS) - measured) ** 2).sum())
        assert ours <= best_of_scipy(LOADS[0], measured[0]) * (1 + 1e-4)


def test_rows_together_are_as_alone() -> None:
    measured = np.vstack([law(10, 0.1, 0.001), law(300, 0.01, 0.0001)]) * (1 + 0.01 * np.sin(np.arange(14.0)).reshape(2, 7))
    together = fit_scalability(np.vstack([LOADS, LOADS]), measured)

    alone = [fit_scalability(LOADS, measured[i : i + 1]).coherency[0] for i in range(2)]
    assert together.coherency == pytest.approx(alone, rel=1e-6)


def test_linear_scaling_has_no_peak() -> None:
    fit = fit_scalability(LOADS, 5 * LOADS)

    assert (fit.contention[0], fit.coherency[0]) == pytest.approx((0, 0), abs=1e-9)
    assert fit.peak_load[0] > 1e3


def test_serial_work_alone_nears_a_limit() -> None:
    load, throughput = usl_peak(np.array([10.0]), np.array([0.1]), np.array([0.0]))

    assert np.isinf(load[0])
    assert throughput[0] == pytest.approx(100)


def test_missing_points_do_not_count() -> None:
    with_gap = np.where(LOADS == 4, np.nan, law(100, 0.05, 0.001))

    fit = fit_scalability(LOADS, with_gap)

    assert fit.points.tolist() == [6]
    assert fit.contention[0] == pytest.approx(0.05, rel=1e-5)


def test_three_loads_are_too_few() -> None:
    fit = fit_scalability(LOADS[:, :3], law(1, 0, 0)[:, :3])

    assert np.isnan([fit.rate[0], fit.peak_load[0], fit.peak_throughput[0], fit.r_squared[0]]).all()


@pytest.mark.parametrize("load", [1e-100, 1e-9, 1e9, 1e100])
def test_loads_of_any_magnitude_are_fitted_or_told_to_be_too_few(load: float) -> None:
    assert np.isnan(fit_scalability(np.array([[load]]), np.array([[load]])).rate[0])

    fit = fit_scalability(LOADS, law(load, 0.05, 0.001))

    assert fit.rate[0] == pytest.approx(load, rel=1e-5)


def test_loads_of_nothing_and_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        fit_scalability(LOADS * 0, LOADS)
    with pytest.raises(ValueError, match="2-D"):
        fit_scalability(LOADS, LOADS[:, 1:])
