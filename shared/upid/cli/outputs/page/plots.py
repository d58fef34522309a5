"""Usage beside request, limit and recommendation, as inline SVG: over time, and as a range on one line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from typing import Any, Final

from upid.domain.quantities import format_cpu, format_memory

WIDTH: Final = 600
HEIGHT: Final = 150
LEFT, RIGHT, TOP, BOTTOM = 58, 590, 8, 128
BAR_WIDTH: Final = 150
DAY: Final = 86400
SHORTEST_HOUR_MARKS: Final = 3 * DAY  # in a longer window only days are marked
HEADROOM: Final = 1.08
FAR: Final = 1.8  # a limit so many times above all else would flatten the rest: it is told, not drawn

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Levels:
    """What one resource of a container has and should have; None = not set. [cores or bytes]"""

    request: float | None
    limit: float | None
    wanted_request: float | None
    wanted_limit: float | None

    @classmethod
    def of(cls, entry: Mapping[str, Any], resource: str) -> Levels:
        """Return the levels of `cpu` or `memory` of an entry."""
        unit = "cores" if resource == "cpu" else "bytes"
        now, then = entry["current"], entry["recommended"]
        names = (f"{resource}_request_{unit}", f"{resource}_limit_{unit}")
        return cls(now[names[0]], now[names[1]], then[names[0]], then[names[1]])

    def lines(self) -> Iterator[tuple[str, str, float]]:
        """Yield (class, what it is, value) of each line that is drawn. A value that stays is drawn once, as what it is now."""
        for kind, now, then in (("request", self.request, self.wanted_request), ("limit", self.limit, self.wanted_limit)):
            if now is not None:
                yield kind, f"{kind} now", now
            if then is not None and then != now:
                yield f"wanted-{kind}", f"recommended {kind}", then

    def told(self, form: Format) -> str:
        """Return the levels in words."""
        words = [f"{what} {form(value)}" for _, what, value in self.lines()]
        taken = [kind for kind, now, then in (("request", self.request, self.wanted_request), ("limit", self.limit, self.wanted_limit)) if now is not None and then is None]  # fmt: skip
        return ", ".join([*words, *(f"no {kind} recommended" for kind in taken)]) or "no request and no limit"


def format_of(resource: str) -> Format:
    """Return how values of a resource are written."""
    return format_cpu if resource == "cpu" else format_memory


def scale_top(levels: Levels, largest: float) -> float:
    """Return the largest value that is drawn: of usage and of what is near enough to it."""
    requests = [value for value in (largest, levels.request, levels.wanted_request) if value is not None and math.isfinite(value)]
    top = max(requests, default=0.0)
    limits = [value for value in (levels.limit, levels.wanted_limit) if value is not None and value <= FAR * top]
    return max([top, *limits]) * HEADROOM or 1.0


def time_plot(levels: Levels, mean: Sequence[float], peak: Sequence[float], *, start: int, bin_seconds: int, resource: str) -> str:
    """Return usage over time with its lines. `mean` and `peak`: one value for each bin, NaN = none; `resource`: `cpu` or `memory`."""
    known = [value for value in peak if value == value]  # noqa: PLR0124 NaN is what does not equal itself
    top = scale_top(levels, max(known, default=0.0))
    form = format_of(resource)
    x = _axis(len(mean), LEFT, RIGHT)

    def y(value: float) -> int:
        return round(BOTTOM - (BOTTOM - TOP) * min(value / top, 1.0))

    parts = [_grid(top, y, form), _days(start, bin_seconds, len(mean))]
    parts += [f'<path class="band" d="{_band(x, mean, peak, y)}"/>', f'<path class="peak" d="{_path(x, peak, y)}"/>']
    parts.append(f'<path class="mean" d="{_path(x, mean, y)}"/>')
    parts += [f'<path class="{kind}" d="M{LEFT} {y(value)}H{RIGHT}"/>' for kind, _, value in levels.lines() if value <= top]
    name = "CPU" if resource == "cpu" else "memory"
    return f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name} over time">{"".join(parts)}</svg>'


def range_bar(levels: Levels, spread: Mapping[str, float | None], resource: str) -> str:
    """Return usage (median to 99th percentile, thin up to the maximum) with marks of the levels, on one line; the figures are its title."""
    largest = spread["max"]
    if largest is None:
        return '<span class="none">no samples</span>'
    top, form = scale_top(levels, largest), format_of(resource)

    def x(value: float | None) -> int:
        return round(BAR_WIDTH * min((value or 0.0) / top, 1.0))

    told = [f"{name} {form(value)}" for name in ("p50", "p95", "p99", "max") if (value := spread[name]) is not None]
    told.append(levels.told(form))
    low, high = x(spread["p50"]), x(spread["p99"])
    marks = [f'<path class="{kind}" d="M{x(value)} 2V20"/>' for kind, _, value in levels.lines() if value <= top]
    return (
        f'<svg class="bar" viewBox="-2 0 {BAR_WIDTH + 4} 22" role="img"><title>{escape(", ".join(told))}</title><path class="axis" d="M0 11H{BAR_WIDTH}"/>'
        f'<path class="whisker" d="M{low} 11H{x(largest)}"/><rect class="box" x="{low}" y="6" width="{max(high - low, 2)}" height="10" rx="2"/>{"".join(marks)}</svg>'
    )


def _axis(count: int, left: int, right: int) -> list[int]:
    return [round(left + (right - left) * (i + 0.5) / count) for i in range(count)]


def _runs(x: Sequence[int], values: Sequence[float], y: Callable[[float], int]) -> Iterator[list[tuple[int, int]]]:
    """Yield the points of each stretch without a gap."""
    run: list[tuple[int, int]] = []
    for place, value in zip(x, values, strict=True):
        if math.isfinite(value):
            run.append((place, y(value)))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(x: Sequence[int], values: Sequence[float], y: Callable[[float], int]) -> str:
    return "".join(_line(run) if len(run) > 1 else f"M{run[0][0] - 1} {run[0][1]}h2" for run in _runs(x, values, y))


def _line(run: Sequence[tuple[int, int]]) -> str:
    # Steps from point to point are shorter text than places: a page of a large cluster has a million of them.
    steps = (f"{x - a} {y - b}" for (a, b), (x, y) in pairwise(run))
    return f"M{run[0][0]} {run[0][1]}l{' '.join(steps)}"


def _band(x: Sequence[int], low: Sequence[float], high: Sequence[float], y: Callable[[float], int]) -> str:
    """Return the area between mean and peak."""
    pairs = zip(_runs(x, low, y), _runs(x, high, y), strict=True)
    return "".join(f"{_line([*below, *reversed(above)])}Z" for below, above in pairs)


def _grid(top: float, y: Callable[[float], int], form: Format) -> str:
    step = _round_step(top / 4, base=1024 if form is format_memory else 10)
    marks = [step * i for i in range(int(top / step) + 1)]
    return "".join(
        f'<path class="grid" d="M{LEFT} {y(mark)}H{RIGHT}"/><text x="{LEFT - 6}" y="{y(mark) + 4}" class="end">{form(mark) if mark else 0}</text>'
        for mark in marks
    )


def _round_step(rough: float, base: int) -> float:
    """Return the round number next above: 1, 2 or 5 times a power of ten, or a power of two times one of 1,024."""
    if base == 10:
        power = 10.0 ** math.floor(math.log10(rough))
        return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return 2.0 ** math.ceil(math.log2(rough) - 1e-9)


def _days(start: int, bin_seconds: int, bins: int) -> str:
    """Return marks at midnights (UTC), at every sixth hour of a short window; so many at most that their texts do not meet."""
    length = bins * bin_seconds
    every = DAY if length > SHORTEST_HOUR_MARKS else DAY // 4
    every *= max(1, math.ceil(length / every / 12))
    first = -(-start // every) * every
    parts = []
    for moment in range(first, start + length, every):
        place = round(LEFT + (RIGHT - LEFT) * (moment - start) / length)
        at = datetime.fromtimestamp(moment, UTC)
        text = f"{at.day} {at:%b}" if moment % DAY == 0 else f"{at:%H:%M}"
        parts.append(f'<path class="grid" d="M{place} {TOP}V{BOTTOM}"/><text x="{place}" y="{BOTTOM + 15}" class="middle">{text}</text>')
    return "".join(parts)
