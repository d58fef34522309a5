from __future__ import annotations

import numpy as np
import pytest
from unit.demo.small import ANCHOR, DAY

from upid.demo.chance import letters, normal, uid, uniform
from upid.demo.plan import Plan, Scale
from upid.demo.planning import plan
from upid.demo.usage import Usage, usage_of

WEEK = np.arange((ANCHOR - 7 * DAY) // 60, ANCHOR // 60)


@pytest.fixture(scope="module")
def whole() -> Plan:
    return plan(Scale(7, 150, ANCHOR, ANCHOR + DAY))


@pytest.fixture(scope="module")
def usage(whole: Plan) -> Usage:
    return usage_of(whole, 60)


def row(whole: Plan, namespace: str, name: str, position: int = 0) -> np.ndarray:
    found = [
        i
        for i, run in enumerate(whole.runs)
        if (run.pod.workload.spec.namespace, run.pod.workload.spec.name, run.position) == (namespace, name, position)
    ]
    alive = [i for i in found if whole.runs[i].start <= ANCHOR - 7 * DAY and whole.runs[i].end >= ANCHOR]
    return np.array((alive or found)[:1])


def test_use_does_not_depend_on_what_is_asked_beside_it(whole: Plan, usage: Usage) -> None:
    rows = np.arange(40)
    all_at_once = usage.cpu_cores(rows, WEEK[:500])

    np.testing.assert_array_equal(usage.cpu_cores(rows[7:9], WEEK[:500]), all_at_once[7:9])
    np.testing.assert_allclose(usage.cpu_cores(rows, WEEK[100:200]), all_at_once[:, 100:200], rtol=1e-12)
    np.testing.assert_allclose(usage.memory_bytes(rows, WEEK[100:200]), usage.memory_bytes(rows, WEEK[:500])[:, 100:200], rtol=1e-12)


def test_use_stays_above_nothing_and_below_its_limits(usage: Usage) -> None:
    rows = np.arange(len(usage.start))
    cpu, memory = usage.cpu_cores(rows, WEEK[::97]), usage.memory_bytes(rows, WEEK[::97])

    assert (cpu > 0).all()
    assert (cpu <= usage.cpu_limit[:, None]).all()
    assert (memory > 0).all()
    assert (memory <= usage.memory_limit[:, None]).all()
    assert (memory % 4096 == 0).all()


def test_weekends_are_quiet_where_people_work(whole: Plan, usage: Usage) -> None:
    cells = WEEK
    weekend = (cells * 60 // DAY + 3) % 7 >= 5
    cpu = usage.cpu_cores(row(whole, "payments", "api"), cells)[0]

    assert cpu[weekend].mean() < 0.4 * cpu[~weekend].mean()


def test_days_have_their_peak_and_nights_their_rest(whole: Plan, usage: Usage) -> None:
    cpu = usage.cpu_cores(row(whole, "shop", "checkout"), WEEK)[0].reshape(-1, 60).mean(axis=1).reshape(7, 24)

    assert cpu.max(axis=1).min() > 3 * cpu.min(axis=1).max()


def test_what_grows_and_what_leaks_is_more_every_day(whole: Plan, usage: Usage) -> None:
    leak = usage.memory_bytes(row(whole, "payments", "settlement"), WEEK)[0].reshape(7, -1).mean(axis=1)
    growing = usage.cpu_cores(row(whole, "data", "feature-store"), WEEK)[0].reshape(7, -1).mean(axis=1)

    assert (np.diff(leak) > 0).all()
    assert growing[-1] > 1.1 * growing[0]


def test_what_is_killed_for_memory_reaches_its_limit_at_the_end_of_each_run(whole: Plan, usage: Usage) -> None:
    rows = [i for i, run in enumerate(whole.runs) if run.pod.workload.spec.name == "tagger" and run.end < ANCHOR][:3]
    for i in rows:
        cells = np.arange(usage.start[i] // 60 + 1, usage.end[i] // 60)
        memory = usage.memory_bytes(np.array([i]), cells)[0]
        assert memory[0] < 0.5 * memory.max()
        assert memory.max() >= 0.97 * usage.memory_limit[i]


def test_a_limit_below_what_is_wanted_throttles(whole: Plan, usage: Usage) -> None:
    tight, wide = row(whole, "payments", "webhooks"), row(whole, "payments", "ledger-db")

    assert usage.throttled(tight, WEEK).mean() > 0.3
    assert usage.throttled(wide, WEEK).max() == 0.0


def test_chance_follows_from_its_seed_and_is_spread_evenly() -> None:
    seeds, ticks = np.array([1, 2], np.uint64), np.arange(20_000)
    values = uniform(seeds, ticks)

    np.testing.assert_array_equal(values, uniform(seeds, ticks))
    assert values.min() >= 0
    assert values.max() < 1
    np.testing.assert_allclose(values.mean(axis=1), 0.5, atol=0.01)
    np.testing.assert_allclose(normal(seeds, ticks).std(axis=1), 1.0, atol=0.02)
    np.testing.assert_allclose(normal(seeds, ticks).mean(axis=1), 0.0, atol=0.03)


def test_made_names_look_like_those_of_kubernetes() -> None:
    assert len(letters("x", 10)) == 10
    assert letters("x", 5) != letters("y", 5)
    assert [len(part) for part in uid("x").split("-")] == [8, 4, 4, 4, 12]
