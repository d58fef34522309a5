"""From CEL text to a tree that can be evaluated: every name, type and unit is checked before anything runs."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from upid.engine.rules.catalogue import BY_NAME, FEATURES, Kind
from upid.engine.rules.expressions import (
    Arithmetic,
    AsDouble,
    Both,
    Choice,
    Comparison,
    Constant,
    Either,
    FeatureOf,
    Has,
    Negative,
    Node,
    Not,
    OneOf,
    TextTest,
)
from upid.services.rules.faults import ExpressionError, Fault, Position, refuse
from upid.services.rules.syntax import Syntax, read
from upid.services.rules.texts import text_of
from upid.services.rules.units import NUMBER, Unit

FUNCTIONS: Final = {
    "has(feature)": "whether the feature is there",
    "double(int)": "the integer as a double",
    "text.startsWith(text)": "whether it begins with a constant",
    "text.endsWith(text)": "whether it ends with a constant",
    "text.contains(text)": "whether a constant is in it",
}
MACROS: Final = frozenset({".all", ".exists", ".exists_one", ".map", ".filter", ".min", ".reduce"})
NUMERIC: Final = frozenset({"int", "double"})
WORDS: Final = {"bool": "true or false", "int": "an integer", "double": "a double", "string": "a text"}


@dataclass(frozen=True, slots=True)
class Typed:
    """A part of an expression with its type and unit. `unit` None: of constants alone, so it takes the unit beside it. `literal`: a constant's text."""

    node: Node
    kind: Kind
    unit: Unit | None
    position: Position
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression that can be evaluated, the features it reads, and what could be written better."""

    node: Node
    kind: Kind
    features: tuple[str, ...]
    hints: tuple[Fault, ...]


@lru_cache(maxsize=4096)
def check(text: str) -> Checked:
    """Return a condition; ExpressionError with position and reason for a text that is none."""
    checker = Checker()
    found = checker.check(read(text))
    if found.kind != "bool":
        raise refuse("wrong_type", f"A condition is true or false; this is {WORDS[found.kind]}.", found.position)
    return Checked(found.node, found.kind, tuple(sorted(checker.features)), tuple(checker.hints))


def faults_of(text: str) -> tuple[Fault, ...]:
    """Return what is wrong with a condition, nothing where it can be evaluated."""
    try:
        check(text)
    except ExpressionError as error:
        return (error.fault,)
    return ()


@dataclass(slots=True)
class Checker:
    """Checks one expression, and gathers what it reads."""

    features: set[str] = field(default_factory=set)
    hints: list[Fault] = field(default_factory=list)

    def check(self, syntax: Syntax) -> Typed:  # noqa: PLR0911 one return for each operation reads best
        """Return a part with its type."""
        place = syntax.position
        match syntax.name:
            case "literal":
                return _literal(syntax)
            case "name":
                return self._feature(syntax)
            case "call":
                return self._call(syntax)
            case "list":
                raise refuse("not_supported", "A list stands only behind `in`.", place)
            case "!":
                return Typed(Not(self._bool(syntax.parts[0]).node), "bool", None, place)
            case "negative":
                operand = self._number(self.check(syntax.parts[0]), "-")
                literal = None if operand.literal is None else f"-{operand.literal}"
                return replace(operand, node=Negative(operand.node, operand.kind), position=place, literal=literal)
            case "&&":
                return Typed(Both(*(self._bool(part).node for part in syntax.parts)), "bool", None, place)
            case "||":
                return Typed(Either(*(self._bool(part).node for part in syntax.parts)), "bool", None, place)
        return self._of_two(syntax)

    def _of_two(self, syntax: Syntax) -> Typed:
        match syntax.name:
            case "?":
                return self._choice(syntax)
            case "in":
                return self._member(syntax)
            case "<" | "<=" | ">" | ">=" | "==" | "!=":
                return self._comparison(syntax)
        return self._arithmetic(syntax)

    def _feature(self, syntax: Syntax) -> Typed:
        feature = BY_NAME.get(syntax.text)
        if feature is None:
            near = difflib.get_close_matches(syntax.text, BY_NAME, n=1, cutoff=0.5)
            groups = [each.name for each in FEATURES if each.name.startswith(f"{syntax.text}.")]
            told = f"; {syntax.text} has {', '.join(groups[:5])} ..." if groups else ""
            raise refuse("unknown_feature", f"There is no feature {syntax.text}{told}.", syntax.position, next(iter(near or groups), None))
        self.features.add(feature.name)
        return Typed(FeatureOf(feature.name), feature.kind, Unit.of(feature.unit), syntax.position)

    def _call(self, syntax: Syntax) -> Typed:
        function, arguments, place = syntax.text, syntax.parts, syntax.position
        if function == "has" and len(arguments) == 1 and arguments[0].name == "name":
            self._feature(arguments[0])
            return Typed(Has(arguments[0].text), "bool", None, place)
        if function == "double" and len(arguments) == 1:
            operand = self._number(self.check(arguments[0]), "double()")
            return replace(operand, node=AsDouble(operand.node), kind="double", position=place, literal=None)
        if function in {".startsWith", ".endsWith", ".contains"} and len(arguments) == 2:
            text, argument = self.check(arguments[0]), self.check(arguments[1])
            if text.kind != "string" or not isinstance(argument.node, Constant) or not isinstance(argument.node.value, str):
                raise refuse("wrong_type", f"{function[1:]} is of a text and takes a constant text.", place)
            return Typed(TextTest(function[1:], text.node, argument.node.value), "bool", None, place)
        what = "macros" if function in MACROS else f"function {function.removeprefix('.')} of {len(arguments)} arguments"
        raise refuse("unknown_function", f"Rules have no {what}: there is {', '.join(FUNCTIONS)}.", place)

    def _bool(self, syntax: Syntax) -> Typed:
        found = self.check(syntax)
        if found.kind != "bool":
            raise refuse("wrong_type", f"This must be true or false; it is {WORDS[found.kind]}.", found.position)
        return found

    def _number(self, operand: Typed, operator: str) -> Typed:
        if operand.kind not in NUMERIC:
            raise refuse("wrong_type", f"`{operator}` takes numbers; this is {WORDS[operand.kind]}.", operand.position)
        return operand

    def _alike(self, left: Typed, right: Typed, operator: str) -> tuple[Typed, Typed]:
        """Return both of one type: an integer constant beside a double becomes one."""
        if left.kind == right.kind:
            return left, right
        if {left.kind, right.kind} != NUMERIC:
            raise refuse("wrong_type", f"`{operator}` can not take {WORDS[left.kind]} and {WORDS[right.kind]}.", right.position)
        integer = left if left.kind == "int" else right
        if integer.literal is None:
            named = integer.node.name if isinstance(integer.node, FeatureOf) else "..."
            suggestion = "2.0 instead of 2" if integer.unit is None else f"double({named})"
            detail = f"`{operator}` takes two integers or two doubles: write constants as 2.0, not 2, or make the integer a double."
            raise refuse("wrong_type", detail, integer.position, suggestion)
        written = f"{integer.literal}.0"
        self.hints.append(Fault("wrong_type", f"The integer {integer.literal} is taken as {written}.", integer.position, written))
        whole = replace(integer, node=AsDouble(integer.node), kind="double", literal=written)
        return (whole, right) if integer is left else (left, whole)

    def _same_unit(self, left: Typed, right: Typed, operator: str) -> Unit | None:
        if left.unit is not None and right.unit is not None and left.unit != right.unit:
            raise refuse("unit_mismatch", f"`{operator}` can not take {left.unit} and {right.unit}.", right.position)
        return left.unit if left.unit is not None else right.unit

    def _comparison(self, syntax: Syntax) -> Typed:
        left, right = self._alike(self.check(syntax.parts[0]), self.check(syntax.parts[1]), syntax.name)
        if syntax.name not in {"==", "!="}:
            self._number(left, syntax.name)
        self._same_unit(left, right, syntax.name)
        return Typed(Comparison(syntax.name, left.node, right.node), "bool", None, syntax.position)

    def _arithmetic(self, syntax: Syntax) -> Typed:
        operator = syntax.name
        left, right = (self._number(self.check(part), operator) for part in syntax.parts)
        left, right = self._alike(left, right, operator)
        if operator == "%" and left.kind == "double":
            raise refuse("wrong_type", "`%` takes integers.", syntax.position)
        node = Arithmetic(operator, left.node, right.node, left.kind)
        if operator in {"*", "/"}:
            constant = left.unit is None and right.unit is None
            unit = None if constant else (left.unit or NUMBER).times(right.unit or NUMBER, 1 if operator == "*" else -1)
        else:
            unit = self._same_unit(left, right, operator)
        return Typed(node, left.kind, unit, left.position)

    def _choice(self, syntax: Syntax) -> Typed:
        condition = self._bool(syntax.parts[0])
        first, second = self._alike(self.check(syntax.parts[1]), self.check(syntax.parts[2]), "?:")
        unit = self._same_unit(first, second, "?:")
        return Typed(Choice(condition.node, first.node, second.node), first.kind, unit, syntax.position)

    def _member(self, syntax: Syntax) -> Typed:
        operand, listed = self.check(syntax.parts[0]), syntax.parts[1]
        if listed.name != "list":
            raise refuse("wrong_type", "`in` takes a list of constants, such as ['Job', 'CronJob'].", listed.position)
        values = [self._constant(part, operand) for part in listed.parts]
        return Typed(OneOf(operand.node, tuple(values)), "bool", None, syntax.position)

    def _constant(self, syntax: Syntax, operand: Typed) -> Any:
        found = self.check(syntax)
        if found.literal is None:
            raise refuse("not_supported", "A list holds constants.", found.position)
        _, alike = self._alike(operand, found, "in") if operand.literal is None else (operand, found)
        if alike.kind != operand.kind:
            raise refuse("wrong_type", f"The list is of {WORDS[operand.kind]}; this is {WORDS[found.kind]}.", found.position)
        value = _value(found.node)
        return float(value) if alike.kind == "double" else value


def _value(node: Node) -> Any:
    if isinstance(node, Negative):
        return -_value(node.operand)
    return node.value if isinstance(node, Constant) else None


def _literal(syntax: Syntax) -> Typed:
    terminal, _, text = syntax.text.partition(" ")
    place = syntax.position
    match terminal:
        case "BOOL_LIT":
            return Typed(Constant(text == "true"), "bool", None, place, text)
        case "INT_LIT":
            number = int(text, 16 if "x" in text else 10)
            if not -(2**63) <= number < 2**63:
                raise refuse("number_out_of_range", "An integer has 64 bits.", place)
            return Typed(Constant(number), "int", None, place, text)
        case "FLOAT_LIT":
            if not math.isfinite(float(text)):
                raise refuse("number_out_of_range", "This number is too large for a double.", place)
            return Typed(Constant(float(text)), "double", None, place, text)
        case "STRING_LIT" | "MLSTRING_LIT":
            return Typed(Constant(text_of(text, place)), "string", None, place, text)
        case "NULL_LIT":
            raise refuse("not_supported", "A null is a missing value here: write !has(feature).", place, "!has(feature)")
    what = "Unsigned integers" if terminal == "UINT_LIT" else "Bytes"
    raise refuse("not_supported", f"{what} are not supported.", place, text.rstrip("uU") if terminal == "UINT_LIT" else None)
