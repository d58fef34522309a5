"""How many pods a workload needs, from what all of them use together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from unit.engine.making import GIB, PER_DAY, noise, profile_of, samples

from upid.engine.rightsizing.columns import SCALING_CODES, SCALING_COLUMNS, SCALING_REASONS, STATUSES
from upid.engine.rightsizing.options import Options, options_of
from upid.engine.rightsizing.replicas import ReplicasNow, scale


def now(**given_values: Any) -> ReplicasNow:
    """Return one workload of six pods of 1 core and 1 GiB without an autoscaler, on nodes of 64 cores, unless told otherwise."""
    values: dict[str, Any] = {
        "replicas": 6, "minimum": np.nan, "maximum": np.nan, "cpu_target": np.nan, "memory_target": np.nan, "cpu_request_cores": 1.0,
        "memory_request_bytes": GIB, "is_fixed": False, "is_stateful": False, "largest_node_cores": 64.0,
    } | given_values  # fmt: skip
    return ReplicasNow(**{name: np.array([value]) for name, value in values.items()})


def pods(cpu: NDArray[Any], memory: float = 0.01 * GIB) -> Any:
    """Return the profile of one workload with one container whose pods use `cpu`, shape (pods, steps), and `memory` each."""
    return profile_of(samples(cpu, np.full(cpu.shape, memory), row=[0] * len(cpu), workload=[0]))


def told(columns: dict[str, Any]) -> tuple[str, float, float]:
    """Return status or code, and the bounds."""
    code = int(columns["scaling_code"][0])
    word = SCALING_CODES[code] if code >= 0 else STATUSES[int(columns["scaling_status"][0])]
    return word, float(columns["scaling_minimum"][0]), float(columns["scaling_maximum"][0])


def reasons(columns: dict[str, Any]) -> set[str]:
    """Return the codes of the reasons that hold."""
    return {reason.code for reason, holds in zip(SCALING_REASONS, columns["scaling_reasons"][0], strict=True) if holds}


def day_and_night(pods_count: int, night: float, day: float, days: int = 8) -> NDArray[np.float32]:
    """Return use of equal pods that is `night` in sum for half of each day and `day` for the other half."""
    total = np.tile(np.repeat([night, day], PER_DAY // 2), days)
    return np.repeat(total[None, :] / pods_count, pods_count, axis=0).astype(np.float32)


SCALED = {"minimum": 4.0, "maximum": 5.0, "cpu_target": 0.6, "cpu_request_cores": 0.5}


def test_an_autoscalers_bounds_carry_the_low_and_the_high_demand_at_its_target() -> None:
    found = scale(pods(day_and_night(3, 0.7, 2.6)), now(**SCALED), Options())

    # A pod is added per 0.5 * 0.6 = 0.3 cores. Low: 0.7 / 0.3 = 2.3, so 3. High: 0.1 % of the time lies above 2.6 * exp(0.3668) by the kernel's wide part,
    # as half of the time is at 2.6: 3.75 / 0.3 = 12.5, so 13.
    assert told(found) == ("recommended", 3, 13)
    assert found["scaling_high_cores"][0] == pytest.approx(2.6 * np.exp(0.3668), rel=0.02)
    assert reasons(found) == {"replicas_low_demand", "replicas_high_demand", "replicas_cpu_target"}
    assert set(found) == set(SCALING_COLUMNS) - {"scaling_savings_usd_per_month"}


def test_pods_in_the_mean_follow_the_demand_within_the_bounds() -> None:
    found = scale(pods(day_and_night(3, 0.7, 2.6)), now(**SCALED), Options())

    # At 0.3 cores a pod the night asks for 3 and the day for 9: within 4 and 5 that is 4.5 in the mean, within 3 and 13 it is 6.
    assert (found["scaling_now_pods"][0], found["scaling_pods"][0]) == pytest.approx((4.5, 6.0))


@pytest.mark.parametrize("count", [1, 2, 12])
def test_bounds_do_not_depend_on_how_many_pods_share_the_demand(count: int) -> None:
    found = scale(pods(day_and_night(count, 0.7, 2.6), memory=GIB / 100 / count), now(**SCALED, replicas=count), Options())

    assert told(found) == ("recommended", 3, 13)


def test_the_metric_that_asks_for_more_pods_counts() -> None:
    profile = pods(day_and_night(3, 0.7, 2.6), memory=4 * GIB)

    found = scale(profile, now(**SCALED, memory_target=0.8), Options())

    # 12 GiB over 0.8 GiB a pod is 15, within half a bucket; and above it the high demand.
    assert 15 <= told(found)[1] <= 16
    assert told(found)[2] > 16


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"is_fixed": True}, "fixed_kind"),
        ({"is_stateful": True}, "stateful"),
        ({"replicas": 0}, "scaled_to_zero"),
        (SCALED | {"minimum": 0.0}, "scaled_to_zero"),
        ({"minimum": 2.0, "maximum": 9.0}, "other_metric"),
        (SCALED | {"cpu_request_cores": np.nan}, "no_request"),
        ({"memory_request_bytes": np.nan}, "no_request"),
    ],
)
def test_what_cannot_be_told_keeps_its_pods_with_a_code(changed: dict[str, Any], code: str) -> None:
    shown = now(**changed)

    found = scale(pods(noise(7, series=6)), shown, Options())

    assert told(found)[0] == code
    assert told(found)[1] == (shown.replicas[0] if np.isnan(shown.minimum[0]) else shown.minimum[0])
    assert reasons(found) == set()


def test_too_little_data_and_none_at_all_are_withheld() -> None:
    short, empty = pods(noise(0.1, series=2)), pods(np.full((1, 2016), np.nan))

    assert told(scale(short, now(), Options())) == ("not_enough_data", 6, 6)
    assert told(scale(empty, now(**SCALED), Options()))[0] == "not_enough_data"


@pytest.mark.parametrize(("strategy", "count"), [("balanced", 2), ("high-availability", 2), ("development", 1)])
def test_two_pods_stay_unless_it_is_for_development(strategy: str, count: int) -> None:
    found = scale(pods(noise(7, mean=0.01, series=6)), now(), options_of(strategy))

    assert told(found) == ("recommended", count, count)
    assert ("replicas_available" in reasons(found)) == (count == 2)
    assert "replicas_fill" in reasons(found)


def test_a_single_pod_is_not_advised_to_become_two() -> None:
    assert told(scale(pods(noise(7, mean=0.01)), now(replicas=1), Options())) == ("unchanged", 1, 1)


def test_fewer_pods_are_advised_where_present_requests_carry_all_of_the_demand() -> None:
    # 6 pods of 0.3 cores each: 1.8 cores, times 1.53 at 0.1 % of the kernel 2.75, over 0.8 cores a pod: 4.
    found = scale(pods(np.full((6, 7 * PER_DAY), 0.3)), now(), Options())

    assert told(found) == ("recommended", 4, 4)


def test_memory_that_pods_hold_keeps_them() -> None:
    found = scale(pods(np.full((6, 7 * PER_DAY), 0.3), memory=0.7 * GIB), now(), Options())

    assert told(found) == ("unchanged", 6, 6)


def test_pods_that_do_not_divide_the_work_are_not_counted_down() -> None:
    usage = np.full((6, 7 * PER_DAY), 0.01)
    usage[2] = 0.6

    assert told(scale(pods(usage), now(), Options())) == ("uneven_pods", 6, 6)


def test_a_share_that_fits_on_no_node_asks_for_more_pods() -> None:
    found = scale(pods(np.full((1, 7 * PER_DAY), 3.0)), now(replicas=1, cpu_request_cores=4.0, largest_node_cores=4.0), Options())

    # 3 * 1.53 = 4.6 cores, over 3.2 that fill a node to 80 %.
    assert told(found) == ("recommended", 2, 2)
    assert "replicas_node" in reasons(found)


def test_one_pod_more_or_less_of_many_is_no_change() -> None:
    # 5.0 cores times 1.53 over 0.8 are 10 pods; of 11 that is within the 10 % that lowering takes.
    found = scale(pods(np.full((11, 7 * PER_DAY), 5.0 / 11)), now(replicas=11), Options())

    assert told(found) == ("unchanged", 11, 11)
    assert "replicas_small_change" in reasons(found)


@given(st.integers(0, 10_000), st.floats(1e-2, 1e2))
@settings(max_examples=20, deadline=None)
def test_use_and_request_times_c_need_as_many_pods(seed: int, factor: float) -> None:
    usage = noise(7, series=3, seed=seed)

    one = scale(pods(usage), now(**SCALED), Options())
    two = scale(pods(usage * np.float32(factor)), now(**(SCALED | {"cpu_request_cores": 0.5 * factor})), Options())

    # Within a bucket of demand; a whole pod where that is crossed.
    assert np.abs(one["scaling_maximum"] - two["scaling_maximum"])[0] <= 1
    assert two["scaling_high_cores"][0] == pytest.approx(factor * one["scaling_high_cores"][0], rel=0.03)


@given(st.integers(0, 10_000), st.permutations(range(4)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_pods_does_not_matter_and_more_use_never_needs_fewer(seed: int, order: list[int]) -> None:
    usage = noise(3, series=4, seed=seed)
    higher = usage.copy()
    higher[1, 50:90] *= 4

    one, other, more = (scale(pods(each), now(**SCALED), Options()) for each in (usage, usage[order], higher))

    assert told(one) == told(other)
    assert (more["scaling_maximum"] >= one["scaling_maximum"]).all()
    assert (more["scaling_minimum"] >= one["scaling_minimum"]).all()


def test_another_number_of_workloads_is_refused() -> None:
    with pytest.raises(ValueError, match="same workloads"):
        scale(profile_of(samples(noise(1, series=2))), now(), Options())
