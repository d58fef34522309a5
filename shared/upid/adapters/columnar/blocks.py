"""Rows of equal arrays in blocks, each with a checksum of its own: who wants a few rows reads, and checks, the blocks that they lie in.

Layout: length of the head, the head (where each block ends, packed), the blocks (packed arrays of ROWS rows each, the last one of fewer).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.arrays import pack, unpack

ROWS: Final = 128
_LENGTH: Final = struct.Struct("<Q")


def packed_rows(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays of one number of rows as bytes."""
    rows = len(next(iter(arrays.values())))
    blocks = [pack({name: values[first : first + ROWS] for name, values in arrays.items()}, {}) for first in range(0, max(rows, 1), ROWS)]
    head = pack({"ends": np.cumsum([len(block) for block in blocks], dtype=np.int64)}, {"rows": rows})
    return b"".join((_LENGTH.pack(len(head)), head, *blocks))


def unpacked_rows(data: bytes, rows: NDArray[np.int64] | None = None) -> dict[str, NDArray[Any]]:
    """Return some rows, in ascending order, of what `packed_rows` was given; None = all. ValueError where what is read of the bytes is damaged."""
    view = memoryview(data)
    if len(view) < _LENGTH.size:
        raise ValueError("These bytes are cut off.")
    begin = _LENGTH.size + _LENGTH.unpack_from(view)[0]
    head, meta = unpack(view[_LENGTH.size : begin])
    ends = begin + head["ends"]
    wanted = np.arange(meta["rows"]) if rows is None else rows
    found: list[dict[str, NDArray[Any]]] = []
    for block in sorted(set((wanted // ROWS).tolist())) or [
        0
    ]:  # numpy's own way loads masked arrays the first time, longer than a year is read
        arrays, _ = unpack(view[ends[block - 1] if block else begin : ends[block]])
        inside = wanted[wanted // ROWS == block] - block * ROWS
        found.append({name: values[inside] for name, values in arrays.items()})
    return {name: np.concatenate([part[name] for part in found]) if len(found) > 1 else found[0][name] for name in found[0]}
