"""Arrays as bytes: one compact, checked, zero-copy form for history chunks, usage profiles and recommendation shards.

Layout: magic, CRC-32 of all that follows, length of the header, a JSON header, then each array little-endian and aligned to 64 bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MAGIC: Final = b"UPA1"
ALIGNMENT: Final = 64  # a cache line, and more than any dtype needs
_PREFIX: Final = struct.Struct("<4sIQ")
_KINDS: Final = frozenset("biuf")


def _aligned(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT


def _storable(name: str, array: Array) -> Array:
    if array.dtype.kind not in _KINDS:
        raise ValueError(f"Array {name!r} has dtype {array.dtype}: only booleans, integers and floats are stored.")
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def pack(arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> bytes:
    """Return named arrays and a JSON-able `meta` as bytes; the same input gives the same bytes.

    Raises
    ------
    ValueError
        For a dtype that is no boolean, integer or float, or a `meta` that is no JSON (NaN included).
    """
    stored = {name: _storable(name, array) for name, array in arrays.items()}
    places: list[dict[str, Any]] = []
    offset = 0
    for name, array in stored.items():
        places.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape), "offset": offset})
        offset = _aligned(offset + array.nbytes)
    header = json.dumps({"arrays": places, "meta": meta}, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    begin = _aligned(_PREFIX.size + len(header))
    data = bytearray(begin + offset)
    data[_PREFIX.size : _PREFIX.size + len(header)] = header
    for place, array in zip(places, stored.values(), strict=True):
        at = begin + place["offset"]
        data[at : at + array.nbytes] = memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]  # an array is a buffer
    data[: _PREFIX.size] = _PREFIX.pack(MAGIC, zlib.crc32(memoryview(data)[_PREFIX.size :]), len(header))
    return bytes(data)


def _header(data: memoryview) -> tuple[dict[str, Any], int]:
    if len(data) < _PREFIX.size:
        raise ValueError("These bytes are cut off: too short for packed arrays.")
    magic, checksum, length = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise ValueError("These bytes are no packed arrays.")
    if zlib.crc32(data[_PREFIX.size :]) != checksum:
        raise ValueError("These packed arrays are corrupt: the checksum does not match.")
    return json.loads(bytes(data[_PREFIX.size : _PREFIX.size + length])), _aligned(_PREFIX.size + length)


def unpack(data: bytes | memoryview) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return what `pack` was given: read-only views into `data`, no copies, and the meta.

    Raises
    ------
    ValueError
        If the bytes are cut off, changed, or were never packed arrays.
    """
    view = memoryview(data).cast("B").toreadonly()
    header, begin = _header(view)
    arrays: dict[str, Array] = {}
    for place in header["arrays"]:
        dtype, shape = np.dtype(place["dtype"]), tuple(place["shape"])
        count = int(np.prod(shape, dtype=np.int64))
        arrays[place["name"]] = np.frombuffer(view, dtype=dtype, count=count, offset=begin + place["offset"]).reshape(shape)
    return arrays, header["meta"]
