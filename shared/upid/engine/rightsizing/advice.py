"""From needs to what is advised: floors, rounding, limits, and leaving alone what is near enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.current import CurrentResources
from upid.engine.rightsizing.options import Options

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Need:
    """What one resource needs, shape (rows,): `request` and `limit` before floors and rounding, NaN = not known; `wants_limit`: whether one is to be set.

    `drops_limit`: the current limit does harm and goes even where the request stays.
    """

    request: Floats
    limit: Floats
    wants_limit: Bools
    drops_limit: Bools


@dataclass(frozen=True, slots=True)
class Advice:
    """What one resource is advised, shape (rows,): NaN = not set. `changes`: whether it differs from now; the others tell why it is as it is."""

    request: Floats
    limit: Floats
    changes: Bools
    at_floor: Bools
    exceeds_node: Bools
    is_small_change: Bools
    fitted_request: Floats
    fitted_limit: Floats


def rounded_up(value: Floats, unit: float) -> Floats:
    """Return values as multiples of `unit`, never below; what is a multiple but for rounding errors (1e-9 relative) stays."""
    count = np.round(np.ceil(value / unit * (1 - 1e-9)))
    # Dividing gives the nearest number to 0.713; 713 * 0.001 is one bit off.
    result: Floats = np.asarray(count / round(1 / unit) if unit < 1 else count * unit, dtype=np.float64)
    return result


def is_guaranteed(current: CurrentResources) -> Bools:
    """Tell which rows have limits equal to their requests for both CPU and memory, as QoS class Guaranteed asks for."""
    result: Bools = (current.cpu_request_cores == current.cpu_limit_cores) & (current.memory_request_bytes == current.memory_limit_bytes)
    return result


@dataclass(frozen=True, slots=True)
class Bounds:
    """Least request, unit of rounding, and the largest node, shape (rows,), NaN = not known."""

    floor: float
    unit: float
    largest_node: Floats


def advise(need: Need, request: Floats, limit: Floats, bounds: Bounds, *, frozen: Bools, guaranteed: Bools, options: Options) -> Advice:
    """Return what to set instead of the current `request` and `limit`, shape (rows,).

    Rows that are `frozen` or whose need is not known stay as they are. A row changes where its request is not set or moves by more than the
    hysteresis, where its limit is below what is needed, or where its limit does harm. Guaranteed rows get one value for both.
    """
    # A floor keeps requests from falling below it; it is no ground to raise one that is lower already.
    floor = np.fmin(bounds.floor, request)
    fitted = np.minimum(rounded_up(np.fmax(need.request, floor), bounds.unit), _whole(bounds))
    fitted = np.where(np.isnan(need.request), np.nan, fitted)
    top = np.where(need.wants_limit, np.fmax(rounded_up(need.limit, bounds.unit), fitted), np.nan)
    known = np.isfinite(fitted) & ~frozen
    raises = fitted > request * (1 + options.raise_hysteresis)
    lowers = fitted < request * (1 - options.lower_hysteresis)
    moves = np.isnan(request) | raises | lowers
    too_low = need.wants_limit & ~np.isnan(limit) & (limit < top / (1 + options.raise_hysteresis)) & ~guaranteed
    changes = known & (moves | too_low | (need.drops_limit & ~np.isnan(limit)))
    stays = known & ~moves
    new_request = np.where(known & moves, fitted, request)
    new_limit = np.where(changes, np.where(need.wants_limit, np.fmax(top, new_request), np.nan), limit)
    return Advice(
        request=new_request, limit=new_limit, changes=changes, at_floor=known & (need.request < floor),
        exceeds_node=known & (need.request > bounds.largest_node), is_small_change=stays, fitted_request=fitted, fitted_limit=top,
    )  # fmt: skip


def _whole(bounds: Bounds) -> Floats:
    return np.where(np.isnan(bounds.largest_node), np.inf, np.floor(bounds.largest_node / bounds.unit) * bounds.unit)
