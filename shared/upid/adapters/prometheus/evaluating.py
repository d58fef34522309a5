"""Queries that a person wrote: each is asked by itself, so that one that is wrong says so and leaves the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import numpy as np

from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.matrix import Grid, Labels, MatrixReader, Rows
from upid.adapters.prometheus.ranges import incomplete, pieces_of
from upid.domain.errors import UnavailableError
from upid.ports.metrics_source import Evaluated, Window

IN_FLIGHT: Final = 2
LONGEST_SECONDS: Final = 30  # that Prometheus may work at one query of a person
ALL_SECONDS: Final = 120.0  # that all of them together may take: a task has ten minutes for everything


def evaluated(client: PrometheusClient, queries: Sequence[str], window: Window) -> Iterator[Evaluated]:
    """Yield what each query gives at the end of each step of the window; behind two minutes, no more of them are asked."""
    deadline = time.monotonic() + ALL_SECONDS
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="prometheus") as pool:
        yield from pool.map(partial(_one, client, window, deadline), queries)


def _one(client: PrometheusClient, window: Window, deadline: float, query: str) -> Evaluated:
    if time.monotonic() > deadline:
        return Evaluated(np.full(window.steps, np.nan, np.float32), f"It was not asked: those before it took {ALL_SECONDS:.0f} s together.")
    values, faults, told = np.full(window.steps, np.nan, np.float32), Counter[str](), list[str]()
    step, most = window.step_seconds, 0
    for piece in pieces_of(Grid(window.start + step, step, window.steps), 1):
        try:
            row, count, document, found = _asked(client, query, piece)
        except UnavailableError as error:
            return Evaluated(np.full(window.steps, np.nan, np.float32), error.detail)
        at = (piece.first - window.start) // step - 1
        values[at : at + piece.count], most = row, max(most, count)
        faults.update(found)
        told += incomplete(document)
    if most > 1:
        detail = f"The query gives {most} series where one is needed: aggregate them, such as by sum()."
        return Evaluated(np.full(window.steps, np.nan, np.float32), detail, faults)
    faults.update(negative=int(np.count_nonzero(values < 0)))
    values[values < 0] = np.nan
    return Evaluated(values, _problem(values, most, faults, told), +faults)


def _asked(client: PrometheusClient, query: str, grid: Grid) -> tuple[Rows, int, dict[str, Any], Counter[str]]:
    """Return the first series of an answer, how many there are, the document and the faults of its samples."""
    tries: list[tuple[list[Rows], list[int], Counter[str]]] = []

    def read(pieces: Iterator[bytes]) -> dict[str, Any]:
        kept, counts = list[Rows](), [0]

        def take(labels: list[Labels], rows: Rows) -> None:
            kept.extend(rows[:1] if not kept else ())
            counts[0] += len(labels)

        reader = MatrixReader(grid, take)
        tries.append((kept, counts, reader.faults))
        return reader.read(pieces)

    last = grid.first + (grid.count - 1) * grid.step
    params = {"query": query, "start": str(grid.first), "end": str(last), "step": str(grid.step), "timeout": f"{LONGEST_SECONDS}s"}
    document = client.ask("/api/v1/query_range", params, read, within_seconds=LONGEST_SECONDS + 5)
    kept, counts, faults = tries[-1]
    return (kept[0] if kept else np.full(grid.count, np.nan, np.float32)), counts[0], document, faults


def _problem(values: Rows, series: int, faults: Counter[str], told: Sequence[str]) -> str:
    if not series:
        return "The query gives no series."
    spoiled = faults["not_a_number"] + faults["impossible"] + faults["negative"]
    if spoiled:
        return f"The query gives NaN, an endless or a negative number at {spoiled} of {len(values)} steps."
    return " ".join(dict.fromkeys(told))
