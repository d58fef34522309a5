"""Range queries in bounded parts: each answer is read as it comes in, and a part that the source refuses is asked in halves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic

from upid.adapters.prometheus.client import PrometheusClient, SlowError, TimedOutError
from upid.adapters.prometheus.matrix import Grid, MatrixReader
from upid.adapters.prometheus.series import CONTAINERS, Family, Key, Pooling, Stretch
from upid.domain.errors import RefusedError

SAMPLES_PER_ANSWER: Final = 1_000_000
POINTS_PER_SERIES: Final = 11_000  # Prometheus refuses more in one answer
DEEPEST: Final = 4  # halvings of a refused part
DEEPEST_SLOW: Final = 2  # of one that was not answered in time, since each costs that time again


@dataclass(slots=True)
class Answers(Generic[Key]):
    """Parts of one family that follow each other in time, how many steps each is wide, and what was incomplete.

    duplicates: series that others repeated. faults: samples that were dropped or put in order, by reason.
    """

    parts: list[dict[Key, Stretch]] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    duplicates: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def pieces_of(grid: Grid, series: int) -> Iterator[Grid]:
    """Yield the grid in parts of at most SAMPLES_PER_ANSWER samples for so many series."""
    most = max(1, min(POINTS_PER_SERIES, SAMPLES_PER_ANSWER // max(series, 1), grid.count))
    parts = -(-grid.count // most)
    width = -(-grid.count // parts) if parts else 1
    for at in range(0, grid.count, width):
        yield Grid(grid.first + at * grid.step, grid.step, min(width, grid.count - at))


def ask_range(  # one part of one query, with what is made of its series
    client: PrometheusClient, query: str, grid: Grid, *, adds: bool, into: Answers[Key], depth: int = 0,
    pooling: Pooling[Key] = CONTAINERS,  # type: ignore[assignment] # as in Family
) -> None:  # fmt: skip
    """Append what the source answers for one part; errors as the client raises them, once halves are refused too."""
    try:
        family, document = _answer(client, query, grid, into, adds=adds, pooling=pooling)
    except (RefusedError, SlowError) as error:
        if grid.count < 2 or depth >= (DEEPEST_SLOW if isinstance(error, TimedOutError) else DEEPEST):
            raise
        into.warnings.append(f"A query was asked in smaller parts: {error.detail}")
        half = grid.count // 2
        for part in (Grid(grid.first, grid.step, half), Grid(grid.first + half * grid.step, grid.step, grid.count - half)):
            ask_range(client, query, part, adds=adds, into=into, depth=depth + 1, pooling=pooling)
        return
    into.parts.append(family.by_key())
    into.widths.append(grid.count)
    into.duplicates += family.duplicates
    into.warnings.extend(incomplete(document))


def incomplete(document: dict[str, Any]) -> list[str]:
    """Return what a document says of its own gaps: `warnings` of Prometheus, Thanos and Mimir, `isPartial` of VictoriaMetrics."""
    told = [f"Prometheus warns: {text}" for text in document.get("warnings") or ()]
    return [*told, "The metrics source answered with a part of its data only."] if document.get("isPartial") else told


def _answer(
    client: PrometheusClient, query: str, grid: Grid, into: Answers[Key], *, adds: bool, pooling: Pooling[Key]
) -> tuple[Family[Key], dict[str, Any]]:
    last = grid.first + (grid.count - 1) * grid.step
    params = {"query": query, "start": str(grid.first), "end": str(last), "step": str(grid.step)}
    tries: list[tuple[Family[Key], Counter[str]]] = []

    def read(pieces: Iterator[bytes]) -> dict[str, Any]:
        # An answer that breaks off is asked again: each try begins with nothing.
        family: Family[Key] = Family(adds=adds, pooling=pooling)
        take: Callable[..., None] = family.add
        reader = MatrixReader(grid, take)
        tries.append((family, reader.faults))
        return reader.read(pieces)

    document = client.ask("/api/v1/query_range", params, read)
    family, faults = tries[-1]
    into.faults.update(faults)
    return family, document
