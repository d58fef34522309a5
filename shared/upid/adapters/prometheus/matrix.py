"""A `query_range` answer, read as it comes in: whole series are turned into rows of a matrix, and the text is let go.

The way that counts reads compact JSON as Prometheus and what follows it write it. Anything else that is valid JSON (a space more, a time with decimals)
goes through a JSON parser and comes to the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from upid.adapters.prometheus.client import UnreadableAnswerError
from upid.adapters.prometheus.decimals import WIDTH, are_digits, digits_of, parse_decimals, words_before

Labels = Mapping[str, str]
Rows = NDArray[np.float32]
Found = Callable[[list[Labels], Rows], None]

_OPENING: Final = b'"result":['
_METRIC: Final = b'{"metric":'
_VALUES: Final = b',"values":[['
_END: Final = b"]]"
CELLS: Final = 2_000_000  # of one matrix of rows
HUGE: Final = 1e30  # no usage is that large, and float32 holds what is smaller
_QUOTE: Final = ord('"')
_CYCLE: Final = 10**8  # of a time in seconds the last eight digits are read: no window is longer than three years


@dataclass(frozen=True, slots=True)
class Grid:
    """The times that a range query asks for: `first`, `first + step` ... [seconds since the epoch]."""

    first: int
    step: int
    count: int

    def columns(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the column of each time; outside of [0, count) where the grid has none."""
        return (times - self.first + self.step // 2) // self.step


@dataclass(slots=True)
class MatrixReader:
    """Reads one answer. `found` gets labels and values of series, shape (series, grid.count), NaN = no sample or none that is finite.

    faults: samples that were dropped or put in order, by reason (`upid.engine.usage.quality`).
    """

    grid: Grid
    found: Found
    faults: Counter[str] = field(default_factory=Counter)
    _head: bytes = field(default=b"", init=False)

    def read(self, pieces: Iterable[bytes]) -> dict[str, Any]:
        """Read an answer to its end and return the document without its series; UnreadableAnswerError for what is no such answer."""
        try:
            return self._read(pieces)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, UnreadableAnswerError):
                raise
            raise UnreadableAnswerError("It holds series of another form.") from error

    def _read(self, pieces: Iterable[bytes]) -> dict[str, Any]:
        head, rest = b"", b""
        for piece in pieces:
            rest += piece
            if not head:
                head, rest = _split_head(rest)
                if not head:
                    continue
            rest = self._series(rest)
        if head and rest.startswith(b"]"):
            return _document(head + rest)
        return self._plain(head + rest)

    def _series(self, text: bytes) -> bytes:
        """Take the whole series off the beginning of `text` and return what is left."""
        labels: list[Labels] = []
        regions: list[bytes] = []
        at = 0
        while text.startswith(_METRIC, at):
            middle = text.find(_VALUES, at)
            end = text.find(_END, middle) if middle >= 0 else -1
            if end < 0 or len(text) < end + 4:
                break
            labels.append(orjson.loads(text[at + len(_METRIC) : middle]))
            regions.append(text[middle + len(_VALUES) - 1 : end + 1])
            at = end + 3 + (text[end + 3] == ord(","))
        # Of short series on a long grid the text of one piece holds very many: they are not all spread out at once.
        most = max(CELLS // max(self.grid.count, 1), 1)
        for begin in range(0, len(regions), most):
            some = slice(begin, begin + most)
            self.found(labels[some], rows_of(regions[some], self.grid, self.faults))
        return text[at:]

    def _plain(self, text: bytes) -> dict[str, Any]:
        """Read series the slow way: what is left, or all of an answer that is formatted in its own manner."""
        document = _document(text)
        data = document.get("data")
        series = data.get("result") if isinstance(data, dict) else None
        if not isinstance(series, list):
            if document.get("status") == "success":
                raise UnreadableAnswerError("It has no matrix of series.")
            return document
        for one in series:
            values = np.full((1, self.grid.count), np.nan, dtype=np.float32)
            points = np.array(one.get("values", []), dtype=object).reshape(-1, 2)
            _place(
                values,
                np.zeros(len(points), int),
                points[:, 0].astype(float).round().astype(np.int64),
                points[:, 1].astype(float),
                self.grid,
                self.faults,
            )
            self.found([one["metric"]], values)
        return document


def rows_of(regions: list[bytes], grid: Grid, faults: Counter[str] | None = None) -> Rows:
    """Return the values of series from the text of their points (`[t,"v"],[t,"v"]`) on the grid, shape (regions, grid.count).

    NaN = no sample, or one that is NaN or infinite; points off the grid are left out, of several in one place the last counts. `faults` is added to.
    UnreadableAnswerError for other text.
    """
    faults = Counter() if faults is None else faults
    text = np.frombuffer(b"".join([b" " * WIDTH, *regions]), np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    starts, ends = quotes[0::2] + 1, quotes[1::2]
    if len(starts) != len(ends) or (text[starts - 2] != ord(",")).any():
        return _slow_rows(regions, grid, faults)
    words = words_before(text, starts - 2, 1)
    if not are_digits(words).all():
        return _slow_rows(regions, grid, faults)
    low = digits_of(words[:, 0]).astype(np.int64)
    times = grid.first + (low - grid.first + _CYCLE // 2) % _CYCLE - _CYCLE // 2
    bounds = np.cumsum([WIDTH, *map(len, regions)])
    counts = np.diff(np.searchsorted(starts, bounds))
    rows = np.full((len(regions), grid.count), np.nan, dtype=np.float32)
    try:
        numbers = parse_decimals(text, starts, ends)
    except ValueError as error:
        raise UnreadableAnswerError(str(error)) from None
    _place(rows, np.repeat(np.arange(len(regions)), counts), times, numbers, grid, faults)
    return rows


def _place(  # noqa: PLR0917 one answer's points into its rows
    rows: Rows, row: NDArray[np.int64], times: NDArray[np.int64], numbers: NDArray[np.float64], grid: Grid, faults: Counter[str]
) -> None:
    columns = grid.columns(times)
    on_grid, finite = (columns >= 0) & (columns < grid.count), np.abs(numbers) < HUGE
    place = row * np.int64(2 * _CYCLE) + columns
    later = np.diff(place)
    if (later <= 0).any():
        faults["repeated"] += int(np.count_nonzero(later == 0))
        faults["out_of_order"] += int(np.count_nonzero((later < 0) & (np.diff(row) == 0)))
    good = on_grid & finite
    if good.all():
        rows[row, columns] = numbers
        return
    faults["off_grid"] += int(np.count_nonzero(~on_grid))
    faults["not_a_number"] += int(np.count_nonzero(on_grid & np.isnan(numbers)))
    faults["impossible"] += int(np.count_nonzero(on_grid & ~finite & ~np.isnan(numbers)))
    rows[row[good], columns[good]] = numbers[good]


def _slow_rows(regions: list[bytes], grid: Grid, faults: Counter[str]) -> Rows:
    rows = np.full((len(regions), grid.count), np.nan, dtype=np.float32)
    for i, region in enumerate(regions):
        try:
            points = np.array(orjson.loads(b"[" + region + b"]"), dtype=object).reshape(-1, 2)
            times, numbers = points[:, 0].astype(float).round().astype(np.int64), points[:, 1].astype(float)
        except ValueError as error:
            raise UnreadableAnswerError(str(error)) from None
        _place(rows, np.full(len(points), i), times, numbers, grid, faults)
    return rows


def _split_head(text: bytes) -> tuple[bytes, bytes]:
    """Return the text to the opening of the series, and what follows; nothing and all of it where it does not open yet, or in another form."""
    at = text.find(_OPENING)
    if at < 0 or b'"resultType":"matrix"' not in text[:at]:
        return b"", text
    return text[: at + len(_OPENING)], text[at + len(_OPENING) :]


def _document(text: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UnreadableAnswerError(f"It is no JSON: {text[:60].decode(errors='replace')!r}.") from None
    if not isinstance(document, dict):
        raise UnreadableAnswerError("It is no JSON object.")
    return document
