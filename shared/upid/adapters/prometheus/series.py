"""Series of one metric family put together by container: what counts once, what adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from upid.adapters.prometheus.matrix import Labels, Rows
from upid.domain.lanes import lanes_of
from upid.ports.metrics_source import Place, PodContainer, UsageBlock

Row = np.ndarray[tuple[int], np.dtype[np.float32]]
PACKED_FROM: Final = 1_000_000  # samples of a block from which on it is packed, where that halves it
Key = TypeVar("Key", bound=tuple[Any, ...])


class Stretch(NamedTuple):
    """Samples of a series from the step `first` on; there is none outside of them."""

    first: int
    values: Row

    @property
    def end(self) -> int:
        """The step behind the last."""
        return self.first + len(self.values)


_Run = dict[str, Stretch]


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
        for one, row in zip(labels, _stretches(rows), strict=True):
            key = pooling.key(one)
            if key is not None:
                run = next((one[name] for name in pooling.run if one.get(name)), "")
                parts = self.runs.setdefault(key, {}).setdefault(run, {})
                part = one.get(pooling.part, "")
                self.duplicates += part in parts
                parts[part] = _largest([parts[part], row]) if part in parts else row

    def by_key(self) -> dict[Key, Stretch]:
        """Return the samples of each container, or what else the series are of."""
        return {key: self._joined(_of_run(parts, adds=self.adds) for parts in runs.values()) for key, runs in self.runs.items()}

    def _joined(self, rows: Iterable[Stretch]) -> Stretch:
        adds = self.adds if self.pooling.runs_add is None else self.pooling.runs_add
        return _sum(list(rows)) if adds else _largest(list(rows))


def _stretches(rows: Rows) -> Iterator[Stretch]:
    """Yield each row from its first sample to its last; where most of the rows is samples, all of it, which copies nothing."""
    known = ~np.isnan(rows)
    there = known.any(axis=1)
    first = np.where(there, known.argmax(axis=1), 0)
    end = np.where(there, rows.shape[1] - known[:, ::-1].argmax(axis=1), 0)
    if 2 * int((end - first).sum()) > rows.size:
        yield from (Stretch(0, row) for row in rows)
    else:
        yield from (Stretch(int(a), rows[i, a:b].copy()) for i, (a, b) in enumerate(zip(first, end, strict=True)))


def _of_run(cpus: _Run, *, adds: bool) -> Stretch:
    if "total" in cpus:
        return cpus["total"]
    rows = list(cpus.values())
    return _sum(rows) if adds else _largest(rows)


def _over(rows: Sequence[Stretch]) -> tuple[int, list[Row]]:
    """Return the first step of any stretch, and all of them over the same steps."""
    first, end = min(row.first for row in rows), max(row.end for row in rows)
    whole = np.full((len(rows), end - first), np.nan, dtype=np.float32)
    for i, row in enumerate(rows):
        whole[i, row.first - first : row.end - first] = row.values
    return first, list(whole)


def _sum(rows: list[Stretch]) -> Stretch:
    """Return the sum of what is there; NaN where nothing is."""
    if len(rows) == 1:
        return rows[0]
    first, (total, *others) = _over(rows)
    for row in others:
        total = np.where(np.isnan(total), row, np.where(np.isnan(row), total, total + row))
    return Stretch(first, total)


def _largest(rows: list[Stretch]) -> Stretch:
    if len(rows) == 1:
        return rows[0]
    first, whole = _over(rows)
    return Stretch(first, np.fmax.reduce(whole, axis=0))


def block_of(parts: Sequence[Mapping[PodContainer, Stretch]], widths: Sequence[int]) -> UsageBlock:
    """Return the block of parts that follow each other in time, each `widths` steps wide; keys sorted, packed where that halves a large block."""
    keys: list[PodContainer] = sorted(set().union(*parts))
    steps = sum(widths)
    bounds = _bounds(parts, widths)
    if len(keys) * steps < PACKED_FROM or 2 * sum(end - first for first, end in bounds.values()) > len(keys) * steps:
        return UsageBlock(*rows_of_parts(parts, widths))
    lanes = lanes_of([bounds[key] for key in keys])
    values = np.full((max(lanes) + 1, steps), np.nan, dtype=np.float32)
    lane_of = dict(zip(keys, lanes, strict=True))
    _fill(values, parts, widths, lane_of)
    return UsageBlock(keys, values, [Place(lane, *bounds[key]) for key, lane in lane_of.items()])


def _bounds(parts: Sequence[Mapping[PodContainer, Stretch]], widths: Sequence[int]) -> dict[PodContainer, tuple[int, int]]:
    """Return the steps [first, end) that each key has samples in."""
    found: dict[PodContainer, tuple[int, int]] = {}
    at = 0
    for part, width in zip(parts, widths, strict=True):
        for key, stretch in part.items():
            first, end = found.get(key, (at + stretch.first, 0))
            found[key] = min(first, at + stretch.first), max(end, at + stretch.end)
        at += width
    return found


def rows_of_parts(parts: Sequence[Mapping[Key, Stretch]], widths: Sequence[int]) -> tuple[list[Key], NDArray[np.float32]]:
    """Return the keys of parts that follow each other in time, each `widths` steps wide, sorted, and their rows, NaN where a part has none."""
    keys: list[Key] = sorted(set().union(*parts))
    values = np.full((len(keys), sum(widths)), np.nan, dtype=np.float32)
    _fill(values, parts, widths, {key: i for i, key in enumerate(keys)})
    return keys, values


def _fill(values: NDArray[np.float32], parts: Sequence[Mapping[Key, Stretch]], widths: Sequence[int], row_of: Mapping[Key, int]) -> None:
    at = 0
    for part, width in zip(parts, widths, strict=True):
        for key, stretch in part.items():
            values[row_of[key], at + stretch.first : at + stretch.end] = stretch.values
        at += width


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
    chosen = [i for i, key in enumerate(whole.keys) if key in place]
    keys = [whole.keys[i] for i in chosen]
    if whole.places is None:
        below, above = whole.values[chosen], np.full((len(chosen), whole.values.shape[1]), np.nan, dtype=np.float32)
        places = [Place(i, 0, below.shape[1]) for i in range(len(chosen))]
    else:
        below, above = whole.values, np.full_like(whole.values, np.nan)
        places = [whole.places[i] for i in chosen]
    for key, (lane, first, end) in zip(keys, places, strict=True):
        begin, values = part.stretch(place[key])
        low, high = max(first, begin), min(end, begin + len(values))
        if low < high:
            above[lane, low:high] = values[low - begin : high - begin]
    share = np.divide(above, below, out=np.where(np.isnan(below) | np.isnan(above), np.float32(np.nan), np.float32(0)), where=below > 0)
    fine = np.repeat(np.clip(share, 0.0, 1.0), repeat, axis=1)[:, :steps]
    if whole.places is None:
        return UsageBlock(keys, fine)
    return UsageBlock(keys, fine, [Place(lane, first * repeat, min(end * repeat, steps)) for lane, first, end in places])
