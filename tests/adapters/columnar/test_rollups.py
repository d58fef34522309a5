"""What is the columnar form of rollups' own: blocks of rows with a checksum each, and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from contract.test_usage_rollups import MARCH, SCOPE, chunk

from upid.adapters.columnar.blocks import ROWS, packed_rows, unpacked_rows
from upid.adapters.columnar.quarantine import DamagedChunkError
from upid.adapters.columnar.rollups import ColumnarRollups
from upid.adapters.directory.blobs import DirectoryBlobs


@pytest.mark.parametrize("rows", [0, 1, ROWS, 2 * ROWS + 3])
def test_rows_are_read_as_they_were_written(rows: int) -> None:
    values = {"a": np.arange(rows * 3.0).reshape(rows, 3), "b": np.arange(rows)}
    data = packed_rows(values)
    for wanted in (None, np.arange(0, rows, 2), np.empty(0, np.int64)):
        found = unpacked_rows(data, wanted)
        for name, expected in values.items():
            np.testing.assert_array_equal(found[name], expected if wanted is None else expected[wanted])


def test_damage_is_found_in_what_is_read_and_does_not_hinder_the_rest() -> None:
    data = bytearray(packed_rows({"a": np.arange(3.0 * ROWS)}))
    data[-1] ^= 1
    np.testing.assert_array_equal(unpacked_rows(bytes(data), np.array([0, ROWS]))["a"], [0.0, ROWS])
    for broken in (bytes(data), bytes(data[:4]), bytes(data[:60])):
        with pytest.raises(ValueError, match=r"corrupt|cut off"):
            unpacked_rows(broken)


@pytest.mark.parametrize("part", ["keys", "cpu_cores", "cpu_cores.sketch"])
def test_a_damaged_part_is_put_aside_and_named(tmp_path: Path, part: str) -> None:
    blobs = DirectoryBlobs(tmp_path)
    rollups = ColumnarRollups(blobs)
    rollups.append(SCOPE, chunk())
    (damaged,) = [name for name in blobs.names("") if name.endswith(f"00.{part}.bin")]
    blobs.put(damaged, b"x" * 100)
    with pytest.raises(DamagedChunkError, match=damaged):
        list(rollups.read(SCOPE, ("cpu_cores",), start=MARCH, end=MARCH + 1, sketches=True))
    assert [name for name in blobs.names("") if "/quarantine/" in name] == [damaged.replace("/cl_1/", "/cl_1/quarantine/")]
