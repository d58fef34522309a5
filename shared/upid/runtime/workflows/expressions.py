"""Expressions of a payload template: a path, or an intrinsic function (`States.Format('{}', $.name)`) over paths, literals and functions."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from upid.runtime.workflows.faults import StatesError
from upid.runtime.workflows.intrinsics import ARITY, IntrinsicError, call
from upid.runtime.workflows.jsonpath import Path, parse, parse_prefix
from upid.runtime.workflows.paths import PathError, Scope

MOST_NESTED: Final = 10
_CALL: Final = re.compile(r"\s*(States\.[A-Za-z0-9]+)\s*\(")
_LITERAL: Final = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)\b)")
_WORDS: Final = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the expression; a text also as it is written there, since an escaped brace is only a brace to States.Format."""

    value: Any
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """An intrinsic function with its arguments."""

    name: str
    arguments: tuple[Literal | Path | Call, ...]


Expression = Literal | Path | Call


@dataclass(frozen=True, slots=True)
class View:
    """What expressions of a state see: the scope of paths, and chance that is the same when the state is run again."""

    scope: Scope
    chance: random.Random

    def evaluate(self, text: str) -> Any:
        """Return the value of a path or intrinsic; StatesError where a path names nothing or a function fails."""
        try:
            return self._value(parse_expression(text))
        except PathError as error:
            raise StatesError("States.ParameterPathFailure", str(error)) from error
        except IntrinsicError as error:
            raise StatesError("States.IntrinsicFailure", f"{text}: {error}") from error

    def fill(self, template: Any) -> Any:
        """Return a payload template with every `name.$` replaced by the value of its expression."""
        if isinstance(template, dict):
            return dict(self._member(name, value) for name, value in template.items())
        return [self.fill(item) for item in template] if isinstance(template, list) else template

    def read(self, text: str) -> Any:
        """Return the value at a path of a field such as InputPath; States.Runtime where it names nothing."""
        try:
            return self.scope.read(text)
        except PathError as error:
            raise StatesError("States.Runtime", str(error)) from error

    def over(self, data: Any, context: Mapping[str, Any] | None = None) -> View:
        """Return the same view over other data."""
        return View(Scope(data, self.scope.context if context is None else context, self.scope.variables), self.chance)

    def _member(self, name: str, value: Any) -> tuple[str, Any]:
        return (name[:-2], self.evaluate(value)) if name.endswith(".$") else (name, self.fill(value))

    def _value(self, expression: Expression) -> Any:
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, Path):
            return self.scope.read(expression.text)
        values = [self._value(argument) for argument in expression.arguments]
        if expression.name == "States.Format" and isinstance(values[0], str):
            first = expression.arguments[0]
            values[0] = first.raw if isinstance(first, Literal) else values[0].replace("\\", "\\\\")
        return call(expression.name, values, self.chance)


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Return a parsed path or intrinsic; ValueError that says what in it is not known."""
    if text.startswith("$"):
        return parse(text)
    expression, end = _call(text, 0, 1)
    if text[end:].strip():
        raise ValueError(f"{text!r}: {text[end:]!r} is not known in an expression.")
    return expression


def _call(text: str, at: int, depth: int) -> tuple[Call, int]:
    found = _CALL.match(text, at)
    if not found or found[1] not in ARITY:
        raise ValueError(f"{text!r}: neither a path nor an intrinsic function is at {text[at:]!r}.")
    if depth > MOST_NESTED:
        raise ValueError(f"{text!r}: functions are nested deeper than {MOST_NESTED}.")
    arguments, end = _arguments(text, found.end(), depth)
    least, most = ARITY[found[1]]
    if not least <= len(arguments) <= most:
        raise ValueError(f"{text!r}: {found[1]} does not take {len(arguments)} arguments.")
    return Call(found[1], tuple(arguments)), end


def _arguments(text: str, at: int, depth: int) -> tuple[list[Expression], int]:
    arguments: list[Expression] = []
    at = _skip(text, at)
    if text[at : at + 1] == ")":
        return arguments, at + 1
    while True:
        argument, at = _argument(text, _skip(text, at), depth)
        arguments.append(argument)
        at = _skip(text, at)
        if text[at : at + 1] == ")":
            return arguments, at + 1
        if text[at : at + 1] != ",":
            raise ValueError(f"{text!r}: `,` or `)` is expected at {text[at:]!r}.")
        at += 1


def _argument(text: str, at: int, depth: int) -> tuple[Expression, int]:
    if text[at : at + 1] == "$":
        return parse_prefix(text, at)
    literal = _LITERAL.match(text, at)
    if not literal:
        return _call(text, at, depth + 1)
    raw, number, word = literal.groups()
    if raw is not None:
        return Literal(re.sub(r"\\(.)", r"\1", raw), raw), literal.end()
    if number is not None:
        return Literal(float(number) if set(number) & set(".eE") else int(number)), literal.end()
    return Literal(_WORDS[word]), literal.end()


def _skip(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at
