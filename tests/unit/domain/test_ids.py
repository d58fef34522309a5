from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.domain.ids import decode, encode, has_shape, recommendation_id, recommendation_place, ulid

ANALYSIS = "an_" + ulid(1_700_000_000_000, bytes(range(10)))


def test_the_ulid_of_the_specifications_example_time_begins_as_it_says() -> None:
    # github.com/ulid/spec: 1469918176385 ms is encoded as 01ARYZ6S41.
    assert ulid(1_469_918_176_385, bytes(10)) == "01ARYZ6S41" + "0" * 16


def test_later_ulids_sort_behind_earlier_ones() -> None:
    assert ulid(999, b"\xff" * 10) < ulid(1000, bytes(10))


@given(st.integers(0, 32**4 - 1))
def test_what_is_encoded_is_decoded(number: int) -> None:
    assert decode(encode(number, 4)) == number


@pytest.mark.parametrize("number", [-1, 32**4])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(number, 4)


@given(st.integers(0, 2**20 - 1), st.integers(0, 2**20 - 1))
def test_a_recommendations_id_tells_where_it_lies(shard: int, row: int) -> None:
    identifier = recommendation_id(ANALYSIS, shard, row)

    assert has_shape(identifier, "recommendation")
    assert recommendation_place(identifier) == (ANALYSIS, shard, row)


@pytest.mark.parametrize("text", ["", "rec_", ANALYSIS, "rec_" + "U" * 34, "cl_" + "0" * 34, recommendation_id(ANALYSIS, 1, 2) + "0"])
def test_what_is_no_recommendations_id_has_no_place(text: str) -> None:
    assert recommendation_place(text) is None
