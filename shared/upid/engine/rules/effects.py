"""What rules do to recommended requests and limits, for all rows at once: adjustments first, vetoes last, each in the order that it is given.

Amounts are arrays of shape (rows, 4) in the order of TARGETS; NaN = not set, which for a request is nothing and for a limit no bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.cost.savings import reserved
from upid.engine.rightsizing.advice import rounded_up
from upid.engine.rightsizing.options import Options
from upid.engine.rules.catalogue import TARGETS, Target, VetoOf

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]
PAIRS: Final = {"cpu": (0, 1), "memory": (2, 3)}  # request and limit of each resource


class Adjustment(NamedTuple):
    """The recommended `target` times `factor`, then held within [`minimum`, `maximum`]; `unset` takes a limit away."""

    target: Target
    factor: float = 1.0
    minimum: float | None = None
    maximum: float | None = None
    unset: bool = False


class Veto(NamedTuple):
    """What is set now stays, of both resources or of one; `..decreases`: only where it would be lowered."""

    of: VetoOf = "all"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What sizing says of rows, and what holds rules back. Amounts of shape (rows, 4), in the order of TARGETS.

    Attributes
    ----------
    current, recommended : ndarray of float64
        Set now, and recommended by sizing; NaN = not set. [cores], [bytes]
    least : ndarray of float64
        What a rule never goes below: sizing's floors, and for memory all that sizing asks for; NaN = nothing. [cores], [bytes]
    most : ndarray of float64
        What a rule never raises a request above: the largest node; NaN = not known. [cores], [bytes]
    is_fixed : ndarray of bool
        What sizing leaves alone for a reason that a rule can not know better: withheld rows, leaks, no data, scaled by an HPA.
    is_guaranteed : ndarray of bool, shape (rows,)
        Of QoS class Guaranteed: request and limit move together.
    """

    current: Floats
    recommended: Floats
    least: Floats
    most: Floats
    is_fixed: Bools
    is_guaranteed: Bools


class Step(NamedTuple):
    """What one rule changed: the rows, and the amounts of each before and after, shape (len(rows), 4)."""

    rows: Rows
    before: Floats
    after: Floats


def applied(proposal: Proposal, effects: Sequence[tuple[Adjustment | Veto | None, Bools]], options: Options) -> tuple[Floats, list[Step]]:
    """Return the amounts that are left when every effect has acted on the rows of its mask, and what each changed, in the order given.

    Parameters
    ----------
    proposal : Proposal
        Of n rows.
    effects : sequence of (effect, mask)
        None = no effect on amounts. Masks of shape (n,).
    options : Options
        Units of rounding and hystereses: an adjustment that lands near what is set now leaves it as it is.

    Returns
    -------
    amounts : ndarray, shape (n, 4)
        NaN = not set. [cores], [bytes]
    steps : list of Step
        One for each effect.

    Raises
    ------
    ValueError
        If a mask has another shape.

    Notes
    -----
    All adjustments act before any veto, so that nothing which a rule raises or lowers survives a veto of it. A limit is never left below its request.
    """
    amounts = proposal.recommended.copy()
    steps: list[Step | None] = [None] * len(effects)
    for kind in (Adjustment, Veto, type(None)):
        for place, (effect, mask) in enumerate(effects):
            if mask.shape != (len(amounts),):
                raise ValueError(f"An effect is on {mask.shape} of {len(amounts)} rows.")
            if isinstance(effect, kind):
                steps[place] = _step(proposal, amounts, effect, np.flatnonzero(mask), options)
    return amounts, [step for step in steps if step is not None]


def _step(proposal: Proposal, amounts: Floats, effect: Adjustment | Veto | None, rows: Rows, options: Options) -> Step:
    before = amounts[rows]
    after = before
    if isinstance(effect, Adjustment):
        after = _adjusted(_part(proposal, rows), before, effect, options)
    elif isinstance(effect, Veto):
        after = _vetoed(_part(proposal, rows), before, effect)
    moved = _differ(before, after).any(axis=1)
    amounts[rows] = after
    return Step(rows[moved], before[moved], after[moved])


