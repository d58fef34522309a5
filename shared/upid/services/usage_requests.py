"""What can be asked of stored usage. Checked here, without numerics, so that an API handler can import it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from upid.domain.errors import InvalidRequestError
from upid.domain.metrics import MetricName
from upid.domain.times import format_duration, parse_duration, parse_time

Dimension = Literal["namespace", "kind", "workload", "uid", "container", "pod", "volume", "node"]
Across = Literal["sum", "mean", "max", "min", "count"]
Fill = Literal["none", "zero", "previous", "linear"]

DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
MOST_WINDOW_SECONDS: Final = 366 * 86400
MOST_POINTS: Final = 250_000  # values of one answer: 5 MB as JSON
STEPS_SHOWN: Final = 300
NICE_STEPS: Final = (300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 7 * 86400)
AGGREGATION: Final = re.compile(r"mean|max|min|sum|count|rate|p(100|\d{1,2})(\.\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Selection:
    """Whose usage; "" = any. `workload` is the name of a workload, `uid` its uid, `volume` the name of a PersistentVolumeClaim, `node` where its pods ran."""

    namespace: str = ""
    kind: str = ""
    workload: str = ""
    container: str = ""
    pod: str = ""
    volume: str = ""
    uid: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A window of time as a client says it: `start` and `end` as moments, or `window` back from the end; the end is the watermark where none is told. at: what pointers to faults begin with."""

    start: str = ""
    end: str = ""
    window: str = ""
    at: str = "#/"

    def resolve(self, watermark: int, default_seconds: int) -> tuple[float, float]:
        """Return [start, end) in seconds since the epoch; InvalidRequestError that points at what is wrong."""
        end = _moment(self.end, f"{self.at}end") if self.end else float(watermark)
        if self.start and self.window:
            raise fault(f"{self.at}window", "Give either a start or a window, not both.")
        if self.start:
            start = _moment(self.start, f"{self.at}start")
        else:
            start = end - (seconds_of(self.window, f"{self.at}window") if self.window else default_seconds)
        if not 0 <= start < end or end > 4e9:
            raise fault(f"{self.at}start", "A window begins before it ends, and not before 1970.")
        if end - start > MOST_WINDOW_SECONDS:
            raise fault(f"{self.at}start", f"A window is at most {format_duration(MOST_WINDOW_SECONDS)} long.")
        return start, end


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """A query of one cluster's usage.

    Series are first joined `across` each group at every stored step, then brought onto `step_seconds` by `aggregation`: the highest of a namespace is
    the highest of its sum, not the sum of its pods' highest. step_seconds: None = about 300 steps in the window. top: None = all groups.
    """

    cluster_id: str
    metrics: tuple[MetricName, ...] = ("cpu_cores", "memory_bytes")
    selection: Selection = field(default_factory=Selection)
    span: Span = field(default_factory=Span)
    step: str = ""
    aggregation: str = "mean"
    across: Across = "sum"
    group_by: tuple[Dimension, ...] = ("namespace",)
    fill: Fill = "none"
    top: int | None = 100

    def pointer(self, name: str) -> str:
        """Return the pointer to a member of this query."""
        return self.span.at + name


def step_of(query: UsageQuery, stored: int, seconds: float) -> int:
    """Return the length of the answered steps: the one asked for, else the shortest usual one that shows the window in 300 steps. [s].

    InvalidRequestError for one that is no multiple of the stored steps.
    """
    if not query.step:
        usual = [step for step in (stored, *NICE_STEPS) if step % stored == 0 and seconds / step <= STEPS_SHOWN]
        return min(usual, default=-(-int(seconds / STEPS_SHOWN) // stored) * stored)
    step = seconds_of(query.step, query.pointer("step"))
    if step % stored or step > MOST_WINDOW_SECONDS:
        raise fault(query.pointer("step"), f"A step is a multiple of the {stored} s that the cluster is collected in.")
    return step


def seconds_of(text: str, pointer: str) -> int:
    """Return a duration of whole seconds, one at least; InvalidRequestError with the pointer."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise fault(pointer, str(error)) from None
    if seconds < 1 or seconds != int(seconds):
        raise fault(pointer, "A duration is a whole number of seconds, one at least.")
    return int(seconds)


def fault(pointer: str, detail: str) -> InvalidRequestError:
    """Return the error for one member of a request."""
    return InvalidRequestError([{"pointer": pointer, "detail": detail}])


def _moment(text: str, pointer: str) -> float:
    try:
        return parse_time(text)
    except ValueError as error:
        raise fault(pointer, str(error)) from None


Answer = dict[str, Any]
