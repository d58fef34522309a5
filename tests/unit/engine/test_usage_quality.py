"""Holes and values that cannot be."""

from __future__ import annotations

import numpy as np

from upid.engine.usage.quality import ended_early, holes, possible

NAN = np.nan


def test_only_what_lies_between_samples_is_a_hole() -> None:
    values = np.array([[NAN, 1, NAN, NAN, 2, NAN], [NAN] * 6, [1, 2, 3, 4, 5, 6], [NAN, NAN, 7, NAN, NAN, NAN]])

    assert holes(values) == 2
    assert holes(np.empty((0, 3))) == 0


def test_what_no_node_can_give_is_dropped_and_counted() -> None:
    values = np.array([[1.0, 10.0, NAN, 10.1, np.inf]], np.float32)

    kept, count = possible(values, 8.0)

    np.testing.assert_array_equal(kept, [[1.0, 10.0, NAN, NAN, NAN]])
    assert (count, kept.dtype, float(values[0, 3])) == (2, np.float32, np.float32(10.1))


def test_without_a_node_nothing_is_judged() -> None:
    values = np.array([[1e9]], np.float32)

    assert possible(values, NAN) == (values, 0)


def test_a_row_that_ends_two_steps_before_the_end_ended_early_and_an_empty_one_did_not() -> None:
    rows = np.array([[1.0, 2.0, NAN, NAN], [1.0, 2.0, 3.0, NAN], [NAN, NAN, NAN, NAN], [NAN, 1.0, NAN, NAN], [1.0, NAN, NAN, 4.0]])
    assert ended_early(rows).tolist() == [True, False, False, True, False]
    assert ended_early(rows, least=1).tolist() == [True, True, False, True, False]


def test_each_row_may_have_a_most_of_its_own() -> None:
    values = np.array([[1.0, 6.0], [1.0, 6.0], [1.0, 6.0]], np.float32)
    kept, count = possible(values, np.array([[4.0], [8.0], [NAN]]))
    assert count == 1
    np.testing.assert_array_equal(kept, [[1.0, NAN], [1.0, 6.0], [1.0, 6.0]])
