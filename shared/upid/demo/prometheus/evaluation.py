"""Works out an expression at a row of moments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from upid.demo.prometheus.family import Family, Floats
from upid.demo.prometheus.joining import Vector, joined
from upid.demo.prometheus.matching import matched
from upid.demo.prometheus.samples import Windows
from upid.demo.prometheus.syntax import Aggregation, Binary, Call, Expression, Number, QueryError, Relabel, Selector

LOOKBACK_SECONDS: Final = 300.0
KEEP_NAME: Final = frozenset({"last_over_time"})


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One query over its moments. `now`: nothing is known of what comes after it."""

    families: Mapping[str, list[Family]]
    cell_seconds: int
    times: Floats
    now: float

    def of(self, expression: Expression) -> Vector | float:
        """Return the series (NaN = no sample) or the number that an expression stands for; QueryError for what is not supported."""
        match expression:
            case Number():
                return expression.value
            case Selector():
                if expression.range_seconds:
                    raise QueryError('invalid expression type "range vector" for range query, must be Scalar or instant Vector')
                return self._over(expression, "last_over_time", LOOKBACK_SECONDS)
            case Call():
                return self._over(expression.selector, expression.function, expression.selector.range_seconds)
            case Relabel():
                return self._relabelled(expression)
            case Aggregation():
                return self._aggregated(expression)
            case Binary():
                return joined(expression, self.of(expression.left), self.of(expression.right))

    def _over(self, selector: Selector, function: str, span_seconds: float) -> Vector:
        times = self.times if selector.at is None else np.full(len(self.times), selector.at)
        windows = Windows(times - selector.offset_seconds, span_seconds, self.cell_seconds, self.now)
        labels: list[dict[str, str]] = []
        values: list[Floats] = []
        for family, matching in matched(self.families, selector):
            rows = windows.reached(family, matching)
            found = windows.over(family, rows, function)
            some = ~np.isnan(found).all(axis=1)
            labels += [family.labels[row] for row in rows[some]]
            values.append(found[some])
        if function not in KEEP_NAME:
            labels = [{key: value for key, value in own.items() if key != "__name__"} for own in labels]
        return Vector(labels, np.concatenate(values) if values else np.empty((0, len(times))))

    def _relabelled(self, expression: Relabel) -> Vector:
        inside = self.of(expression.of)
        if not isinstance(inside, Vector):
            raise QueryError("expected type instant vector in call to function 'label_replace', got scalar")
        pattern, label = re.compile(expression.pattern, re.DOTALL), expression.label
        replacement = re.sub(r"\$(\d)", r"\\\1", expression.replacement)
        made = [(own, pattern.fullmatch(own.get(expression.source, ""))) for own in inside.labels]
        return Vector([own | {label: found.expand(replacement)} if found else own for own, found in made], inside.values)

    def _aggregated(self, expression: Aggregation) -> Vector:
        inside = self.of(expression.of)
        if not isinstance(inside, Vector):
            raise QueryError(f"expected type instant vector in aggregation expression, got scalar in {expression.operator}")
        groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for row, own in enumerate(inside.labels):
            groups.setdefault(_group(own, expression.labels, without=expression.without), []).append(row)
        values = [_reduced(expression, inside.values[rows]) for rows in groups.values()]
        return Vector([dict(group) for group in groups], np.array(values).reshape(len(groups), len(self.times)))


def _group(labels: Mapping[str, str], names: Iterable[str], *, without: bool) -> tuple[tuple[str, str], ...]:
    if without:
        left_out = {"__name__", *names}
        return tuple(sorted((key, value) for key, value in labels.items() if key not in left_out))
    return tuple((name, labels[name]) for name in sorted(names) if name in labels)


def _reduced(expression: Aggregation, values: Floats) -> Floats:
    there = ~np.isnan(values)
    count = there.sum(axis=0).astype(np.float64)
    match expression.operator:
        case "sum" | "avg":
            out = np.where(there, values, 0.0).sum(axis=0) / (np.maximum(count, 1.0) if expression.operator == "avg" else 1.0)
        case "max":
            out = np.where(there, values, -np.inf).max(axis=0)
        case "min":
            out = np.where(there, values, np.inf).min(axis=0)
        case "count":
            out = count
        case "quantile":
            out = np.nanquantile(np.where(count > 0, values, 0.0), expression.parameter, axis=0)
        case _:
            out = np.ones_like(count)
    return np.where(count > 0, out, np.nan)
