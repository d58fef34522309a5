"""Two sides of a binary operator, matched by labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.demo.prometheus.family import Floats
from upid.demo.prometheus.syntax import COMPARISONS, SETS, Binary, QueryError

Key = tuple[tuple[str, str], ...]
Booleans = NDArray[np.bool_]
_COMPARE: Final[dict[str, Callable[[Floats, Floats], Booleans]]] = {
    "==": np.equal, "!=": np.not_equal, ">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal,
}  # fmt: skip
_COUNT: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


@dataclass(frozen=True, slots=True)
class Vector:
    """Series by labels; `values` has shape (series, moments), NaN = no sample."""

    labels: list[dict[str, str]]
    values: Floats


def joined(expression: Binary, left: Vector | float, right: Vector | float) -> Vector | float:
    """Return what an operator makes of its two sides; QueryError where the labels do not match one to one as asked."""
    if expression.operator in SETS:
        return _set(expression, left, right)
    if isinstance(left, float) and isinstance(right, float):
        return float(_values(expression, np.array(left), np.array(right)))
    if isinstance(left, Vector) and isinstance(right, Vector):
        return _matched(expression, left, right)
    vector = left if isinstance(left, Vector) else right
    assert isinstance(vector, Vector)
    one, other = (left.values if isinstance(left, Vector) else left), (right.values if isinstance(right, Vector) else right)
    values = _values(expression, np.asarray(one, float), np.asarray(other, float))
    if expression.operator in COMPARISONS and not expression.is_bool:
        return _present(vector.labels, np.where(np.isnan(values), np.nan, vector.values))
    return _present([_bare(own) for own in vector.labels], values)


def _set(expression: Binary, left: Vector | float, right: Vector | float) -> Vector:
    if not isinstance(left, Vector) or not isinstance(right, Vector):
        raise QueryError(f'set operator "{expression.operator}" not allowed in binary scalar expression')
    here = _present_at(expression, right, left)
    if expression.operator != "or":
        wanted = here if expression.operator == "and" else ~here
        return _present(left.labels, np.where(wanted, left.values, np.nan))
    there = _present_at(expression, left, right)
    return _present(left.labels + right.labels, np.concatenate([left.values, np.where(there, np.nan, right.values)]))


def _present_at(expression: Binary, of: Vector, for_each: Vector) -> Booleans:
    """Tell at which moments each series of one side has a match in the other."""
    groups: dict[Key, Booleans] = {}
    for own, values in zip(of.labels, of.values, strict=True):
        key = _key(expression, own)
        groups[key] = groups.get(key, np.zeros(values.shape, bool)) | ~np.isnan(values)
    none = np.zeros(for_each.values.shape[1:], bool)
    rows = [groups.get(_key(expression, own), none) for own in for_each.labels]
    return np.array(rows, bool).reshape(for_each.values.shape)


def _matched(expression: Binary, left: Vector, right: Vector) -> Vector:
    many, one = (right, left) if expression.many == "right" else (left, right)
    places: dict[Key, int] = {}
    for row, own in enumerate(one.labels):
        key = _key(expression, own)
        if key in places:
            raise QueryError(
                "found duplicate series for the match group on the right hand-side of the operation: many-to-many matching not allowed"
            )
        places[key] = row
    pairs = [(row, places[key]) for row, key in enumerate(_key(expression, own) for own in many.labels) if key in places]
    if not expression.many and len({other for _, other in pairs}) < len(pairs):
        raise QueryError("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
    rows, others = [row for row, _ in pairs], [other for _, other in pairs]
    sides = (many.values[rows], one.values[others])
    values = _values(expression, *(sides[::-1] if expression.many == "right" else sides))
    return _present([_result(expression, many.labels[row], one.labels[other]) for row, other in pairs], values)


def _result(expression: Binary, many: dict[str, str], one: dict[str, str]) -> dict[str, str]:
    own = many if expression.operator in COMPARISONS and not expression.is_bool else _bare(many)
    if not expression.many:
        own = {k: v for k, v in own.items() if (k in expression.on if expression.on is not None else k not in expression.ignoring)}
    return own | {label: one[label] for label in expression.taken if label in one}


def _values(expression: Binary, left: Floats, right: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        if expression.operator in _COUNT:
            return _COUNT[expression.operator](left, right)
        held = _COMPARE[expression.operator](left, right)
    missing = np.isnan(left) | np.isnan(right)
    return np.where(missing, np.nan, held.astype(float)) if expression.is_bool else np.where(held & ~missing, left, np.nan)


def _key(expression: Binary, labels: dict[str, str]) -> Key:
    if expression.on is not None:
        return tuple((name, labels.get(name, "")) for name in sorted(expression.on))
    left_out = {"__name__", *expression.ignoring}
    return tuple(sorted((key, value) for key, value in labels.items() if key not in left_out))


def _bare(labels: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if key != "__name__"}


def _present(labels: list[dict[str, str]], values: Floats) -> Vector:
    some = np.flatnonzero(~np.isnan(values).all(axis=1)) if values.size else np.empty(0, np.intp)
    return Vector([labels[row] for row in some], values[some])
