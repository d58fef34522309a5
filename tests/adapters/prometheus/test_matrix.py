from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from upid.adapters.prometheus.matrix import Grid, MatrixReader, UnreadableAnswerError

T0 = 1_700_000_000
GRID = Grid(T0, 300, 4)
NAN = float("nan")


def answer(*series: tuple[dict[str, str], list[tuple[float, str]]], compact: bool = True, **more: Any) -> bytes:
    result = [{"metric": labels, "values": [list(point) for point in points]} for labels, points in series]
    document = {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}
    return json.dumps(document, separators=(",", ":") if compact else None).encode()


def read(text: bytes, piece: int = 1 << 20, grid: Grid = GRID) -> tuple[list[dict[str, str]], np.ndarray, dict[str, Any]]:
    labels: list[Any] = []
    rows: list[np.ndarray] = [np.empty((0, grid.count))]
    reader = MatrixReader(grid, lambda some, values: (labels.extend(some), rows.append(values))[0])
    document = reader.read(text[i : i + piece] for i in range(0, len(text), piece))
    return labels, np.concatenate(rows), document


def whole(*values: str) -> list[tuple[float, str]]:
    return [(T0 + 300 * i, value) for i, value in enumerate(values)]


def test_a_series_is_a_row_in_the_order_of_time() -> None:
    labels, rows, document = read(answer(({"pod": "a"}, whole("1", "2.5", "0.25", "4"))))

    assert labels == [{"pod": "a"}]
    assert rows.tolist() == [[1.0, 2.5, 0.25, 4.0]]
    assert document["status"] == "success"


@pytest.mark.parametrize("piece", [1, 7, 64, 1000])
def test_pieces_of_any_size_give_the_same(piece: int) -> None:
    text = answer(
        *[({"pod": f"p{i}", "odd": 'a"]]},{"metric":'}, whole(*[f"{i}.{k * 25:02}" for k in range(4)])) for i in range(5)],
        warnings=["half"],
    )

    labels, rows, document = read(text, piece)

    assert [one["pod"] for one in labels] == ["p0", "p1", "p2", "p3", "p4"]
    assert rows.tolist() == [[float(f"{i}.{k * 25:02}") for k in range(4)] for i in range(5)]
    assert document["warnings"] == ["half"]


def test_gaps_stay_gaps_at_their_place() -> None:
    text = answer(({"pod": "a"}, [(T0 + 300, "7")]), ({"pod": "b"}, [(T0, "1"), (T0 + 900, "2")]))

    _, rows, _ = read(text)

    np.testing.assert_array_equal(rows, [[NAN, 7, NAN, NAN], [1, NAN, NAN, 2]])


def test_no_number_and_infinity_are_no_sample() -> None:
    _, rows, _ = read(answer(({}, whole("NaN", "+Inf", "3", "-Inf")), ({}, whole("1e300", "-1e300", "3", "4"))))

    np.testing.assert_array_equal(rows, [[NAN, NAN, 3, NAN], [NAN, NAN, 3, 4]])


def test_points_off_the_window_are_left_out() -> None:
    _, rows, _ = read(answer(({}, [(T0 - 300, "9"), *whole("1"), (T0 + 1200, "9")])))

    np.testing.assert_array_equal(rows, [[1, NAN, NAN, NAN]])


@pytest.mark.parametrize("piece", [9, 1 << 20])
def test_json_with_spaces_and_times_with_decimals_is_read_too(piece: int) -> None:
    points = [(T0 + 0.0, "1"), (T0 + 300.4, "2")]

    spaced = read(answer(({"pod": "a"}, points), compact=False), piece)
    dense = read(answer(({"pod": "a"}, points)), piece)

    np.testing.assert_array_equal(spaced[1], [[1, 2, NAN, NAN]])
    np.testing.assert_array_equal(dense[1], spaced[1])
    assert dense[0] == spaced[0] == [{"pod": "a"}]


def test_small_times_are_read_too() -> None:
    _, rows, _ = read(answer(({}, [(600, "5")])), grid=Grid(300, 300, 2))

    np.testing.assert_array_equal(rows, [[NAN, 5]])


def test_a_turn_of_the_clocks_hundred_million_is_no_gap() -> None:
    first = 1_799_999_900

    _, rows, _ = read(answer(({}, [(first, "1"), (first + 300, "2")])), grid=Grid(first, 300, 2))

    assert rows.tolist() == [[1.0, 2.0]]


def test_an_empty_answer_has_no_rows() -> None:
    labels, rows, _ = read(answer())

    assert labels == []
    assert rows.shape == (0, 4)


def test_what_stands_around_the_series_is_returned() -> None:
    text = answer(({}, whole("1", "2", "3", "4"))).replace(b'"success",', b'"success","isPartial":true,')

    assert read(text)[2]["isPartial"] is True


@pytest.mark.parametrize(
    "text",
    [
        b"<html>log in</html>",
        b"",
        b"[]",
        answer(({}, whole("1")))[:-9],
        answer(({}, whole("1x", "2"))),
        b'{"data":{"resultType":"matrix","result":[{"metric":{}',
    ],
)
def test_anything_else_is_told_as_unreadable(text: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        read(text)
