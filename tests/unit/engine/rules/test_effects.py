"""What rules do to recommended amounts, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.engine.rightsizing.options import MIB, Options
from upid.engine.rules.effects import PAIRS, TARGETS, Adjustment, Proposal, Veto, applied

NAN = float("nan")
Row = tuple[float, float, float, float]
NOW: Row = (1.0, 2.0, 1000 * MIB, 2000 * MIB)
THEN: Row = (0.4, NAN, 600 * MIB, 800 * MIB)


def proposal(*, now: Row = NOW, then: Row = THEN, least: Row = (0.01, NAN, 600 * MIB, 800 * MIB), fixed: Any = (False,) * 4) -> Proposal:
    whole = [np.array([row], dtype=np.float64) for row in (now, then, least, (8.0, NAN, 4000 * MIB, NAN))]
    guaranteed = np.array([now[0] == now[1] and now[2] == now[3]])
    return Proposal(*whole, is_fixed=np.array([fixed]), is_guaranteed=guaranteed)


def after(effect: Adjustment | Veto, **told: Any) -> list[float]:
    amounts, _ = applied(proposal(**told), [(effect, np.array([True]))], Options())
    return list(amounts[0].tolist())


def test_a_factor_raises_and_rounds_up() -> None:
    # 0.4 * 1.501 = 0.6004 cores, up to the next millicore.
    assert after(Adjustment("cpu_request_cores", factor=1.501))[0] == 0.601
    assert after(Adjustment("memory_limit_bytes", factor=1.5))[3] == 1200 * MIB


def test_bounds_hold_the_value_as_they_stand() -> None:
    assert after(Adjustment("cpu_request_cores", minimum=0.7505))[0] == 0.7505
    assert after(Adjustment("cpu_request_cores", factor=2.0, maximum=0.5))[0] == 0.5


def test_cpu_is_never_below_its_floor_and_memory_never_below_what_sizing_says() -> None:
    assert after(Adjustment("cpu_request_cores", factor=0.001))[0] == 0.01
    assert after(Adjustment("memory_request_bytes", factor=0.5))[2] == 600 * MIB
    assert after(Adjustment("memory_limit_bytes", maximum=100 * MIB))[3] == 800 * MIB


def test_a_request_is_not_raised_above_the_largest_node() -> None:
    assert after(Adjustment("cpu_request_cores", factor=100))[0] == 8.0


def test_a_limit_follows_its_request() -> None:
    # The request of 1200 MiB lies above the recommended limit of 800 MiB.
    assert after(Adjustment("memory_request_bytes", factor=2))[2:] == [1200 * MIB, 1200 * MIB]
    assert after(Adjustment("cpu_limit_cores", maximum=0.1), then=(0.4, 0.8, *THEN[2:]))[1] == 0.4


def test_no_limit_has_no_bound_below_and_takes_one_from_above() -> None:
    assert np.isnan(after(Adjustment("cpu_limit_cores", minimum=3.0))[1])
    assert np.isnan(after(Adjustment("cpu_limit_cores", factor=2.0))[1])
    assert after(Adjustment("cpu_limit_cores", maximum=3.0))[1] == 3.0


def test_no_request_takes_a_minimum_and_nothing_else() -> None:
    nothing = {"now": (NAN, NAN, NAN, NAN), "then": (NAN, NAN, NAN, NAN), "least": (0.0, NAN, 0.0, np.inf)}
    assert after(Adjustment("cpu_request_cores", minimum=0.1), **nothing)[0] == 0.1
    assert np.isnan(after(Adjustment("cpu_request_cores", factor=3.0), **nothing)[0])
    assert np.isnan(after(Adjustment("memory_limit_bytes", maximum=5.0), **nothing)[3])


def test_a_limit_goes_unless_it_is_all_that_reserves() -> None:
    both = (0.5, 1.0, 600 * MIB, 800 * MIB)
    assert np.isnan(after(Adjustment("cpu_limit_cores", unset=True), then=both)[1])
    assert after(Adjustment("cpu_limit_cores", unset=True), then=(NAN, 1.0, *both[2:]))[1] == 1.0
    assert after(Adjustment("cpu_request_cores", unset=True), then=both)[0] == 0.5


def test_class_guaranteed_stays_guaranteed() -> None:
    told = {"now": (1.0, 1.0, 1000 * MIB, 1000 * MIB), "then": (0.5, 0.5, 800 * MIB, 800 * MIB), "least": (0.01, NAN, 800 * MIB, 800 * MIB)}
    assert after(Adjustment("cpu_limit_cores", factor=1.5), **told)[:2] == [0.75, 0.75]
    assert after(Adjustment("cpu_limit_cores", unset=True), **told)[:2] == [0.5, 0.5]
    assert after(Adjustment("cpu_limit_cores", factor=1.5), **told, fixed=(True, False, False, False))[:2] == [0.5, 0.5]


def test_what_sizing_leaves_alone_stays() -> None:
    assert after(Adjustment("cpu_request_cores", factor=2), fixed=(True, False, False, False))[0] == 0.4


def test_what_lands_near_what_is_set_now_leaves_it() -> None:
    # 0.4 * 2.4 = 0.96 cores is within 10 % of the one core that is set; 0.4 * 2 = 0.8 is not.
    assert after(Adjustment("cpu_request_cores", factor=2.4))[0] == 1.0
    assert after(Adjustment("cpu_request_cores", factor=2.0))[0] == 0.8
    assert after(Adjustment("cpu_request_cores", factor=2.4, maximum=0.97))[0] == 0.96


def test_a_veto_keeps_what_is_set_now() -> None:
    np.testing.assert_array_equal(after(Veto()), NOW)
    np.testing.assert_array_equal(after(Veto("cpu")), [*NOW[:2], *THEN[2:]])
    np.testing.assert_array_equal(after(Veto("memory_decreases")), [*THEN[:2], *NOW[2:]])


def test_a_veto_of_decreases_lets_raises_through() -> None:
    then = (2.0, NAN, 600 * MIB, 3000 * MIB)
    np.testing.assert_array_equal(after(Veto("decreases"), then=then), [2.0, NAN, 1000 * MIB, 3000 * MIB])


def test_a_limit_where_there_was_none_is_a_decrease() -> None:
    told = {"now": (1.0, NAN, 1000 * MIB, NAN), "then": (1.0, NAN, 1000 * MIB, 1300 * MIB)}
    np.testing.assert_array_equal(after(Veto("memory_decreases"), **told), told["now"])


def test_a_limit_that_alone_reserved_and_goes_becomes_the_request() -> None:
    told = {"now": (NAN, 1.0, NAN, NAN), "then": (0.3, NAN, NAN, NAN)}
    np.testing.assert_array_equal(after(Veto("cpu_decreases"), **told), [1.0, NAN, NAN, NAN])


def test_vetoes_act_last_and_each_step_is_told() -> None:
    every = np.array([True])
    amounts, steps = applied(
        proposal(), [(Veto("cpu"), every), (Adjustment("cpu_request_cores", factor=3), every), (None, every)], Options()
    )
    veto, adjustment, nothing = steps
    assert amounts[0, 0] == 1.0
    assert (adjustment.before[0, 0], adjustment.after[0, 0]) == (0.4, 1.2)
    assert (veto.before[0, 0], veto.after[0, 0], nothing.rows.size) == (1.2, 1.0, 0)


def test_a_mask_of_other_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="of 1 rows"):
        applied(proposal(), [(Veto(), np.array([True, False]))], Options())


amount = st.one_of(st.just(NAN), st.floats(1, 1e3))
effect = st.one_of(
    st.builds(
        Adjustment, st.sampled_from(TARGETS), st.floats(0.01, 100), st.none() | st.floats(0, 500), st.none() | st.floats(500, 1e3), st.booleans()
    ),
    st.builds(Veto, st.sampled_from(["all", "cpu", "memory", "decreases", "cpu_decreases", "memory_decreases"])),
)  # fmt: skip


@given(now=st.tuples(*[amount] * 4), then=st.tuples(*[amount] * 4), effects=st.lists(effect, min_size=1, max_size=4))
def test_no_order_of_rules_leaves_a_limit_below_its_request_or_lowers_memory_that_sizing_asks_for(
    now: Row, then: Row, effects: list[Adjustment | Veto]
) -> None:
    def sound(row: Row) -> Row:
        return (row[0], np.fmax(row[1], row[0]) if row[1] == row[1] else NAN, row[2], np.fmax(row[3], row[2]) if row[3] == row[3] else NAN)

    now, then = sound(now), sound(then)
    least = (0.01, NAN, np.fmax(then[2], 0), then[3] if then[3] == then[3] else np.inf)
    amounts, _ = applied(proposal(now=now, then=then, least=least), [(each, np.array([True])) for each in effects], Options())
    row = amounts[0]

    for request, limit in PAIRS.values():
        assert not row[limit] < row[request]
    if not any(isinstance(each, Veto) for each in effects):
        assert not row[2] < then[2]
        assert not row[3] < then[3]
        assert np.isnan(row[3]) or not np.isnan(then[3])
