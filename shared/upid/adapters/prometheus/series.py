"""Series of one metric family put together by container: what counts once, what adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from upid.adapters.prometheus.matrix import Labels, Rows
from upid.ports.metrics_source import PodContainer, UsageBlock

Row = np.ndarray[tuple[int], np.dtype[np.float32]]
Key = TypeVar("Key", bound=tuple[Any, ...])
_Run = dict[str, Row]


@dataclass(frozen=True, slots=True)
class Pooling(Generic[Key]):
    """Which series are of one thing, and which of them add up.

    key: the thing, None = of nothing that is asked for. run: the first of these labels that is there tells runs apart; part: what tells the parts of a
    run apart (CPUs, interfaces, devices). runs_add: whether runs add up, None = as their parts do.
    """

    key: Callable[[Labels], Key | None]
    run: tuple[str, ...] = ("id", "name")
    part: str = ""
    runs_add: bool | None = None


def _container(labels: Labels) -> PodContainer | None:
    key = PodContainer(labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
    return key if all(key) else None


CONTAINERS: Final = Pooling(_container, part="cpu")


@dataclass(slots=True)
class Family(Generic[Key]):
    """Rows by container (or what `pooling` makes one thing), its runs and their parts, such as CPUs.

    Series of one run that differ only by who scraped them (target, job, replica of Prometheus) count once, by the larger value. Runs are told apart by cAdvisor's
    `id` or `name`; runs and single CPUs add up where `adds`, else the largest counts. Where a run has the total of its CPUs, that is taken.
    """

    adds: bool
    pooling: Pooling[Key] = CONTAINERS  # type: ignore[assignment] # what a family without another pooling is of
    runs: dict[Key, dict[str, _Run]] = field(default_factory=dict)
    duplicates: int = 0

    def add(self, labels: Sequence[Labels], rows: Rows) -> None:
        """Take series in; those without namespace, pod or container are no container's."""
        pooling = self.pooling
        for one, row in zip(labels, rows, strict=True):
            key = pooling.key(one)
            if key is not None:
                run = next((one[name] for name in pooling.run if one.get(name)), "")
                parts = self.runs.setdefault(key, {}).setdefault(run, {})
                part = one.get(pooling.part, "")
                self.duplicates += part in parts
                parts[part] = np.fmax(parts[part], row) if part in parts else row

    def by_key(self) -> dict[Key, Row]:
        """Return one row for each container, or what else the series are of."""
        return {key: self._joined(_of_run(parts, adds=self.adds) for parts in runs.values()) for key, runs in self.runs.items()}

    def _joined(self, rows: Iterable[Row]) -> Row:
        adds = self.adds if self.pooling.runs_add is None else self.pooling.runs_add
        return _sum(list(rows)) if adds else _largest(list(rows))


def _of_run(cpus: _Run, *, adds: bool) -> Row:
    if "total" in cpus:
        return cpus["total"]
    rows = list(cpus.values())
    return _sum(rows) if adds else _largest(rows)


def _sum(rows: list[Row]) -> Row:
    """Return the sum of what is there; NaN where nothing is."""
    total = rows[0]
    for row in rows[1:]:
        total = np.where(np.isnan(total), row, np.where(np.isnan(row), total, total + row))
    return total


def _largest(rows: list[Row]) -> Row:
    largest = rows[0]
    for row in rows[1:]:
        largest = np.fmax(largest, row)
    return largest


def block_of(parts: Sequence[Mapping[PodContainer, Row]], widths: Sequence[int]) -> UsageBlock:
    """Return the block of parts that follow each other in time, each `widths` steps wide; keys sorted."""
    return UsageBlock(*rows_of_parts(parts, widths))


def rows_of_parts(parts: Sequence[Mapping[Key, Row]], widths: Sequence[int]) -> tuple[list[Key], NDArray[np.float32]]:
    """Return the keys of parts that follow each other in time, each `widths` steps wide, sorted, and their rows, NaN where a part has none."""
    keys: list[Key] = sorted(set().union(*parts))
    place = {key: i for i, key in enumerate(keys)}
    values = np.full((len(keys), sum(widths)), np.nan, dtype=np.float32)
    at = 0
    for part, width in zip(parts, widths, strict=True):
        for key, row in part.items():
            values[place[key], at : at + width] = row
        at += width
    return keys, values


def positive(block: UsageBlock) -> UsageBlock:
    """Return the block with only values above zero: no running container has an empty working set."""
    block.values[~(block.values > 0)] = np.nan
    return block


def below_zero(block: UsageBlock) -> int:
    """Return how many values of the block are below zero."""
    return int(np.count_nonzero(block.values < 0))


def not_negative(block: UsageBlock) -> UsageBlock:
    """Return the block without values below zero, which no rate of a counter has."""
    block.values[block.values < 0] = np.nan
    return block


def share_of(part: UsageBlock, whole: UsageBlock, repeat: int, steps: int) -> UsageBlock:
    """Return part / whole on the finer grid of `steps` steps, each coarse step standing for `repeat`; 0 where the whole is zero, NaN where it is missing."""
    place = {key: i for i, key in enumerate(part.keys)}
    keys = [key for key in whole.keys if key in place]
    below = whole.values[[i for i, key in enumerate(whole.keys) if key in place]]
    above = part.values[[place[key] for key in keys]]
    share = np.divide(above, below, out=np.where(np.isnan(below) | np.isnan(above), np.float32(np.nan), np.float32(0)), where=below > 0)
    return UsageBlock(keys, np.repeat(np.clip(share, 0.0, 1.0), repeat, axis=1)[:, :steps])
