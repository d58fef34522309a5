"""What changes cost and save, worked out by hand: a core costs 0.03 USD an hour, a GiB 0.004, a month has 730 hours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.engine.making import GIB, current, prices

from upid.engine.rightsizing.columns import RECOMMENDED, SCALING_KINDS, UNCHANGED
from upid.engine.rightsizing.consequences import now_of, savings_of, scaling_savings
from upid.engine.rightsizing.current import CurrentResources

CORE_MONTH, GIB_MONTH = 0.03 * 730, 0.004 * 730


def two_containers(**given: Any) -> CurrentResources:
    """Return a workload of ten pods with two containers of 1 core and 2 GiB each."""
    return current(2, **({"replicas": 10, "cpu_request_cores": 1.0, "memory_request_bytes": 2 * GIB} | given))


def columns(now: CurrentResources, kind: str = "autoscaler", **given: Any) -> dict[str, NDArray[Any]]:
    """Return an assessment that asks for half the memory, and for eight pods in the mean where ten run."""
    values = now_of(now) | {"memory_request_bytes": now.memory_request_bytes / 2}
    scaling = {"scaling_now_pods": 10.0, "scaling_pods": 8.0, "scaling_status": RECOMMENDED, "scaling_kind": SCALING_KINDS.index(kind)}
    told = {"status": RECOMMENDED} | scaling | given
    return values | {name: np.full(2, value) for name, value in told.items()}


def test_fewer_pods_save_what_they_cost_at_the_recommended_requests() -> None:
    found = scaling_savings(columns(two_containers()), two_containers(), prices(2), np.zeros(2, np.int64))

    # Two pods less, of two containers with 1 core and 1 GiB each; the same on each row of the workload.
    assert found == pytest.approx([2 * 2 * (CORE_MONTH + GIB_MONTH)] * 2)


def test_savings_of_requests_and_of_pods_add_up_to_the_difference_of_the_bills() -> None:
    now = two_containers()
    told = columns(now)

    requests, pods = savings_of(told, now, prices(2)).sum(), scaling_savings(told, now, prices(2), np.zeros(2, np.int64))[0]

    before, after = 10 * 2 * (CORE_MONTH + 2 * GIB_MONTH), 8 * 2 * (CORE_MONTH + GIB_MONTH)
    assert requests + pods == pytest.approx(before - after)


def test_an_advised_count_saves_at_the_present_requests_since_it_is_instead_of_smaller_ones() -> None:
    found = scaling_savings(columns(two_containers(), kind="advice"), two_containers(), prices(2), np.zeros(2, np.int64))

    assert found == pytest.approx([2 * 2 * (CORE_MONTH + 2 * GIB_MONTH)] * 2)


def test_a_number_that_stays_saves_nothing_and_an_unknown_one_or_price_is_not_told() -> None:
    now, workload = two_containers(), np.zeros(2, np.int64)

    same = scaling_savings(columns(now, scaling_status=UNCHANGED), now, prices(2), workload)
    unknown = scaling_savings(columns(now, scaling_pods=np.nan), now, prices(2), workload)
    without_price = scaling_savings(columns(now), now, prices(2, cpu=np.nan), workload)

    assert same.tolist() == [0.0, 0.0]
    assert np.isnan([*unknown, *without_price]).all()


def test_an_init_container_reserves_nothing_while_the_pod_serves() -> None:
    now = two_containers(is_init=np.array([False, True]))

    found = scaling_savings(columns(now), now, prices(2), np.zeros(2, np.int64))

    assert found[0] == pytest.approx(2 * (CORE_MONTH + GIB_MONTH))
