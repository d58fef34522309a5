"""A chunk of usage, or of another family of metrics, as line protocol.

A sample is a point of `samples`, written at the begin of its step. `members` says at a window's begin which series it holds, in which row, and their
events. The point of `windows` is written last: a window is there when its point is. All points of a retry fall on those of the try before.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from upid.adapters.columnar.packing import events_of, packed, samples_of
from upid.domain.metrics import USAGE
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey, UsageChunk

POINTS: Final = 10_000  # of one request
ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": " "})
Chunk = UsageChunk | MetricChunk


def sample_lines(scope: HistoryScope, chunk: Chunk) -> Iterator[bytes]:
    """Yield the samples of a chunk, so many points at a time."""
    samples = {name: values for name, values in samples_of(chunk).items() if not np.isnan(values).all()}
    texts = {name: texts_of(values) for name, values in samples.items()}
    lines: list[str] = []
    for row, key in enumerate(chunk.keys):
        head = f"samples,{_tags(scope, chunk)}{key_tags(key)} "
        there = np.any([~np.isnan(values[row]) for values in samples.values()], axis=0) if samples else np.zeros(1, bool)
        for step in np.flatnonzero(there).tolist():
            fields = ",".join(f"{name}={rows[row][step]}" for name, rows in texts.items() if rows[row][step] != "nan")
            lines.append(f"{head}{fields} {chunk.start + step * chunk.step_seconds}")
        if len(lines) >= POINTS:
            yield body_of(lines)
            lines = []
    if lines:
        yield body_of(lines)


def member_lines(scope: HistoryScope, chunk: Chunk, kind: str, digest: int) -> Iterator[bytes]:
    """Yield what tells which series a window holds: row, events, and the `digest` of the write that they belong to."""
    events = {name: values.tolist() for name, values in events_of(chunk).items()}
    lines = []
    for row, key in enumerate(chunk.keys):
        told = "".join(f",{name}={_number(values[row])}" for name, values in events.items() if values[row] == values[row])
        lines.append(f"members,{_tags(scope, chunk)},kind={kind}{key_tags(key)} row={row}i,digest={digest}i{told} {chunk.start}")
    for first in range(0, len(lines), POINTS):
        yield body_of(lines[first : first + POINTS])


def window_line(scope: HistoryScope, chunk: Chunk, kind: str, digest: int) -> bytes:
    """Return the point that makes a window be there."""
    told = f'end={chunk.end}i,step={chunk.step_seconds}i,held={len(chunk.keys)}i,digest={digest}i,metrics="{",".join(samples_of(chunk))}"'
    return body_of([f"windows,{_tags(scope, chunk)},kind={kind} {told} {chunk.start}"])


def digest_of(chunk: Chunk) -> int:
    """Return what tells two contents of one window apart. ValueError where the chunk's arrays are not of one shape."""
    return zlib.crc32(packed(chunk))


def family_of(chunk: Chunk) -> str:
    """Return the family that a chunk is of."""
    return chunk.family if isinstance(chunk, MetricChunk) else USAGE


def _number(value: float) -> str:
    return f"{value}i" if isinstance(value, int) else repr(value)


def texts_of(values: Any) -> list[list[str]]:
    """Return each value in the shortest digits that give the same float32 again."""
    texts: list[list[str]] = np.asarray(values, np.float32).astype("U").tolist()
    return texts


def _tags(scope: HistoryScope, chunk: Chunk) -> str:
    return f"cluster={scope.cluster_id.translate(ESCAPES)},family={family_of(chunk)},shard={scope.shard}"


def key_tags(key: SeriesKey) -> str:
    """Return the tags of a series, each with a comma before it."""
    return "".join(f",{name}={value.translate(ESCAPES)}" for name, value in key._asdict().items() if value)


def body_of(lines: list[str]) -> bytes:
    """Return lines as one body."""
    return ("\n".join(lines) + "\n").encode()
