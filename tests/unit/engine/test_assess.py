from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.engine.making import GIB, MIB, PER_DAY, assessed, current, noise, prices, profile_of, samples

from upid.engine.rightsizing.assess import assess
from upid.engine.rightsizing.columns import CODES, COLUMNS, STATUSES, WITHHELD_CODES
from upid.engine.rightsizing.options import STRATEGIES, Options, options_of
from upid.engine.usage.evidence import exact_evidence

Columns = dict[str, NDArray[Any]]


def reasons(columns: Columns, row: int = 0) -> set[str]:
    """Return the codes that hold for a row."""
    return {CODES[i] for i in np.flatnonzero(columns["reasons"][row])}


def status(columns: Columns, row: int = 0) -> str:
    """Return a row's status, with the withheld code behind a colon."""
    code = int(columns["withheld_code"][row])
    return STATUSES[int(columns["status"][row])] + (f":{WITHHELD_CODES[code]}" if code >= 0 else "")


def steady(cores: float = 0.2, memory: float = 300 * MIB, days: float = 7) -> Any:
    """Return samples of one row that uses the same all the time."""
    steps = round(days * PER_DAY)
    return samples(np.full(steps, cores), np.full(steps, memory))


def test_steady_use_by_hand() -> None:
    found = assessed(steady())

    # 0.2 cores lies in the bucket [1.03 ** -55, 1.03 ** -54) with the middle 0.1997; 0.94 of a log-normal kernel of 0.03 and 0.06 of one of 0.2
    # have 1 % above exp(0.1935) = 1.213 times that: 0.2423, and 0.06 % are added for 7 days of data: 0.243 rounded up. Memory: 1.699 decades below one half are
    # 1.704 with 0.3 % for 7 days of data: 300 MiB * (1 + 0.05 * 1.704) + 1.704 * 15 MiB = 351.1, so 352 MiB; its limit 60 MiB more: 411.1, so 412 MiB.
    assert status(found) == "recommended"
    assert found["cpu_request_cores"][0] == pytest.approx(0.243, abs=1e-9)
    assert np.isnan(found["cpu_limit_cores"][0])
    assert found["memory_request_bytes"][0] == 352 * MIB
    assert found["memory_limit_bytes"][0] == 412 * MIB
    assert reasons(found) == {"cpu_quantile", "memory_peak", "memory_cache_unknown", "memory_limit"}


def test_savings_count_every_replica_at_the_nodes_price() -> None:
    found = assessed(steady(), current(replicas=5), cpu=0.04, memory=0.005)

    saved = (1 - found["cpu_request_cores"][0]) * 0.04 + (1 - found["memory_request_bytes"][0] / GIB) * 0.005
    assert found["savings_usd_per_month"][0] == pytest.approx(saved * 730 * 5)


def test_every_column_is_there_with_one_value_per_row() -> None:
    found = assessed(samples(noise(7, series=3)))

    assert set(COLUMNS) <= set(found)
    assert all(column.shape[0] == 3 for column in found.values())


@pytest.mark.parametrize(
    ("now", "days", "expected"),
    [
        ({"is_init": True}, 7, "withheld:init_container"),
        ({"replicas": 0}, 7, "withheld:scaled_to_zero"),
        ({"shares_pod": True}, 7, "withheld:pod_level_resources"),
        ({"shares_pod": True, "replicas": 0}, 7, "withheld:pod_level_resources"),
        ({"replicas": 0, "is_batch": True}, 7, "recommended"),
        ({}, 0.4, "withheld:not_enough_data"),
        ({}, 0.5, "recommended"),
    ],
)
def test_what_cannot_be_sized_is_withheld_with_its_code(now: dict[str, Any], days: float, expected: str) -> None:
    found = assessed(steady(days=days), current(**now))

    assert status(found) == expected
    if expected.startswith("withheld"):
        assert reasons(found) == {expected.partition(":")[2]}
        assert found["cpu_request_cores"][0] == 1
        assert found["memory_request_bytes"][0] == GIB
        assert found["savings_usd_per_month"][0] == 0
        assert np.isnan(found["risk_score"][0])


