from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from upid.engine.arrays import ALIGNMENT, pack, unpack

ARRAYS = {
    "cores": np.array([[0.5, np.nan], [1.0, 2.0]], dtype=np.float32),
    "kills": np.array([3, 0], dtype=np.int32),
    "is_leak": np.array([True, False]),
    "none": np.zeros((0, 7)),
}


def test_packed_arrays_come_back_with_type_shape_and_meta() -> None:
    arrays, meta = unpack(pack(ARRAYS, {"step": 300, "name": "größe"}))

    assert meta == {"step": 300, "name": "größe"}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int16, np.uint8, np.bool_]), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)
    )
)
@settings(deadline=None)
def test_any_array_comes_back(array: np.ndarray[Any, Any]) -> None:
    arrays, _ = unpack(pack({"a": array}, {}))

    np.testing.assert_array_equal(arrays["a"], array)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert pack(ARRAYS, {"b": 1, "a": 2}) == pack(ARRAYS, {"b": 1, "a": 2})


def test_unpacked_arrays_are_aligned_read_only_views() -> None:
    data = pack(ARRAYS, {})

    arrays, _ = unpack(data)

    raw = np.frombuffer(data, dtype=np.uint8).ctypes.data
    for array in (arrays["cores"], arrays["kills"]):
        assert not array.flags.writeable
        assert not array.flags.owndata
        assert (array.ctypes.data - raw) % ALIGNMENT == 0


def test_big_endian_and_strided_arrays_are_stored_all_the_same() -> None:
    given_array = np.arange(10, dtype=">i4")[::3]

    arrays, _ = unpack(pack({"a": given_array}, {}))

    assert arrays["a"].tolist() == [0, 3, 6, 9]


@pytest.mark.parametrize("place", [0, 6, 20, -1])
def test_a_changed_byte_is_told(place: int) -> None:
    data = bytearray(pack(ARRAYS, {"x": 1}))
    data[place] ^= 1

    with pytest.raises(ValueError, match=r"corrupt|no packed arrays"):
        unpack(bytes(data))


@pytest.mark.parametrize("length", [0, 5, 40])
def test_cut_off_bytes_are_told(length: int) -> None:
    with pytest.raises(ValueError, match=r"cut off|corrupt"):
        unpack(pack(ARRAYS, {})[:length])


def test_objects_and_nan_in_meta_are_refused() -> None:
    with pytest.raises(ValueError, match="dtype object"):
        pack({"a": np.array([object()])}, {})
    with pytest.raises(ValueError, match="JSON"):
        pack({}, {"a": float("nan")})
