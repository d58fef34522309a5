"""Random rules and rows, and what cel-python's own interpreter says of them."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import celpy
from celpy import celtypes
from celpy.evaluation import CELEvalError

from upid.engine.rules.catalogue import FEATURES, Feature

NUMBERS: dict[str, list[Any]] = {
    "double": [0.0, 0.5, 1.0, 3.25, -1.5, -0.0, math.nan, math.inf, -math.inf, 1e-9, 1e12, 100.0],
    "int": [0, 1, 3, 7, -7, -1, 2**63 - 1, -(2**63), 100],
}
VALUES: dict[str, list[Any]] = NUMBERS | {"bool": [True, False], "string": ["", "shop", "Deployment", "a b", "Größe", "x'y"]}
TYPES = {"double": celtypes.DoubleType, "int": celtypes.IntType, "bool": celtypes.BoolType, "string": celtypes.StringType}
ENOUGH = 620
FEATURES_OF = {
    unit: [feature.name for feature in FEATURES if feature.unit == unit and feature.kind == "double"] for unit in ("cores", "bytes", "s")
}


def rows(seed: int = 11, count: int = ENOUGH) -> list[dict[str, Any]]:
    """Rows in which every feature has each of its values, is null and is missing."""
    made = random.Random(seed)
    found = []
    for index in range(count):
        row: dict[str, Any] = {}
        for place, feature in enumerate(FEATURES):
            values = [*VALUES[feature.kind], None, ...]
            # The first rows go through every value of every feature; the others mix them.
            value = values[(index + place) % len(values)] if index < 2 * len(values) else made.choice(values)
            if value is not ...:
                row[feature.name] = value
        found.append(row)
    return found


class Writer:
    """Writes random conditions as pairs: ours, and the same with integers beside doubles written as doubles."""

    def __init__(self, seed: int, *, with_has: bool = True) -> None:
        self.made = random.Random(seed)
        self.with_has = with_has

    def condition(self, depth: int = 3) -> tuple[str, str]:
        options = [self._comparison, self._comparison, self._comparison, self._text, self._one_of, self._flag]
        if depth > 0:
            options += [self._junction] * 5 + [self._negation, self._choice]
        return self.made.choice(options)(depth)

    def _feature(self, kind: str) -> Feature:
        return self.made.choice([feature for feature in FEATURES if feature.kind == kind])

    def _number(self, kind: str, depth: int) -> tuple[str, str]:
        if depth <= 0 or self.made.random() < 0.4:
            return (self._feature(kind).name,) * 2
        if kind == "double" and self.made.random() < 0.1:
            return (f"double({self._feature('int').name})",) * 2
        if kind == "double" and self.made.random() < 0.3:
            return self._sum()
        # What is multiplied or divided by itself keeps units out of the way: they are held elsewhere.
        (a, b), (c, d) = self._number(kind, depth - 1), self._number(kind, depth - 1)
        operator = self.made.choice("*/" if kind == "double" else "*/%+-")
        return f"({a} {operator} {c})", f"({b} {operator} {d})"

    def _sum(self) -> tuple[str, str]:
        """A sum or difference of two features of one unit, or its negative."""
        unit = FEATURES_OF[self.made.choice(list(FEATURES_OF))]
        sign, operator = self.made.choice(["", "-"]), self.made.choice("+-")
        return (f"({sign}({self.made.choice(unit)} {operator} {self.made.choice(unit)}))",) * 2

    def _comparison(self, depth: int) -> tuple[str, str]:
        kind = self.made.choice(["double", "double", "int"])
        left = self._number(kind, min(depth, 2))
        operator = self.made.choice(["<", "<=", ">", ">=", "==", "!="])
        if kind == "int":
            number = str(self.made.choice([0, 1, 2, -3]))
            return f"{left[0]} {operator} {number}", f"{left[1]} {operator} {number}"
        whole = self.made.choice([0, 1, 2])
        ours = self.made.choice([str(whole), f"{whole}.0"])
        return f"{left[0]} {operator} {ours}", f"{left[1]} {operator} {whole}.0"

    def _text(self, depth: int) -> tuple[str, str]:
        name = self._feature("string").name
        how = self.made.choice(["{} == 'shop'", '{} != "Größe"', "{}.startsWith('D')", "{}.endsWith('b')", "{}.contains('o')"])
        return (how.format(name),) * 2

    def _one_of(self, depth: int) -> tuple[str, str]:
        kind, ours, theirs = self.made.choice(
            [("string", "['shop', 'a b']", "['shop', 'a b']"), ("int", "[1, -7]", "[1, -7]"), ("double", "[1, 0.5]", "[1.0, 0.5]")]
        )
        name = self._feature(kind).name
        return f"{name} in {ours}", f"{name} in {theirs}"

    def _flag(self, depth: int) -> tuple[str, str]:
        dotted = [feature.name for feature in FEATURES if "." in feature.name]
        if self.with_has and self.made.random() < 0.5:
            return (f"has({self.made.choice(dotted)})",) * 2
        return (f"({self._feature('bool').name} == {self.made.choice(['true', 'false'])})",) * 2

    def _negation(self, depth: int) -> tuple[str, str]:
        ours, theirs = self.condition(depth - 1)
        return f"!({ours})", f"!({theirs})"

    def _junction(self, depth: int) -> tuple[str, str]:
        (a, b), (c, d) = self.condition(depth - 1), self.condition(depth - 1)
        operator = self.made.choice(["&&", "||"])
        return f"({a} {operator} {c})", f"({b} {operator} {d})"

    def _choice(self, depth: int) -> tuple[str, str]:
        parts = [self.condition(depth - 1) for _ in range(3)]
        return tuple("(({}) ? ({}) : ({}))".format(*(part[side] for part in parts)) for side in range(2))  # type: ignore[return-value] # two sides


def ieee_quotient(self: float, other: float) -> celtypes.DoubleType:
    """Divide as the language definition has it (IEEE 754): cel-python answers +inf for any division by zero."""
    a, b = float(self), float(other)
    if b != 0:
        return celtypes.DoubleType(a / b)
    if a == 0 or math.isnan(a):
        return celtypes.DoubleType(math.nan)
    return celtypes.DoubleType(math.copysign(math.inf, a) * math.copysign(1.0, b))


class Oracle:
    """cel-python's interpreter. A null is given to it as it is where `keeps_null`, else it is missing, as our language has it."""

    def __init__(self, text: str) -> None:
        environment = celpy.Environment()
        self.program = environment.program(environment.compile(text))

    def __call__(self, activation: Mapping[str, Any]) -> bool | None:
        """Return true, false, or None for an error."""
        try:
            return bool(self.program.evaluate(dict(activation)))
        except CELEvalError:
            return None


def activation(row: Mapping[str, Any], *, keeps_null: bool = False) -> dict[str, Any]:
    """Return a row as the interpreter reads it."""
    found: dict[str, Any] = {}
    for feature in FEATURES:
        group, _, member = feature.name.partition(".")
        holder = found.setdefault(group, celtypes.MapType({})) if member else found
        if feature.name not in row or (row[feature.name] is None and not keeps_null):
            continue
        value = row[feature.name]
        typed = None if value is None else TYPES[feature.kind](value)
        holder[celtypes.StringType(member) if member else group] = typed
    return found


def given(all_rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as a test of a rule takes them."""
    return [{"features": dict(row)} for row in all_rows]