def test_no_sample_at_all_is_withheld() -> None:
    found = assessed(samples(np.full(2016, np.nan)))

    assert status(found) == "withheld:no_data"
    assert found["confidence"][0] == 0


def test_pods_are_never_summed_for_the_minimum_data() -> None:
    # 100 pods with 10 samples each are 10 samples, not 1,000.
    found = assessed(samples(noise(10 / 288, series=100), row=[0] * 100, workload=[0]))

    assert status(found) == "withheld:not_enough_data"
    assert found["samples"][0] == 10


def test_cpu_without_samples_stays_and_memory_is_sized() -> None:
    found = assessed(samples(np.full(2016, np.nan), np.full(2016, 100 * MIB)))

    assert status(found) == "recommended"
    assert found["cpu_request_cores"][0] == 1
    assert found["memory_request_bytes"][0] < GIB
    assert "cpu_no_data" in reasons(found)


def test_memory_without_samples_stays_and_cpu_is_sized() -> None:
    found = assessed(samples(np.full(2016, 0.1), np.full(2016, np.nan)))

    assert found["memory_request_bytes"][0] == GIB
    assert np.isnan(found["memory_limit_bytes"][0])
    assert {"memory_no_data", "cpu_quantile"} <= reasons(found)


def test_the_busiest_of_two_hundred_pods_is_not_averaged_away() -> None:
    usage = np.concatenate([noise(3, mean=0.05, series=199), noise(3, mean=0.8)])

    found = assessed(samples(usage, row=[0] * 200, workload=[0]))

    assert found["cpu_request_cores"][0] > np.quantile(usage[199], 0.95)
    assert found["cpu_quantile_cores"][0] < 0.5
    assert "cpu_busiest_pod" in reasons(found)


def test_what_an_autoscaler_scales_on_stays() -> None:
    found = assessed(steady(), current(scaled_on_cpu=True, cpu_limit_cores=2.0))

    assert (found["cpu_request_cores"][0], found["cpu_limit_cores"][0]) == (1, 2)
    assert found["memory_request_bytes"][0] == 352 * MIB
    assert "cpu_scaled_by_hpa" in reasons(found)


def test_scaled_on_both_is_unchanged() -> None:
    found = assessed(steady(), current(scaled_on_cpu=True, scaled_on_memory=True))

    assert status(found) == "unchanged"
    assert (found["savings_usd_per_month"][0], found["risk_score"][0]) == (0, 0)
    assert {"cpu_scaled_by_hpa", "memory_scaled_by_hpa"} <= reasons(found)


@pytest.mark.parametrize(("limit_mib", "floor_mib"), [(350, 450), (1000, 1200)])
def test_after_an_oom_kill_memory_is_never_below_the_limit_with_room(limit_mib: float, floor_mib: float) -> None:
    # max(1.2 * limit, limit + 100 MiB): 450 of 350, 1200 of 1000.
    given_samples = samples(
        np.full(2016, 0.2), np.full(2016, 300 * MIB), oom_kills=np.array([1], dtype=np.int32), oom_limit_bytes=np.array([limit_mib * MIB])
    )

    found = assessed(given_samples, current(memory_request_bytes=200 * MIB, memory_limit_bytes=limit_mib * MIB))

    assert found["memory_request_bytes"][0] == floor_mib * MIB
    assert found["memory_limit_bytes"][0] >= floor_mib * MIB
    assert "memory_oom" in reasons(found)


def test_an_oom_kill_at_an_unknown_limit_counts_at_the_current_one() -> None:
    given_samples = samples(np.full(2016, 0.2), np.full(2016, 300 * MIB), oom_kills=np.array([1], dtype=np.int32))

    found = assessed(given_samples, current(memory_limit_bytes=600 * MIB))

    assert found["memory_limit_bytes"][0] == 720 * MIB


def test_memory_is_never_below_the_heap() -> None:
    found = assessed(steady(), current(heap_bytes=2 * GIB))

    assert found["memory_request_bytes"][0] == 2 * GIB
    assert found["memory_limit_bytes"][0] == 2.5 * GIB
    assert "memory_heap" in reasons(found)


