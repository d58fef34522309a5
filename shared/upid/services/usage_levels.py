"""Which steps a query is answered from: samples as they were measured, or what is left of them on longer steps, chosen by the window and the steps asked for.

What is not on longer steps yet, the day that goes on, is brought onto them as it is read, so that an answer never ends before what is collected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from upid.engine.usage.placing import cut_apart
from upid.engine.usage.rollups import Part, coarser, cut, figure, put_together, spread
from upid.ports.usage_history import HistoryScope, MetricChunk, UsageHistory
from upid.ports.usage_rollups import RollupChunk, RollupScope, UsageRollups
from upid.services.downsampling import DAY_SECONDS, levels_of, stored_chunks
from upid.services.retention import RetentionPolicy
from upid.services.rolling import rolled_up
from upid.services.usage_places import Places

EXACT_SECONDS: Final = 14 * DAY_SECONDS  # windows that begin no longer ago are answered from the samples themselves
NAMES: Final = {300: "5m", 3600: "1h", DAY_SECONDS: "1d"}
STORED: Final = "stored"
# A figure of several longer steps, from those of each.
OVER: Final = {"mean": "mean", "max": "max", "min": "min", "sum": "sum", "count": "sum", "rate": "rate"}
SPREAD: Final = "spread"  # of a level's steps: samples again, as many as there were, from the sketch
SPREAD_SECONDS: Final = 7 * DAY_SECONDS  # so many are made at a time


class Level(NamedTuple):
    """Steps of a length, and the figure that is taken of each."""

    step_seconds: int
    stored_seconds: int
    how: str

    @property
    def name(self) -> str:
        """What answers call it."""
        return NAMES[self.step_seconds]

    @property
    def has_sketch(self) -> bool:
        """Whether its figure needs the sketch."""
        return self.how == SPREAD or self.how.startswith("p")


@dataclass(frozen=True, slots=True)
class Longer:
    """What is read of a level: metrics of a family over [start, end), on steps that are a multiple of the level's. places: series are cut by node there."""

    family: str
    metrics: Sequence[str]
    start: int
    end: int
    step_seconds: int
    level: Level
    places: Places | None = None

    @property
    def steps(self) -> int:
        """How many steps of the level there are."""
        return (self.end - self.start) // self.level.step_seconds


def level_of(how: str, step_seconds: int, stored_seconds: int) -> Level | None:
    """Return the longest steps that a query can be answered from, None for the samples themselves: for `rate`, and for steps that no level divides."""
    if how == "rate":
        return None
    fitting = [level for level in levels_of(stored_seconds) if step_seconds % level == 0]
    return Level(max(fitting), stored_seconds, how) if fitting else None


def kept_level(policy: RetentionPolicy, how: str, stored_seconds: int, age_seconds: float, *, longest: int = DAY_SECONDS) -> Level | None:
    """Return the shortest steps that reach so far back, or the longest that there are; None where there are none up to `longest`. [s]"""
    fitting = [level for level in levels_of(stored_seconds) if level <= longest]
    reaching = [level for level in fitting if policy.reaches(level, age_seconds)]
    return Level(min(reaching, default=fitting[-1]), stored_seconds, how) if fitting else None


def figures(
    history: UsageHistory, rollups: UsageRollups, scope: HistoryScope, asked: Longer, workload_uids: Collection[str]
) -> Iterator[tuple[MetricChunk, Sequence[str] | None]]:
    """Yield one chunk with the figures of workloads of a shard on the steps asked for, several of SPREAD; none where nothing is stored.

    Beside it stand the nodes of its series, which are cut by node then: those of longer steps must be before they are joined into still longer ones.
    None where they are whole.
    """
    if asked.level.how == SPREAD:
        spread_out = _spread(chain(_rolled(rollups, scope, asked, workload_uids), _tail(history, rollups, scope, asked)), asked)
        yield from ((chunk, None) for chunk in spread_out)
        return
    chunks = [*_rolled(rollups, scope, asked, workload_uids), *_tail(history, rollups, scope, asked)]
    keys = list(dict.fromkeys(key for chunk in chunks for key in chunk.keys))
    if not keys:
        return
    rows = {key: row for row, key in enumerate(keys)}
    placed = asked.places.of(keys, asked.start, asked.level.step_seconds, asked.steps) if asked.places else None
    values = {}
    for metric in asked.metrics:
        parts = [
            _part(chunk, metric, np.array([rows[key] for key in chunk.keys], np.int64), asked)
            for chunk in chunks
            if metric in chunk.metrics
        ]
        whole = put_together(parts, len(keys), asked.steps)
        whole = cut_apart(whole, placed.pieces) if placed else whole
        longer = coarser(whole, asked.step_seconds // asked.level.step_seconds)
        values[metric] = figure(longer, asked.level.how).astype(np.float32)
    keys = [keys[row] for row in placed.pieces.series] if placed else keys
    yield MetricChunk(asked.family, keys, asked.start, asked.end, asked.step_seconds, values), placed.nodes if placed else None


def _spread(chunks: Iterable[RollupChunk], asked: Longer) -> Iterator[MetricChunk]:
    """Yield what is in the window as samples on the stored steps, a week at a time."""
    level, stored = asked.level.step_seconds, asked.level.stored_seconds
    for chunk in chunks:
        at = range(max(chunk.start, asked.start), min(chunk.end, asked.end), max(SPREAD_SECONDS, level))
        for begin in at:
            end = min(begin + at.step, at.stop)
            steps = (begin - chunk.start) // level, (end - chunk.start) // level
            samples = {
                metric: spread(cut(chunk.metrics[metric], *steps), level // stored) for metric in asked.metrics if metric in chunk.metrics
            }
            yield MetricChunk(asked.family, chunk.keys, begin, end, stored, samples)


def _rolled(rollups: UsageRollups, scope: HistoryScope, asked: Longer, workload_uids: Collection[str]) -> Iterator[RollupChunk]:
    place = RollupScope(*scope, asked.family, asked.level.step_seconds)
    return rollups.read(
        place, asked.metrics, start=asked.start, end=asked.end, workload_uids=workload_uids, sketches=asked.level.has_sketch
    )


def _tail(history: UsageHistory, rollups: UsageRollups, scope: HistoryScope, asked: Longer) -> Iterator[RollupChunk]:
    """Yield, day by day, what is not on longer steps yet."""
    begin = rollups.until(RollupScope(*scope, asked.family, asked.level.step_seconds)) or 0
    for day in range(max(begin, asked.start // DAY_SECONDS * DAY_SECONDS), asked.end, DAY_SECONDS):
        chunks = stored_chunks(history, scope, asked.family, day, day + DAY_SECONDS)
        level = asked.level
        yield rolled_up(chunks, start=day, end=day + DAY_SECONDS, stored_seconds=level.stored_seconds, step_seconds=level.step_seconds)


def _part(chunk: RollupChunk, metric: str, rows: np.ndarray[tuple[int], np.dtype[np.int64]], asked: Longer) -> Part:
    """Return the steps of a chunk that are within the window."""
    shift = (chunk.start - asked.start) // asked.level.step_seconds
    rollup = chunk.metrics[metric]
    first, last = max(0, -shift), min(rollup.steps, asked.steps - shift)
    return Part(cut(rollup, first, max(first, last)), rows, max(shift, 0))
