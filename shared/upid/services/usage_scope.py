"""A query as it is read: from samples, or from longer steps where those are gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.times import format_time
from upid.engine.usage.queries import over_time
from upid.services.usage_frames import Group, Values, Wanted
from upid.services.usage_levels import OVER, SPREAD, STORED
from upid.services.usage_reading import UsageReader
from upid.services.usage_requests import Answer, UsageQuery

Floats = NDArray[np.float64]


class Samples(NamedTuple):
    """Groups and their samples by metric, shape (groups, steps). means: the same, where only their means are to be exact (see `Scope.samples`)."""

    groups: Sequence[Group]
    values: Values
    means: Values


@dataclass(frozen=True, slots=True)
class Scope:
    """A query as it is read: the reader, what is wanted of it, and the length of the steps that are answered. [s]"""

    reader: UsageReader
    wanted: Wanted
    step_seconds: int
    stored_seconds: int
    warnings: tuple[str, ...] = ()

    def over_time(self, values: NDArray[Any], width: int, how: str) -> Floats:
        """Return samples, or figures of longer steps, on steps `width` times as long."""
        is_longer = self.wanted.level is not None and self.wanted.level.how != SPREAD
        return over_time(values, width, OVER.get(how, "max") if is_longer else how, self.wanted.step_seconds)

    def samples(self, wanted: Wanted) -> Iterator[Samples]:
        """Yield the groups with their samples, frame by frame.

        Where those are gone, their values stand in longer steps as the sketch has them, and as means each is the mean of its step: over any number of
        steps that is the mean of them weighted by their samples.
        """
        level = wanted.level
        if level is None:
            for frame in self.reader.frames(wanted):
                values = frame.trimmed()
                yield Samples(frame.groups, values, values)
            return
        longer = wanted._replace(level=level._replace(how="mean"), step_seconds=level.step_seconds)
        for frame, meant in zip(self.reader.frames(wanted), self.reader.frames(longer), strict=True):
            values, rows, width = frame.trimmed(), [meant.rows[group] for group in frame.groups], level.step_seconds // wanted.step_seconds
            means = {
                metric: np.where(np.isnan(found), np.nan, np.repeat(meant.trimmed()[metric][rows], width, axis=1))
                for metric, found in values.items()
            }
            yield Samples(frame.groups, values, means)

    def calculated(self, how: str) -> Iterator[tuple[list[Group], dict[str, Floats]]]:
        """Yield the groups with one value of the whole window for each metric, frame by frame."""
        level, steps = self.wanted.level, self.wanted.steps
        if level is None or how != "mean":
            for frame in self.reader.frames(self.wanted):
                yield frame.groups, {metric: self.over_time(values, steps, how)[:, 0] for metric, values in frame.trimmed().items()}
            return
        counts = self.wanted._replace(level=level._replace(how="count"), how="max")
        for frame, counted in zip(self.reader.frames(self.wanted), self.reader.frames(counts), strict=True):
            rows = [counted.rows[group] for group in frame.groups]
            yield frame.groups, {metric: _weighted(values, counted.trimmed()[metric][rows]) for metric, values in frame.trimmed().items()}

    @property
    def width(self) -> int:
        """How many stored steps an answered one holds."""
        return self.step_seconds // self.wanted.step_seconds

    def told(self, query: UsageQuery) -> Answer:
        """Return what every answer says of its query, once it is read."""
        lost = self.reader.places.warnings() if self.reader.places else []
        return {
            "cluster_id": query.cluster_id, "start": format_time(self.wanted.start), "end": format_time(self.wanted.end),
            "stored_step_seconds": self.stored_seconds, "resolution": self.wanted.level.name if self.wanted.level else STORED, "group_by": list(query.group_by), "across": query.across,
            "warnings": [*self.warnings, *lost],
        }  # fmt: skip


def _weighted(means: NDArray[Any], counts: NDArray[Any]) -> Floats:
    """Return the mean of each row of steps' means, each counted as often as it has samples."""
    weights = np.where(np.isnan(means), 0.0, np.nan_to_num(counts.astype(np.float64)))
    total = weights.sum(axis=1)
    found: Floats = np.full(len(means), np.nan)
    np.divide((np.nan_to_num(means) * weights).sum(axis=1), total, out=found, where=total > 0)
    return found
