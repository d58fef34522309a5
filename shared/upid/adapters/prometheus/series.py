"""Series of one metric family put together by container: what counts once, what adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from upid.adapters.prometheus.matrix import Labels, Rows
from upid.ports.metrics_source import PodContainer, UsageBlock

Row = np.ndarray[tuple[int], np.dtype[np.float32]]
_Run = dict[str, Row]


@dataclass(slots=True)
class Family:
    """Rows by container, run of the container and CPU.

    Series of one run that differ only by who scraped them (target, job, replica of Prometheus) count once, by the larger value. Runs are told apart by cAdvisor's
    `id` or `name`; runs and single CPUs add up where `adds`, else the largest counts. Where a run has the total of its CPUs, that is taken.
    """

    adds: bool
    runs: dict[PodContainer, dict[str, _Run]] = field(default_factory=dict)
    duplicates: int = 0

    def add(self, labels: Sequence[Labels], rows: Rows) -> None:
        """Take series in; those without namespace, pod or container are no container's."""
        for one, row in zip(labels, rows, strict=True):
            key = PodContainer(one.get("namespace", ""), one.get("pod", ""), one.get("container", ""))
            if all(key):
                cpus = self.runs.setdefault(key, {}).setdefault(one.get("id") or one.get("name") or "", {})
                cpu = one.get("cpu", "")
                self.duplicates += cpu in cpus
                cpus[cpu] = np.fmax(cpus[cpu], row) if cpu in cpus else row

    def by_container(self) -> dict[PodContainer, Row]:
        """Return one row for each container."""
        return {key: self._joined(_of_run(cpus, adds=self.adds) for cpus in runs.values()) for key, runs in self.runs.items()}

    def _joined(self, rows: Iterable[Row]) -> Row:
        return _sum(list(rows)) if self.adds else _largest(list(rows))


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
    keys = sorted(set().union(*parts))
    place = {key: i for i, key in enumerate(keys)}
    values = np.full((len(keys), sum(widths)), np.nan, dtype=np.float32)
    at = 0
    for part, width in zip(parts, widths, strict=True):
        for key, row in part.items():
            values[place[key], at : at + width] = row
        at += width
    return UsageBlock(keys, values)


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
