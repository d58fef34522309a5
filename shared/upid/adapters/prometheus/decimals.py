"""Decimal numbers out of JSON text, many at once: eight digits at a time in 64-bit words, with no loop over numbers.

A number as Prometheus writes it has at most 24 characters: 17 digits, a point and leading zeros. Words of eight characters turn into integers by three
multiplications (D. Lemire, "Quickly parsing eight digits", 2018); the point is masked out and put back by a division.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 24  # characters of a number that the fast way reads; text needs as many bytes before its first number
_ZEROS: Final = np.uint64(0x3030303030303030)
_OVER_NINE: Final = np.uint64(0x7676767676767676)  # added to a byte above 9, sets its highest bit
_HIGH: Final = np.uint64(0x8080808080808080)


def digits_of(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the number that each word's eight bytes (0-9, the first the most significant) stand for."""
    pairs = (words * np.uint64(2561)) >> np.uint64(8) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(6553601)) >> np.uint64(16) & np.uint64(0x0000FFFF0000FFFF)
    return (fours * np.uint64(42949672960001)) >> np.uint64(32)


def words_before(text: NDArray[np.uint8], ends: NDArray[np.int64], count: int) -> NDArray[np.uint64]:
    """Return the `8 * count` bytes before each of `ends` as words less the code of `0`, shape (ends, count)."""
    width = 8 * count
    views = np.ndarray(shape=(len(text) - width + 1,), dtype=f"V{width}", buffer=text, strides=(1,))
    return views[ends - width].view("<u8").reshape(-1, count) ^ _ZEROS


def are_digits(words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell of each row of words, shape (numbers, words), whether all its bytes are 0-9."""
    over: NDArray[np.uint64] = np.bitwise_or.reduce((words + _OVER_NINE) | words, axis=1)
    good: NDArray[np.bool_] = (over & _HIGH) == np.uint64(0)
    return good


def parse_decimals(text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the numbers that stand at [starts, ends) in `text`, NaN and infinities as such.

    Equal to `float` of the text, or the double next to it where the digits exceed 2**53.

    Parameters
    ----------
    text : ndarray, shape (bytes,)
        ASCII text with at least WIDTH bytes before the first number.
    starts, ends : ndarray, shape (numbers,)
        Ascending positions of each number's first byte and of the byte behind its last.

    Returns
    -------
    ndarray, shape (numbers,)
        The values.

    Raises
    ------
    ValueError
        If a piece of text is no number.
    """
    length = ends - starts
    decimals = _decimals(text, starts, ends)
    masks = _keep_masks()[np.minimum(length, WIDTH)] & _point_masks()[np.minimum(decimals + 1, WIDTH)]
    words = words_before(text, ends, WIDTH // 8) & masks
    number = digits_of(words.T)
    plain = are_digits(words) & (length > 0) & (length <= WIDTH) & (number[0] < 1000)
    mantissa = number[0] * np.uint64(10**16) + number[1] * np.uint64(10**8) + number[2]
    _close_gap(mantissa, decimals)
    values: NDArray[np.float64] = mantissa.astype(np.float64) / _powers()[np.clip(decimals, 0, WIDTH)]
    for i in np.flatnonzero(~plain):
        values[i] = float(text[starts[i] : ends[i]].tobytes())
    return values


def _decimals(text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many characters follow the point of each number, -1 where it has none. Points between numbers are not looked at."""
    points = np.flatnonzero(text == ord("."))
    if len(points) == len(ends) and ((points > starts) & (points < ends)).all():
        return ends - points - 1
    decimals = np.full(len(ends), -1)
    if len(points) and len(ends):
        owner = np.searchsorted(starts, points, side="right") - 1
        inside = (owner >= 0) & (points < ends[owner])
        decimals[owner[inside]] = ends[owner[inside]] - points[inside] - 1
    return decimals


def _close_gap(mantissa: NDArray[np.uint64], decimals: NDArray[np.int64]) -> None:
    """Take out the zero that stands for the point, in place: digits before it move down by one place."""
    unit = _units()[np.clip(decimals + 1, 0, 19)]
    above = np.flatnonzero((mantissa >= unit) & (decimals >= 0))
    whole, part = np.divmod(mantissa[above], unit[above])
    mantissa[above] = whole * (unit[above] // np.uint64(10)) + part


@cache
def _units() -> NDArray[np.uint64]:
    return (10 ** np.arange(20, dtype=object)).astype(np.uint64)


@cache
def _powers() -> NDArray[np.float64]:
    return np.array([float(f"1e{i}") for i in range(WIDTH + 1)])


@cache
def _keep_masks() -> NDArray[np.uint64]:
    """Return by length the mask that keeps as many bytes at the end, shape (WIDTH + 1, words)."""
    keep = np.arange(WIDTH)[None, :] >= WIDTH - np.arange(WIDTH + 1)[:, None]
    return np.where(keep, 0xFF, 0).astype(np.uint8).view("<u8")


@cache
def _point_masks() -> NDArray[np.uint64]:
    """Return by place of the point from the end (1 = last byte, 0 = none) the mask that blanks it, shape (WIDTH + 1, words)."""
    blank = np.arange(WIDTH)[None, :] == WIDTH - np.arange(WIDTH + 1)[:, None]
    return np.where(blank, 0, 0xFF).astype(np.uint8).view("<u8")
