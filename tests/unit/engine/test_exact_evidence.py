from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from unit.engine.making import MONDAY, noise, samples

from upid.engine.statistics.quantiles import sorted_quantiles
from upid.engine.usage.evidence import exact_evidence

POINTS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
USAGE = st.one_of(st.just(np.nan), st.floats(0, 100, width=32))


def test_four_samples_by_hand() -> None:
    # 1 2 3 4: p50 = 2.5; p90 lies 0.9 * 3 = 2.7 steps in: 3 + 0.7 = 3.7.
    found = exact_evidence(samples([[3.0, 1.0, 4.0, 2.0]]))

    assert found.cpu.p50[0] == 2.5
    assert found.cpu.p90[0] == pytest.approx(3.7, rel=1e-15)
    assert (found.cpu.mean[0], found.cpu.max[0], found.samples[0]) == (2.5, 4.0, 4)


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=USAGE), st.data())
@settings(max_examples=60, deadline=None)
def test_pooled_quantiles_are_numpys_bit_for_bit(usage: np.ndarray, data: st.DataObject) -> None:  # type: ignore[type-arg]  # any array
    row = data.draw(st.lists(st.integers(0, 2), min_size=len(usage), max_size=len(usage)))

    found = exact_evidence(samples(usage, row=row, workload=[0, 1, 2]))

    for r in range(3):
        pooled = usage[np.array(row) == r].ravel().astype(np.float64)
        pooled = pooled[~np.isnan(pooled)]
        for name, q in POINTS.items():
            expected = np.quantile(pooled, q) if len(pooled) else np.nan
            np.testing.assert_array_equal(getattr(found.cpu, name)[r], expected)
        np.testing.assert_array_equal(found.cpu.max[r], pooled.max(initial=-np.inf) if len(pooled) else np.nan)
        assert found.cpu_samples[r] == len(pooled)


def test_pods_gone_by_now_count_and_coverage_begins_when_the_row_was_first_seen() -> None:
    usage = np.full((2, 100), 0.2)
    usage[0, :20], usage[0, 60:] = np.nan, np.nan  # the first pod ran in steps 20 to 59, the second from 70 on
    usage[1, :70] = np.nan

    found = exact_evidence(samples(usage, row=[0, 0], workload=[0]))

    assert found.pods[0] == 2
    assert found.samples[0] == 70
    assert found.coverage[0] == 70 / 80


def test_a_row_without_samples_has_no_figures() -> None:
    found = exact_evidence(samples(np.full((1, 10), np.nan)))

    assert np.isnan([found.cpu.mean[0], found.cpu.p99[0], found.cpu.max[0], found.throttled_fraction[0]]).all()
    assert (found.samples[0], found.pods[0], found.coverage[0], found.effective_samples[0]) == (0, 0, 0, 0)


def test_no_steps_and_no_series_are_no_error() -> None:
    found = exact_evidence(samples(np.zeros((0, 0)), row=np.zeros(0), workload=[0, 1]))

    assert found.samples.tolist() == [0, 0]
    assert np.isnan(found.memory.p50).all()


def test_infinite_and_negative_values_are_no_samples() -> None:
    found = exact_evidence(samples([[0.5, np.inf, -1.0, 0.7]]))

    assert (found.cpu_samples[0], found.cpu.max[0]) == (2, np.float32(0.7))


def test_throttling_and_events_are_summed_over_pods() -> None:
    throttled = np.array([[0.5, np.nan], [0.1, 0.0]], dtype=np.float32)

    found = exact_evidence(
        samples([[1, 1], [1, 1]], row=[0, 0], workload=[0], throttled=throttled, oom_kills=np.array([1, 2]), restarts=np.array([0, 4]))
    )

    assert found.throttled_fraction[0] == pytest.approx(0.2)
    assert (found.oom_kills[0], found.restarts[0]) == (3, 4)


def test_independent_samples_are_worth_nearly_themselves_and_slow_ones_next_to_nothing() -> None:
    steady = noise(14)
    slow = np.repeat(np.random.default_rng(3).uniform(0.1, 0.5, 14), 288)[None, :]

    found = exact_evidence(samples(np.concatenate([steady, slow])))

    assert found.effective_samples[0] > 0.3 * 4032
    assert found.effective_samples[1] < 20


def test_a_constant_series_is_worth_its_samples() -> None:
    assert exact_evidence(samples(np.full((1, 2016), 0.1))).effective_samples[0] == 2016


def test_effective_samples_are_never_summed_over_pods() -> None:
    many = exact_evidence(samples(noise(5, series=20), row=[0] * 20, workload=[0]))

    assert many.effective_samples[0] <= 5 * 288


@pytest.mark.parametrize("q", [0.0, 0.5, 0.999, 1.0])
def test_quantiles_of_any_share_are_numpys(q: float) -> None:
    values = np.sort(noise(1)[0])[None, :]

    assert sorted_quantiles(values, np.array([288]), (q,))[0, 0] == np.quantile(values.astype(np.float64), q)


def test_the_day_of_a_step_is_of_its_start() -> None:
    found = exact_evidence(samples([[1.0, 2.0]], start=MONDAY + 86400 - 300))

    assert found.cpu.mean[0] == 1.5
