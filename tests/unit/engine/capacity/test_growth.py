import numpy as np
import pytest
import statsmodels.api as sm

from upid.engine.capacity.growth import grow

TIMES = np.arange(12.0)
AHEAD = np.array([0.0, 5.0])
NOISE = np.sin(TIMES * 7.3)


def test_a_line_goes_on_as_it_was() -> None:
    # 3 t + 2 is 35 at t = 11 and 50 five later; 3 / 35 of the level a step.
    found = grow(TIMES, (3 * TIMES + 2)[None], AHEAD, model="linear")

    assert found.projected[0] == pytest.approx([35, 50])
    assert (found.rate[0], found.relative[0]) == pytest.approx((3, 3 / 35))


def test_what_doubles_goes_on_doubling() -> None:
    found = grow(TIMES, (2.0**TIMES)[None], AHEAD, model="exponential")

    assert found.projected[0] == pytest.approx([2.0**11, 2.0**16])
    assert (found.rate[0], found.r_squared[0]) == pytest.approx((1, 1))


def test_bounds_are_prediction_intervals_of_statsmodels() -> None:
    values = 3 * TIMES + 2 + NOISE
    fit = sm.OLS(values, sm.add_constant(TIMES)).fit()
    frame = fit.get_prediction(np.array([[1.0, 11.0], [1.0, 16.0]])).summary_frame(alpha=0.1)

    found = grow(TIMES, values[None], AHEAD, model="linear", confidence=0.9)

    np.testing.assert_allclose(found.projected[0], frame["mean"], rtol=1e-9)
    np.testing.assert_allclose(found.low[0], frame["obs_ci_lower"], rtol=1e-9)
    np.testing.assert_allclose(found.high[0], frame["obs_ci_upper"], rtol=1e-9)


def test_exponential_bounds_are_those_of_logarithms() -> None:
    values = np.exp(0.1 * TIMES + 0.05 * NOISE)
    fit = sm.OLS(np.log(values), sm.add_constant(TIMES)).fit()
    frame = fit.get_prediction(np.array([[1.0, 16.0]])).summary_frame(alpha=0.1)

    found = grow(TIMES, values[None], AHEAD[1:], model="exponential", confidence=0.9)

    np.testing.assert_allclose(found.high[0], np.exp(frame["obs_ci_upper"]), rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "better"), [(50 + 10 * TIMES + NOISE, "linear"), (np.exp(0.4 * TIMES) * (1 + 0.02 * NOISE), "exponential")]
)
def test_the_criterion_prefers_the_model_that_made_the_data(values: np.ndarray, better: str) -> None:
    fits = {model: grow(TIMES, values[None], AHEAD, model=model).aicc[0] for model in ("linear", "exponential")}

    assert min(fits, key=fits.__getitem__) == better


def test_gaps_and_scale_change_no_relative_growth() -> None:
    values = np.where(np.isin(TIMES, [3, 4, 9]), np.nan, 3 * TIMES + 2)

    for scale in (1e-90, 1.0, 1e90):
        assert grow(TIMES, (values * scale)[None], AHEAD, model="linear").relative[0] == pytest.approx(3 / 35, rel=1e-9)


def test_one_point_has_no_growth() -> None:
    found = grow(TIMES, np.where(TIMES == 4, 1.0, np.nan)[None], AHEAD, model="linear")

    assert np.isnan([found.rate[0], found.level[0], *found.projected[0], *found.low[0]]).all()


def test_nothing_grows_where_all_is_alike() -> None:
    found = grow(TIMES, np.full((1, 12), 0.1), AHEAD, model="linear")

    assert (found.rate[0], found.low[0, 1], found.high[0, 1]) == pytest.approx((0, 0.1, 0.1))


def test_impossible_input_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        grow(TIMES, (TIMES - 3)[None], AHEAD, model="exponential")
    with pytest.raises(ValueError, match="ahead"):
        grow(TIMES, TIMES[None], -AHEAD - 1, model="linear")
    with pytest.raises(ValueError, match="2-D"):
        grow(TIMES, TIMES, AHEAD, model="linear")
