"""What holds for every series: sizing is monotone, scales with use, and knows no order of pods."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.engine.making import MONDAY, assessed, noise, profile_of, samples

from upid.engine.rightsizing.cpu import cpu_need
from upid.engine.rightsizing.memory import margin_bytes, memory_need
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.seen import seen
from upid.engine.usage.histogram import GROWTH
from upid.engine.usage.samples import Samples

KNOBS = st.sampled_from([0.1, 0.05, 0.01, 0.001, 1e-5])
NONE = np.array([np.nan])


def needs(given_samples: Samples, knob: float) -> tuple[float, float, float]:
    """Return the first row's CPU request, memory request and memory limit before floors, rounding and the absolute term."""
    options, view = Options(allowed_time_above=knob), seen(profile_of(given_samples))
    cpu = cpu_need(view, options)
    memory = memory_need(view, NONE, NONE, cpu.growth, options)
    absolute = margin_bytes(view, knob)[1]
    return float(cpu.request[0]), float((memory.request - absolute)[0]), float((memory.limit - absolute)[0])


@given(st.integers(0, 10_000), st.lists(st.tuples(st.integers(0, 863), st.floats(1, 50)), min_size=1, max_size=8), KNOBS, st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_raising_samples_never_lowers_a_need(seed: int, raised: list[tuple[int, float]], knob: float, pods: int) -> None:
    # Three days: too short for a trend, and noise has no season.
    usage = noise(3, seed=seed, series=pods)
    higher = usage.copy()
    for step, factor in raised:
        higher[step % pods, step] *= np.float32(factor)

    before = needs(samples(usage, usage * 1e9, row=[0] * pods, workload=[0]), knob)
    after = needs(samples(higher, higher * 1e9, row=[0] * pods, workload=[0]), knob)

    assert all(b >= a * (1 - 1e-6) for a, b in zip(before, after, strict=True))


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), KNOBS)
@settings(max_examples=40, deadline=None)
def test_usage_times_c_needs_c_times_as_much(seed: int, factor: float, knob: float) -> None:
    usage = noise(8, seed=seed)
    usage[0, 100:140] *= 3

    one = needs(samples(usage, usage * 1e9), knob)
    two = needs(samples(usage * factor, usage * 1e9 * factor), knob)

    assert two[0] == pytest.approx(one[0] * factor, rel=GROWTH - 1)
    assert two[1:] == pytest.approx([one[1] * factor, one[2] * factor], rel=1e-5)


@given(st.integers(0, 10_000), st.floats(1e-4, 0.2), KNOBS)
@settings(max_examples=30, deadline=None)
def test_an_error_of_e_in_every_sample_moves_a_need_by_at_most_e(seed: int, error: float, knob: float) -> None:
    usage = noise(3, seed=seed)
    wrong = usage * (1 + error * np.random.default_rng(seed).uniform(-1, 1, usage.shape))

    one, two = (needs(samples(u, u * 1e9), knob) for u in (usage, wrong))

    for a, b in zip(one, two, strict=True):
        assert (1 - error) / GROWTH <= b / a <= (1 + error) * GROWTH


@given(st.permutations(range(5)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_pods_changes_nothing(order: list[int]) -> None:
    usage = noise(4, series=5)
    usage[2] *= 3

    one = assessed(samples(usage, row=[0] * 5, workload=[0]))
    two = assessed(samples(usage[order], row=[0] * 5, workload=[0]))

    for name in one:
        np.testing.assert_allclose(one[name].astype(float), two[name].astype(float), rtol=1e-9, err_msg=name)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_stricter_knob_never_asks_for_less(seed: int) -> None:
    given_samples = samples(noise(8, seed=seed))

    found = [needs(given_samples, knob) for knob in (0.5, 0.1, 0.05, 0.02, 0.01, 0.001, 1e-4, 1e-6)]

    assert all(a <= b for one, two in pairwise(found) for a, b in zip(one, two, strict=True))


def test_rows_do_not_know_of_each_other() -> None:
    usage = noise(7, series=4)
    usage[1] *= 20

    together, alone = assessed(samples(usage)), assessed(samples(usage[2:3]))

    for name, column in together.items():
        np.testing.assert_allclose(column[2:3].astype(float), alone[name].astype(float), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("knob", [0.1, 0.05, 0.02, 0.01])
def test_the_knob_is_honest_on_the_days_that_follow(knob: float) -> None:
    usage = noise(9, series=60)

    request = cpu_need(seen(profile_of(samples(usage[:, : 7 * 288]))), Options(allowed_time_above=knob)).request

    share = (usage[:, 7 * 288 :] > request[:, None]).mean()
    assert knob / 1.5 <= share <= knob * 1.5


def test_margins_shrink_smoothly_with_more_data() -> None:
    usage = np.full((1, 14 * 288), 0.2)

    found = np.array([needs(samples(usage[:, :steps]), 0.01)[1] for steps in range(144, 14 * 288, 12)])

    assert (np.diff(found) <= 0).all()
    assert np.abs(np.diff(found) / found[1:]).max() < 0.01


def test_an_hour_that_recurs_on_two_days_is_held_by_balanced_and_not_by_max_savings() -> None:
    # 0.1 cores, but 1 core from 10:00 to 11:00 on Monday and Thursday: 1.2 % of the week, and decayed Monday counts little.
    usage = noise(7, mean=0.1)
    for day in (0, 3):
        usage[0, day * 288 + 120 : day * 288 + 132] = 1.0

    balanced, savings = (needs(samples(usage, start=MONDAY), knob)[0] for knob in (0.01, 0.05))

    assert balanced >= 1.0
    assert savings < 0.3


@given(st.floats(1e7, 1e12), st.floats(1e-4, 0.5), KNOBS)
@settings(max_examples=30, deadline=None)
def test_the_absolute_term_only_softens_how_memory_follows_use(memory: float, more: float, knob: float) -> None:
    usage = np.full((1, 5 * 288), memory)

    one, two = (seen(profile_of(samples(usage / 1e9, u))) for u in (usage, usage * (1 + more)))
    before, after = (memory_need(view, NONE, NONE, np.zeros(1), Options(allowed_time_above=knob)).request[0] for view in (one, two))

    assert before < after <= before * (1 + more) * (1 + 1e-6)


def test_an_old_peak_counts_five_percent_less_and_never_less_than_that() -> None:
    usage = np.full((1, 20 * 288), 1e9)
    usage[0, 100] = 4e9

    request = memory_need(seen(profile_of(samples(usage / 1e9, usage))), NONE, NONE, np.zeros(1), Options(allowed_time_above=0.01)).request[
        0
    ]

    # 19 days are nine and a half half-lives of the five percent: 4e9 * (0.95 + 0.05 / 724), and above it 8.5 % and 25 MiB.
    assert request == pytest.approx(4e9 * 0.95007 * 1.08495 + 1.69897 * 15 * 2**20, rel=1e-4)
    assert request > 4e9
