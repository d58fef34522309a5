"""Series as the engine takes them: arrays with a name, a unit, a grid, and what was done to them on the way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.domain.times import format_time
from upid.services.series import LEAST_SIZE, MOST_TOTAL, MOST_VALUES, SeriesInput
from upid.services.usage_places import UNKNOWN

Floats = NDArray[np.float64]
IRREGULAR: Final = 0.01  # of a step: points further off the grid are told of
LAST_MOMENT: Final = 4e9  # a century from now: times beyond cannot be written as text everywhere


@dataclass(frozen=True, slots=True)
class Panel:
    """One series on a grid; NaN = missing. `start` in seconds since the epoch, None where times are not known. `labels`: what it is of."""

    name: str
    values: Floats
    step_seconds: float
    start: float | None = None
    unit: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def times(self) -> Floats:
        """Beginnings of the steps, in seconds since the start."""
        return np.arange(len(self.values), dtype=np.float64) * self.step_seconds

    @property
    def shown_labels(self) -> dict[str, str | None]:
        """The labels as answers show them: a node that is not known is None."""
        return {name: None if name == "node" and label == UNKNOWN else label for name, label in self.labels.items()}

    def moment(self, step: float) -> str | None:
        """Return the beginning of a step as text, None where times are not known."""
        moment = None if self.start is None else self.start + step * self.step_seconds
        return None if moment is None or not 0 <= moment <= LAST_MOMENT else format_time(moment)

    def told(self) -> dict[str, Any]:
        """Return what every answer says of a series."""
        known = int((~np.isnan(self.values)).sum())
        return {
            "name": self.name, "unit": self.unit, "labels": self.shown_labels, "start": self.moment(0), "step_seconds": self.step_seconds,
            "steps": len(self.values), "missing": len(self.values) - known, "warnings": self.all_warnings(),
        }  # fmt: skip

    def all_warnings(self) -> list[str]:
        """Return the warnings, with those of gaps and length."""
        missing = int(np.isnan(self.values).sum())
        found = list(self.warnings)
        if missing:
            found.append(
                f"{missing} of {len(self.values)} steps have no value; where a method needs them, they lie on a line between neighbours."
            )
        if len(self.values) - missing < 10:
            found.append("Fewer than ten values: figures say little.")
        return found


def array_of(values: Sequence[float | None]) -> Floats:
    """Return values of a request as an array: NaN = missing, and what is smaller than 1e-100 is 0."""
    found = np.array([math.nan if value is None else value for value in values], np.float64)
    return np.where(np.abs(found) < LEAST_SIZE, 0.0, found)


def panel_of(given: SeriesInput) -> Panel:
    """Return a series of a request on its grid; InvalidRequestError with its pointer where it is empty, unsorted or too sparse."""
    if given.points is not None:
        return _on_grid(given)
    values = array_of(given.values)
    if np.isnan(values).all():
        raise InvalidRequestError([{"pointer": f"{given.pointer}/values", "detail": "There is no value in it."}])
    warnings = () if given.stated_step else (f"No step_seconds is given: {given.step_seconds:g} s are taken.",)
    return Panel(given.name, values, given.step_seconds, given.start, warnings=warnings)


def panels_of(given: Iterable[SeriesInput]) -> list[Panel]:
    """Return the series of a request; InvalidRequestError for more than the documented size in all, and as `panel_of`."""
    panels = [panel_of(each) for each in given]
    if sum(len(panel.values) for panel in panels) > MOST_TOTAL:
        raise InvalidRequestError([{"pointer": "#/series", "detail": f"At most {MOST_TOTAL} values in all."}])
    return panels


def _on_grid(given: SeriesInput) -> Panel:
    points = given.points or ()
    times = np.array([time for time, _ in points], np.float64)
    values = array_of([value for _, value in points])
    if np.isnan(values).all():
        raise InvalidRequestError([{"pointer": f"{given.pointer}/points", "detail": "There is no value in it."}])
    gaps = np.diff(times)
    if (gaps < 0).any():
        place = int(np.argmax(gaps < 0)) + 1
        raise InvalidRequestError([{"pointer": f"{given.pointer}/points/{place}/time", "detail": "Times must not go back."}])
    rising = np.sort(gaps[gaps > 0])
    step = float(rising[(len(rising) - 1) // 2]) if len(rising) else given.step_seconds  # a distance that there is
    places = np.rint((times - times[0]) / step).astype(np.int64)
    if places[-1] >= MOST_VALUES:
        detail = f"At the median step of {step:g} s this spans {int(places[-1]) + 1} steps, {MOST_VALUES} at most."
        raise InvalidRequestError([{"pointer": f"{given.pointer}/points", "detail": detail}])
    known = ~np.isnan(values)
    size = float(np.abs(values[known]).max()) or 1.0
    count = np.bincount(places[known], minlength=int(places[-1]) + 1)
    total = np.bincount(places[known], values[known] / size, minlength=int(places[-1]) + 1)
    grid = np.where(count > 0, total / np.maximum(count, 1) * size, np.nan)
    return Panel(given.name, grid, step, float(times[0]), warnings=tuple(_grid_warnings(times, places, count, step)))


def _grid_warnings(times: Floats, places: NDArray[np.int64], count: NDArray[np.int64], step: float) -> list[str]:
    found = []
    if (np.abs(times - times[0] - places * step) > IRREGULAR * step).any():
        found.append(f"Points are not regular: each counts for the nearest step of {step:g} s, the median distance.")
    if (count > 1).any():
        found.append(f"{int((count > 1).sum())} steps have more than one point: their mean is taken.")
    return found


@dataclass(frozen=True, slots=True)
class Batch:
    """Panels of one length and step, as rows. `places`: where each panel stood among all."""

    panels: tuple[Panel, ...]
    places: tuple[int, ...]

    @property
    def values(self) -> Floats:
        """Shape (rows, steps)."""
        return np.stack([panel.values for panel in self.panels])


def batches(panels: Sequence[Panel]) -> list[Batch]:
    """Return panels in batches that the engine takes at once: of one length and step."""
    groups: dict[tuple[int, float], list[int]] = {}
    for place, panel in enumerate(panels):
        groups.setdefault((len(panel.values), panel.step_seconds), []).append(place)
    return [Batch(tuple(panels[place] for place in places), tuple(places)) for places in groups.values()]


def coarser(panel: Panel, most: int) -> Panel:
    """Return the panel with at most that many steps: each the mean of as many neighbours as it takes, the newest whole."""
    factor = -(-len(panel.values) // most)
    if factor <= 1:
        return panel
    skipped = len(panel.values) % factor
    table = panel.values[skipped:].reshape(-1, factor)
    known = ~np.isnan(table)
    count = known.sum(axis=1)
    size = float(np.nanmax(np.abs(panel.values))) or 1.0
    values = np.where(count > 0, np.where(known, table / size, 0).sum(axis=1) / np.maximum(count, 1) * size, np.nan)
    start = None if panel.start is None else panel.start + skipped * panel.step_seconds
    told = f"Steps of {panel.step_seconds * factor:g} s are used here, each the mean of {factor}."
    return replace(panel, values=values, step_seconds=panel.step_seconds * factor, start=start, warnings=(*panel.warnings, told))


def number(value: float | np.floating[Any]) -> float | None:
    """Return a number as an answer has it: None for what is not finite."""
    return float(value) if math.isfinite(value) else None


def numbers(values: Iterable[Any]) -> list[float | None]:
    """Return numbers as an answer has them."""
    return [number(float(value)) for value in values]