def test_growing_use_is_sized_for_the_review() -> None:
    growing = np.linspace(0.2, 0.4, 10 * PER_DAY)

    found = assessed(samples(growing, growing * GIB), current(cpu_request_cores=0.2, memory_request_bytes=0.2 * GIB))

    # 0.02 cores a day more on a level of 0.39, for five days, half of those that were seen: 26 %.
    assert found["cpu_growth"][0] == pytest.approx(0.256, abs=0.005)
    assert found["cpu_request_cores"][0] > 0.4 * 1.25
    assert {"cpu_growth", "memory_growth"} <= reasons(found)


def test_a_leak_is_told_and_not_fed() -> None:
    memory = np.linspace(200, 400, 10 * PER_DAY) * MIB

    found = assessed(samples(noise(10), memory), current(memory_request_bytes=300 * MIB, memory_limit_bytes=500 * MIB))

    assert (found["memory_request_bytes"][0], found["memory_limit_bytes"][0]) == (300 * MIB, 500 * MIB)
    assert "memory_leak" in reasons(found)
    # 100 MiB left at 20 MiB a day: about five days.
    assert found["days_until_limit"][0] == pytest.approx(5, rel=0.1)


def test_throttled_use_is_a_lower_bound() -> None:
    usage, throttled = np.full((1, 2016), 0.1), np.full((1, 2016), 0.4, dtype=np.float32)

    found = assessed(samples(usage, throttled=throttled), current(cpu_request_cores=0.1, cpu_limit_cores=0.1))
    calm = assessed(samples(usage), current(cpu_request_cores=0.1, cpu_limit_cores=0.1))

    assert found["cpu_request_cores"][0] == pytest.approx(1.4 * calm["cpu_request_cores"][0], rel=0.02)
    assert {"cpu_throttled", "cpu_limit_removed"} <= reasons(found)


def test_throttling_never_lowers_a_request() -> None:
    found = assessed(samples(np.full((1, 2016), 0.1), throttled=np.full((1, 2016), 0.4, dtype=np.float32)), current(cpu_limit_cores=1.0))

    assert found["cpu_request_cores"][0] == 1
    assert np.isnan(found["cpu_limit_cores"][0])


def test_idle_use_gets_the_floors() -> None:
    found = assessed(steady(cores=0.0001, memory=MIB))

    assert (found["cpu_request_cores"][0], found["memory_request_bytes"][0]) == (0.01, 32 * MIB)
    assert {"cpu_floor", "memory_floor"} <= reasons(found)


def test_a_floor_does_not_raise_what_is_lower_already() -> None:
    found = assessed(
        steady(cores=0.0001, memory=MIB), current(cpu_request_cores=0.005, memory_request_bytes=28 * MIB, memory_limit_bytes=28 * MIB)
    )

    assert status(found) == "unchanged"
    assert (found["cpu_request_cores"][0], found["memory_request_bytes"][0]) == (0.005, 28 * MIB)


def test_a_little_throttling_is_nothing() -> None:
    throttled = np.zeros((1, 2016), dtype=np.float32)
    throttled[0, ::200] = 0.5

    found = assessed(samples(np.full((1, 2016), 0.2), throttled=throttled), current(cpu_limit_cores=1.0))

    assert found["cpu_request_cores"][0] == 0.243
    assert "cpu_throttled" not in reasons(found)


def test_requests_are_whole_millicores_and_mebibytes_rounded_up() -> None:
    found = assessed(samples(noise(7, series=20), noise(7, mean=3e8, series=20)))

    millicores, mebibytes = found["cpu_request_cores"] * 1000, found["memory_request_bytes"] / MIB
    np.testing.assert_allclose(millicores, np.round(millicores), atol=1e-9)
    assert (mebibytes == np.round(mebibytes)).all()
    limited = ~np.isnan(found["memory_limit_bytes"])
    assert limited.sum() > 10
    assert (found["memory_limit_bytes"] >= found["memory_request_bytes"])[limited].all()


