"""64-bit integers that tell when they overflow."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Bools = NDArray[np.bool_]
LEAST: Final = -(2**63)


def added(a: Array, b: Array) -> tuple[Array, Bools]:
    """Return a + b, and where it does not fit."""
    with np.errstate(over="ignore"):
        total = np.asarray(a + b)
    return total, np.asarray(((a ^ total) & (b ^ total)) < 0)


def subtracted(a: Array, b: Array) -> tuple[Array, Bools]:
    """Return a - b, and where it does not fit."""
    with np.errstate(over="ignore"):
        rest = np.asarray(a - b)
    return rest, np.asarray(((a ^ b) & (a ^ rest)) < 0)


def multiplied(a: Array, b: Array) -> tuple[Array, Bools]:
    """Return a * b, and where it does not fit."""
    with np.errstate(over="ignore", divide="ignore"):
        product = np.asarray(a * b)
        divisor = np.where(a == 0, 1, a)
        wrong = (a != 0) & (np.asarray(product // divisor) != b)
    return product, np.asarray(wrong | ((a == -1) & (b == LEAST)) | ((b == -1) & (a == LEAST)))


def divided(a: Array, b: Array) -> tuple[Array, Bools]:
    """Return a / b towards zero, and where b is 0 or the result does not fit."""
    wrong = (b == 0) | ((a == LEAST) & (b == -1))
    divisor = np.where(wrong, 1, b)
    return np.asarray((a - np.fmod(a, divisor)) // divisor), np.asarray(wrong)


def remainder(a: Array, b: Array) -> tuple[Array, Bools]:
    """Return what a leaves when divided by b towards zero, with the sign of a, and where b is 0."""
    wrong = b == 0
    return np.asarray(np.fmod(a, np.where(wrong | (b == -1), 1, b))), np.asarray(wrong)


def negated(a: Array) -> tuple[Array, Bools]:
    """Return -a, and where it does not fit."""
    wrong = np.asarray(a == LEAST)
    return np.asarray(-np.where(wrong, 0, a)), wrong


INTEGERS: Final[MappingProxyType[str, Callable[[Array, Array], tuple[Array, Bools]]]] = MappingProxyType(
    {"+": added, "-": subtracted, "*": multiplied, "/": divided, "%": remainder}
)
