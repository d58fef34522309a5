from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.adapters.prometheus.decimals import WIDTH, parse_decimals


def parsed(*texts: str) -> np.ndarray:
    """The numbers of texts that stand in one buffer, as in an answer."""
    starts, ends, text = [], [], " " * WIDTH
    for one in texts:
        text += '[1700000000,"'
        starts.append(len(text))
        text += one
        ends.append(len(text))
        text += '"],'
    return parse_decimals(np.frombuffer(text.encode(), np.uint8), np.array(starts, int), np.array(ends, int))


def written(value: float) -> str:
    """As Go's strconv writes the shortest text of a float64 with format 'f'."""
    return np.format_float_positional(value, trim="-")


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "7",
        "0.5",
        "12.25",
        "123456789012",
        "0.0034567890123",
        "99999999.5",
        "1234567.1234567",
        "100",
        "0.000001",
        "1e-07",
        "-3.5",
        "+5",
    ],
)
def test_a_number_is_what_float_makes_of_its_text(text: str) -> None:
    assert parsed(text).tolist() == [float(text)]


def test_no_number_and_infinities_are_themselves() -> None:
    values = parsed("NaN", "+Inf", "-Inf", "1")

    assert math.isnan(values[0])
    assert values[1:].tolist() == [math.inf, -math.inf, 1.0]


@given(st.lists(st.floats(min_value=1e-6, max_value=1e15), min_size=1, max_size=30))
def test_any_usage_is_read_to_the_next_double(values: list[float]) -> None:
    np.testing.assert_allclose(parsed(*map(written, values)), values, rtol=3e-16, atol=0)


@given(st.lists(st.integers(min_value=0, max_value=2**53), min_size=1, max_size=30))
def test_whole_numbers_are_exact(values: list[int]) -> None:
    assert parsed(*map(str, values)).tolist() == [float(value) for value in values]


def test_numbers_with_and_without_a_point_stand_side_by_side() -> None:
    assert parsed("1.5", "20", "0.25", "300", "4e3", "17.0625").tolist() == [1.5, 20.0, 0.25, 300.0, 4000.0, 17.0625]


def test_twenty_digits_are_read_the_long_way() -> None:
    assert parsed("12345678901234567890123", "1234567890123456789.5").tolist() == [12345678901234567890123.0, 1234567890123456789.5]


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "0x10"])
def test_text_that_is_no_number_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"could not convert"):
        parsed(text)


def test_no_numbers_are_no_values() -> None:
    assert parsed().shape == (0,)
