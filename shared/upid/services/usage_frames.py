"""What is read of stored usage, and the groups that it is joined into as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.metrics import METRICS
from upid.engine.usage.queries import merged
from upid.services.usage_levels import Level
from upid.services.usage_requests import Selection

Group = tuple[str, ...]
Values = dict[str, NDArray[Any]]


class Wanted(NamedTuple):
    """What is read: metrics, whose, joined how, over [start, end) on the grid of `step_seconds`."""

    metrics: tuple[str, ...]
    selection: Selection
    group_by: tuple[str, ...]
    how: str
    start: int
    end: int
    step_seconds: int
    level: Level | None = None

    @property
    def steps(self) -> int:
        """How many steps the window has."""
        return (self.end - self.start) // self.step_seconds

    @property
    def is_local(self) -> bool:
        """Whether no group has series of two shards. A shard holds whole workloads, whose names are unique in a namespace and kind, and so are pods'."""
        of_pods = not any(METRICS[metric].family == "storage" for metric in self.metrics)
        named = set(self.group_by)
        return "uid" in named or {"namespace", "kind", "workload"} <= named or (of_pods and {"namespace", "pod"} <= named)

    def of_family(self, family: str) -> tuple[str, ...]:
        """Return the wanted metrics of a family."""
        return tuple(metric for metric in self.metrics if METRICS[metric].family == family)


@dataclass(slots=True)
class Frame:
    """Groups and their samples by metric, shape (groups, steps); NaN = no sample."""

    wanted: Wanted
    rows: dict[Group, int] = field(default_factory=dict)
    values: Values = field(default_factory=dict)

    @property
    def groups(self) -> list[Group]:
        """The groups in the order of their rows."""
        return list(self.rows)

    def add(self, at: int, groups: Sequence[Group], values: Values) -> None:
        """Put in samples of `groups` from step `at` on; what is there already is joined with them."""
        rows = np.array([self.rows.setdefault(group, len(self.rows)) for group in groups], np.int64)
        for metric, found in values.items():
            into = self._room(metric, found.dtype)
            steps = slice(at, at + found.shape[1])
            joined = merged(into[rows, steps], found, self.wanted.how if self.wanted.how != "mean" else "max")
            into[rows, steps] = joined

    def trimmed(self) -> Values:
        """Return the samples of every wanted metric without the room that was kept for more groups; none at all where there is no group."""
        count = len(self.rows)
        return {metric: self._room(metric, np.float32)[:count] for metric in self.wanted.metrics} if count else {}

    def _room(self, metric: str, dtype: Any) -> NDArray[Any]:
        found = self.values.get(metric)
        if found is None or len(found) < len(self.rows) or found.dtype != np.result_type(found.dtype, dtype):
            kind = dtype if found is None else np.result_type(found.dtype, dtype)
            more = len(self.rows) if found is None else max(len(self.rows), len(found) + len(found) // 4)
            bigger = np.full((more, self.wanted.steps), np.nan, kind)
            if found is not None:
                bigger[: len(found)] = found
            self.values[metric] = found = bigger
        return found