def _part(proposal: Proposal, rows: Rows) -> Proposal:
    names = ("current", "recommended", "least", "most", "is_fixed", "is_guaranteed")
    return Proposal(**{name: getattr(proposal, name)[rows] for name in names})


def _differ(a: Floats, b: Floats) -> Bools:
    result: Bools = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    return result


def changed_rows(a: Floats, b: Floats) -> Bools:
    """Return which rows differ in any amount, shape (rows,); not set is equal to not set."""
    return np.asarray(_differ(a, b).any(axis=1))


def _adjusted(part: Proposal, before: Floats, effect: Adjustment, options: Options) -> Floats:
    column = TARGETS.index(effect.target)
    request, limit = pair = PAIRS["cpu" if column < 2 else "memory"]
    other = limit if column == request else request
    fixed = part.is_fixed[:, column] | (part.is_guaranteed & part.is_fixed[:, other])
    if effect.unset:
        # A limit without a request is the request too: without it, nothing would be reserved. Class Guaranteed needs both.
        fixed |= part.is_guaranteed | np.isnan(before[:, request]) | (column == request)
        value = np.full(len(before), np.nan)
    else:
        value = _scaled(part, before, effect, column, options)
    after = before.copy()
    after[:, column] = np.where(fixed, before[:, column], value)
    after[:, other] = np.where(part.is_guaranteed & ~fixed, value, before[:, other])
    return _held_together(after, pair)


def _held_together(amounts: Floats, pair: tuple[int, int]) -> Floats:
    """Return amounts whose limits are not below their requests."""
    request, limit = pair
    amounts[:, limit] = np.where(np.isnan(amounts[:, limit]), np.nan, np.fmax(amounts[:, limit], amounts[:, request]))
    return amounts


def _scaled(part: Proposal, before: Floats, effect: Adjustment, column: int, options: Options) -> Floats:
    """Return the target times the factor within the bounds, rounded up, never below what sizing holds, and what is set now where that is near enough."""
    is_limit, unit = column % 2 == 1, options.cpu_rounding_cores if column < 2 else options.memory_rounding_bytes
    least, now, then = part.least[:, column], part.current[:, column], before[:, column]
    # No limit is one without bound; no request is the limit, and without one it is nothing.
    unset = np.full(len(then), np.inf) if is_limit else reserved(then, before[:, column + 1])
    low, high = effect.minimum or 0.0, np.inf if effect.maximum is None else effect.maximum
    scaled = then if effect.factor == 1 else rounded_up(then * effect.factor, unit)
    clipped = np.clip(np.where(np.isnan(then), unset, scaled), low, high)
    value = np.fmax(clipped, least)
    if not is_limit:
        value = np.fmin(value, np.fmax(part.most[:, column], then))
    with np.errstate(invalid="ignore"):
        near = (value <= now * (1 + options.raise_hysteresis)) & (value >= now * (1 - options.lower_hysteresis))
        value = np.where(near & (now >= np.fmax(least, low)) & (now <= high), now, value)
    return np.where((np.isnan(then) & (clipped == unset)) | np.isinf(value), np.nan, value)


def _vetoed(part: Proposal, before: Floats, effect: Veto) -> Floats:
    after = before.copy()
    for resource, pair in PAIRS.items():
        if effect.of not in {"all", "decreases", resource, f"{resource}_decreases"}:
            continue
        now, then = part.current[:, pair], before[:, pair]
        after[:, pair] = _kept(now, then) if effect.of.endswith("decreases") else now
        _held_together(after, pair)
    return after


def _kept(now: Floats, then: Floats) -> Floats:
    """Return request and limit, shape (rows, 2), with what would be lowered as it is now. A limit where there was none is lower than none."""
    bounds = ~np.isnan(then[:, 1]) & (np.isnan(now[:, 1]) | (then[:, 1] < now[:, 1]))
    limit = np.where(bounds, now[:, 1], then[:, 1])
    held = reserved(now[:, 0], now[:, 1])
    lowers = reserved(then[:, 0], limit) < held
    # Where the limit alone reserved, and goes, the request takes its place.
    request = np.where(lowers, np.where(np.isnan(now[:, 0]) & np.isnan(limit), held, now[:, 0]), then[:, 0])
    return np.column_stack([request, limit])
