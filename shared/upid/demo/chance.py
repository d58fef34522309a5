"""Chance that is none: everything follows from text or numbers put in, so that the same question has the same answer."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

NAME_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes makes names of
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


def number(text: str) -> int:
    """Return 63 bits that follow from a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def share(text: str) -> float:
    """Return a number in [0, 1) that follows from a text."""
    return number(text) / 2**63


def letters(text: str, length: int) -> str:
    """Return letters as in generated names."""
    value, out = number(text), []
    for _ in range(length):
        value, letter = divmod(value, len(NAME_LETTERS))
        out.append(NAME_LETTERS[letter])
    return "".join(out)


def uid(text: str) -> str:
    """Return a version 4 UUID's text."""
    digits = blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def hexadecimal(text: str) -> str:
    """Return 64 hexadecimal digits, as in container ids."""
    return blake2b(text.encode(), digest_size=32).hexdigest()


def uniform(seeds: NDArray[np.uint64], ticks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return numbers in [0, 1) of every seed at every tick, shape (seeds, ticks) (splitmix64, G. Steele et al. 2014)."""
    fraction: NDArray[np.float64] = np.ldexp((_mixed(seeds, ticks) >> np.uint64(11)).astype(np.float64), -53)
    return fraction


def normal(seeds: NDArray[np.uint64], ticks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return about normal numbers (mean 0, variance 1, within 3) of every seed at every tick: three uniform ones added up."""
    bits = _mixed(seeds, ticks)
    low = np.uint64((1 << 21) - 1)
    total: NDArray[np.uint64] = (bits & low) + (bits >> np.uint64(21) & low) + (bits >> np.uint64(42) & low)
    deviate: NDArray[np.float64] = total.astype(np.float64) * (2.0 / (1 << 21)) - 3.0
    return deviate


def _mixed(seeds: NDArray[np.uint64], ticks: NDArray[np.int64]) -> NDArray[np.uint64]:
    x = seeds[:, None] + ticks[None, :].astype(np.uint64) * _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed
