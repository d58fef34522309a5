"""The yardstick: what is counted, how curves and points are compared, and that ours is the rule that assesses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from unit.engine.making import assessed, noise, samples

from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.yardstick.front import curve_at, is_judged
from upid.engine.rightsizing.yardstick.ours import our_requests
from upid.engine.rightsizing.yardstick.outcome import often_hit, outcomes
from upid.engine.rightsizing.yardstick.report import report
from upid.engine.rightsizing.yardstick.requests import HONEST_KNOBS, KNOBS, all_requests
from upid.engine.rightsizing.yardstick.trace import Trace, cuts

ONCE = np.ones((1, 2))
NAN = np.nan


def trace(values: object, *, step: int = 300, resource: str = "cpu", capacity: float = NAN) -> Trace:
    use = np.asarray(values, dtype=np.float64)
    return Trace(resource, use, 0, step, np.full(len(use), capacity))  # type: ignore[arg-type]  # a plain word is one of the two


def test_origins_roll_by_the_horizon_and_see_nothing_of_it() -> None:
    days = trace([np.repeat([1.0, 2.0, 3.0, 4.0], 4)], step=21_600)

    found = list(cuts(days, fit_days=2, horizon_days=1))

    assert [(np.unique(cut.seen.values).tolist(), np.unique(cut.after).tolist()) for cut in found] == [([1, 2], [3]), ([2, 3], [4])]
    assert [cut.seen.start for cut in found] == [0, 86400]


def test_slack_and_violations_by_hand() -> None:
    # One rule, one day. First container: 1 requested, uses 0.5 and 1.5. Second: 2 requested, uses 1 and does not run.
    requests = np.array([[[1.0, 2.0]]])
    after = [np.array([[0.5, 1.5], [1.0, NAN]])]

    cpu, memory = outcomes("cpu", requests, after), outcomes("memory", requests, after)

    assert cpu.fleet_slack(ONCE)[0, 0] == pytest.approx(1 - 2 / 3)  # means 1 and 1 of 3 requested
    assert cpu.violation(ONCE)[0, 0] == pytest.approx(0.5 / 3)
    assert memory.violation(ONCE)[0, 0] == 0.5
    assert (cpu.above.sum(), cpu.samples.sum(), cpu.judged.sum()) == (1, 3, 2)
    assert cpu.slack[0, 0].tolist() == [0.0, 0.5]
    assert often_hit(cpu)[0] == 0.5


def test_a_day_counts_only_where_all_have_a_request_and_it_runs() -> None:
    requests = np.array([[[1.0, NAN, 1.0]], [[1.0, 1.0, 1.0]]])

    found = outcomes("cpu", requests, [np.array([[1.0], [1.0], [NAN]])])

    assert found.judged.tolist() == [1, 0, 0]
    assert found.request.tolist() == [[1, 0, 0], [1, 0, 0]]


def test_a_rule_that_never_speaks_silences_no_other() -> None:
    found = outcomes("cpu", np.array([[[NAN, NAN]], [[1.0, 1.0]]]), [np.ones((2, 3))])

    assert found.judged.tolist() == [1, 1]
    assert np.isnan(found.fleet_slack(ONCE)[0]).tolist() == [True, False]


def test_nothing_to_judge_is_an_error() -> None:
    with pytest.raises(ValueError, match="No container has enough data"):
        outcomes("cpu", np.array([[[1.0]]]), [np.array([[NAN]])])


def test_the_logarithm_of_the_violation_is_linear_between_points() -> None:
    slack, violation = np.array([0.2, 0.4, 0.6]), np.array([0.1, 0.001, 0.0])

    found = curve_at(slack, violation, np.array([0.3, 0.4, 0.5, 0.1]))

    assert found[:2].tolist() == pytest.approx([math.sqrt(0.1 * 0.001), 0.001])
    assert np.isnan(found[2:]).all()  # a point without violation is no part of the curve


def test_what_is_negligible_absurd_or_outside_is_not_judged() -> None:
    slack, violation, ours = np.array([-0.1, 0.5, 0.5, 0.5, 0.5]), np.array([0.01, 0.0004, 0.2, 0.01, 0.01]), np.array([0.01] * 4 + [NAN])

    assert is_judged("cpu", slack, violation, ours).tolist() == [False, False, False, True, False]
    assert is_judged("memory", slack, violation, ours).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize("knob", [0.1, 0.01, 0.001])
def test_ours_is_the_rule_that_assesses(knob: float) -> None:
    usage = noise(7, series=3)
    cut = next(cuts(trace(np.concatenate([usage, usage[:, :288]], axis=1)), fit_days=7, horizon_days=1))

    ours = our_requests(cut.seen, "cpu", np.full(3, NAN), (knob,))[0]
    told = assessed(samples(usage, start=0), options=Options(allowed_time_above=knob))["cpu_request_cores"]

    np.testing.assert_array_equal(np.ceil(ours * 1000 - 1e-6), np.round(told * 1000))


def test_requests_are_capped_at_capacity() -> None:
    made = all_requests(trace(noise(8, mean=2.0), capacity=1.0), fit_days=7, horizon_days=1)

    assert made.values.shape == (len(made.rules) + len(KNOBS), 1, 1)
    assert np.nanmax(made.values) == 1.0


def test_a_report_tells_points_curve_and_knob() -> None:
    days = trace(noise(10, series=30) * np.linspace(0.5, 2, 30)[:, None])

    told = report(days, all_requests(days, fit_days=7, horizon_days=1))

    assert (told["containers"], told["days"], told["container_days"]) == (30, 3, 90)
    assert [point["allowed_time_above"] for point in told["knob"]] == list(HONEST_KNOBS)
    assert all(point["within_factor"] for point in told["knob"])
    slacks = [point["fleet_slack"] for point in told["curve"]]
    assert slacks == sorted(slacks)
    judged = [rule["ratio"] for rule in told["rules"] if rule["judged"]]
    assert told["worst_ratio"] == pytest.approx(max(judged))
    assert told["geometric_mean"] == pytest.approx(math.prod(judged) ** (1 / len(judged)), abs=1e-5)


def test_the_same_trace_tells_the_same() -> None:
    days = trace(noise(9, series=5))

    one, two = (report(days, all_requests(days, fit_days=7, horizon_days=1)) for _ in range(2))

    assert one == two


@pytest.mark.parametrize(("fit", "horizon"), [(7, 1), (0.001, 1), (1, 0.001)])
def test_a_trace_too_short_is_refused(fit: float, horizon: float) -> None:
    with pytest.raises(ValueError, match=r"step|has no"):
        all_requests(trace(noise(2)), fit_days=fit, horizon_days=horizon)


@pytest.mark.parametrize("values", [[[-1.0]], [[np.inf]], [1.0]])
def test_what_is_no_use_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match=r"Use must|containers x steps"):
        trace(values)
