"""The tree that a rule's condition is, evaluated over columns.

Types are right before a tree is built (`upid.services.rules.checking`), so evaluation meets no wrong ones. A tree has no loop and no function that a user
could write: its cost is its number of nodes times the number of rows. Semantics are those of the Common Expression Language [1]_: `error || true` is true,
`error && false` is false, any other operation on an error is one; doubles follow IEEE 754, integers are 64 bits wide and overflow into an error.

References
----------
.. [1] "Common Expression Language, language definition," github.com/google/cel-spec/blob/master/doc/langdef.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

import numpy as np

from upid.engine.rules.columns import Array, Bools, Column, FeatureTable
from upid.engine.rules.integers import INTEGERS, negated

Kind = Literal["bool", "int", "double", "string"]


class Node(Protocol):
    """A part of an expression."""

    def evaluate(self, table: FeatureTable) -> Column:
        """Return what it is for each row of the table, or once for all rows."""
        ...


def _float(function: Callable[..., Any]) -> Callable[[Array, Array], tuple[Array, Bools]]:
    def apply(a: Array, b: Array) -> tuple[Array, Bools]:
        """Return the result, which is never an error."""
        with np.errstate(all="ignore"):
            result = np.asarray(function(a, b))
        return result, np.zeros(result.shape, dtype=bool)

    return apply


DOUBLES: Final = MappingProxyType({"+": _float(np.add), "-": _float(np.subtract), "*": _float(np.multiply), "/": _float(np.divide)})
COMPARISONS: Final[MappingProxyType[str, Callable[[Array, Array], Any]]] = MappingProxyType(
    {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}
)
TEXT_TESTS: Final[MappingProxyType[str, Callable[[str, str], bool]]] = MappingProxyType(
    {"startsWith": str.startswith, "endsWith": str.endswith, "contains": str.__contains__}
)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the text."""

    value: bool | int | float | str

    def evaluate(self, table: FeatureTable) -> Column:
        """Return it."""
        del table
        return Column(np.asarray(self.value), np.zeros((), dtype=bool))


@dataclass(frozen=True, slots=True)
class FeatureOf:
    """A feature of the row."""

    name: str

    def evaluate(self, table: FeatureTable) -> Column:
        """Return its column."""
        return table.columns[self.name]


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a feature is there."""

    name: str

    def evaluate(self, table: FeatureTable) -> Column:
        """Return true or false, never an error."""
        errors = table.columns[self.name].errors
        return Column(~errors, np.zeros(errors.shape, dtype=bool))


@dataclass(frozen=True, slots=True)
class Not:
    """The other truth value."""

    operand: Node

    def evaluate(self, table: FeatureTable) -> Column:
        """Return it; an error stays one."""
        column = self.operand.evaluate(table)
        return Column(~column.values.astype(bool), column.errors)


@dataclass(frozen=True, slots=True)
class Negative:
    """The number with the other sign."""

    operand: Node
    kind: Kind

    def evaluate(self, table: FeatureTable) -> Column:
        """Return it; the least integer has none."""
        column = self.operand.evaluate(table)
        if self.kind == "double":
            return Column(-column.values.astype(np.float64), column.errors)
        values, overflow = negated(column.values)
        return Column(values, column.errors | overflow)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * /` of two doubles, `+ - * / %` of two integers (division towards zero)."""

    operator: str
    left: Node
    right: Node
    kind: Kind

    def evaluate(self, table: FeatureTable) -> Column:
        """Return the result; integers err on overflow and on division by zero."""
        left, right = self.left.evaluate(table), self.right.evaluate(table)
        operations = DOUBLES if self.kind == "double" else INTEGERS
        dtype = np.float64 if self.kind == "double" else np.int64
        values, wrong = operations[self.operator](left.values.astype(dtype), right.values.astype(dtype))
        return Column(values, left.errors | right.errors | wrong)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`< <= > >= == !=` of two values of one type."""

    operator: str
    left: Node
    right: Node

    def evaluate(self, table: FeatureTable) -> Column:
        """Return whether it holds; NaN equals nothing and is neither below nor above."""
        left, right = self.left.evaluate(table), self.right.evaluate(table)
        errors = left.errors | right.errors
        with np.errstate(invalid="ignore"):
            return Column(np.asarray(COMPARISONS[self.operator](left.values, right.values)), errors)


@dataclass(frozen=True, slots=True)
class Both:
    """`&&`: false where either side is false, whatever the other; else an error where either is one."""

    left: Node
    right: Node

    def evaluate(self, table: FeatureTable) -> Column:
        """Return it in three-valued logic."""
        left, right = self.left.evaluate(table), self.right.evaluate(table)
        no = (~left.values.astype(bool) & ~left.errors) | (~right.values.astype(bool) & ~right.errors)
        return Column(~no, (left.errors | right.errors) & ~no)


@dataclass(frozen=True, slots=True)
class Either:
    """`||`: true where either side is true, whatever the other; else an error where either is one."""

    left: Node
    right: Node

    def evaluate(self, table: FeatureTable) -> Column:
        """Return it in three-valued logic."""
        left, right = self.left.evaluate(table), self.right.evaluate(table)
        yes = (left.values.astype(bool) & ~left.errors) | (right.values.astype(bool) & ~right.errors)
        return Column(yes, (left.errors | right.errors) & ~yes)


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? first : second`."""

    condition: Node
    first: Node
    second: Node

    def evaluate(self, table: FeatureTable) -> Column:
        """Return the chosen side; what the other one is does not matter."""
        condition, first, second = (node.evaluate(table) for node in (self.condition, self.first, self.second))
        chosen = condition.values.astype(bool)
        values = np.where(chosen, first.values, second.values)
        return Column(values, condition.errors | np.where(chosen, first.errors, second.errors))


@dataclass(frozen=True, slots=True)
class OneOf:
    """`operand in [constants]`."""

    operand: Node
    values: tuple[bool | int | float | str, ...]

    def evaluate(self, table: FeatureTable) -> Column:
        """Return whether it equals one of them."""
        column = self.operand.evaluate(table)
        found = np.zeros(column.values.shape, dtype=bool)
        for value in self.values:
            found |= column.values == value
        return Column(found, column.errors)


@dataclass(frozen=True, slots=True)
class TextTest:
    """`startsWith`, `endsWith` and `contains` of a text with a constant."""

    function: str
    operand: Node
    argument: str

    def evaluate(self, table: FeatureTable) -> Column:
        """Return whether it does."""
        column = self.operand.evaluate(table)
        test = TEXT_TESTS[self.function]
        found = [test(str(text), self.argument) for text in column.values.ravel()]
        return Column(np.array(found, dtype=bool).reshape(column.values.shape), column.errors)


@dataclass(frozen=True, slots=True)
class AsDouble:
    """`double(integer)`, and an integer constant where a double is wanted."""

    operand: Node

    def evaluate(self, table: FeatureTable) -> Column:
        """Return the nearest double."""
        column = self.operand.evaluate(table)
        return Column(column.values.astype(np.float64), column.errors)


def fires(node: Node, table: FeatureTable) -> tuple[Bools, Bools]:
    """Return on which rows a condition holds, and where it can not be told (never both), shape (rows,)."""
    column = node.evaluate(table)
    errors = np.broadcast_to(column.errors, (table.rows,))
    return np.broadcast_to(column.values.astype(bool), (table.rows,)) & ~errors, errors.copy()