@pytest.mark.parametrize(("factor", "expected"), [(1.03, "unchanged"), (0.97, "unchanged"), (0.9, "recommended"), (1.2, "recommended")])
def test_advice_flips_only_when_the_gain_beats_the_hysteresis(factor: float, expected: str) -> None:
    fits = assessed(steady())
    now = {name: fits[name] * factor for name in ("cpu_request_cores", "memory_request_bytes")}

    found = assessed(steady(), current(memory_limit_bytes=fits["memory_limit_bytes"], **now))

    assert status(found) == expected
    if expected == "unchanged":
        assert found["cpu_request_cores"][0] == now["cpu_request_cores"][0]
        assert {"cpu_small_change", "memory_small_change"} <= reasons(found)


def test_what_is_recommended_is_then_left_alone() -> None:
    given_samples = samples(noise(7, series=10), noise(7, mean=3e8, series=10))
    first = assessed(given_samples)
    names = ("cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes")

    again = assessed(given_samples, current(10, **{name: first[name] for name in names}))

    assert [status(again, row) for row in range(10)] == ["unchanged"] * 10


def test_a_limit_below_what_is_needed_is_raised_alone() -> None:
    found = assessed(steady(), current(memory_request_bytes=352 * MIB, memory_limit_bytes=352 * MIB, cpu_request_cores=0.236))

    assert status(found) == "recommended"
    assert (found["memory_request_bytes"][0], found["memory_limit_bytes"][0]) == (352 * MIB, 412 * MIB)


def test_unset_requests_are_set_and_cost_what_they_reserve() -> None:
    found = assessed(steady(), current(cpu_request_cores=np.nan, memory_request_bytes=np.nan))

    assert status(found) == "recommended"
    assert found["cpu_request_cores"][0] == pytest.approx(0.243, abs=1e-9)
    assert found["savings_usd_per_month"][0] < 0


def test_a_guaranteed_pod_stays_guaranteed() -> None:
    found = assessed(steady(), current(cpu_limit_cores=1.0, memory_limit_bytes=GIB))

    assert found["cpu_request_cores"][0] == found["cpu_limit_cores"][0] < 1
    assert found["memory_request_bytes"][0] == found["memory_limit_bytes"][0] < GIB
    assert "qos_guaranteed" in reasons(found)


def test_a_burst_limit_lies_above_the_request_where_asked_for() -> None:
    found = assessed(steady(), options=Options(cpu_limit="burst"))

    assert found["cpu_limit_cores"][0] > 1.4 * found["cpu_request_cores"][0]


def test_nothing_is_asked_that_no_node_has() -> None:
    found = assessed(steady(cores=6, memory=20 * GIB), current(largest_node_cores=4.0, largest_node_bytes=16 * GIB))

    assert (found["cpu_request_cores"][0], found["memory_request_bytes"][0]) == (4, 16 * GIB)
    assert {"cpu_exceeds_node", "memory_exceeds_node"} <= reasons(found)


def test_a_price_that_is_no_number_gives_no_savings_and_says_so() -> None:
    found = assessed(steady(), cpu=np.nan)

    assert np.isnan(found["savings_usd_per_month"][0])
    assert "price_unknown" in reasons(found)


def test_nan_samples_between_good_ones_count_as_none() -> None:
    usage = noise(7)
    usage[0, ::3] = np.nan

    found = assessed(samples(usage))

    assert status(found) == "recommended"
    assert np.isfinite(found["cpu_request_cores"][0])


def test_rows_of_different_number_are_refused() -> None:
    given_samples = samples(noise(1))

    with pytest.raises(ValueError, match="same rows"):
        assess(profile_of(given_samples), exact_evidence(given_samples), current(2), prices(1), Options())


def test_strategies_are_named_values_of_the_knob() -> None:
    assert {name: options_of(name).allowed_time_above for name in STRATEGIES} == dict(STRATEGIES)
    assert options_of(0.02).allowed_time_above == 0.02
    with pytest.raises(ValueError, match="no strategy"):
        options_of("cheap")
    for bad in ({"allowed_time_above": 99.9}, {"allowed_time_above": 0.0}, {"cpu_rounding_cores": 0.0}, {"minimum_hours": -1.0}):
        with pytest.raises(ValueError, match="must be"):
            Options(**bad)  # type: ignore[arg-type]  # wrong on purpose
