"""Text to expression: the part of PromQL's grammar that `syntax` has."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

import orjson

from upid.demo.prometheus.syntax import (
    AGGREGATIONS,
    ARITHMETIC,
    COMPARISONS,
    RANGE_FUNCTIONS,
    SETS,
    Aggregation,
    Binary,
    Call,
    Expression,
    Matcher,
    Number,
    QueryError,
    Relabel,
    Selector,
)
from upid.domain.times import parse_duration

_TOKEN: Final = re.compile(
    r"""(?:
    (?P<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
    |(?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<sign>=~|!~|==|!=|>=|<=|[-+*/=<>(){}\[\],@])
    )""",
    re.VERBOSE,
)
_SPACE: Final = re.compile(r"(?:\s+|#[^\n]*)*")
_LEVELS: Final = (frozenset({"or"}), frozenset({"and", "unless"}), COMPARISONS, frozenset({"+", "-"}), frozenset({"*", "/"}))
_OPERATORS: Final = SETS | COMPARISONS | ARITHMETIC


class Token(NamedTuple):
    """A piece of the text."""

    kind: str
    text: str


class Parser:
    """Reads one query. `start` and `end` stand for `@ start()` and `@ end()`."""

    def __init__(self, text: str, *, start: float = 0.0, end: float = 0.0) -> None:
        self._tokens = _tokens(text)
        self._position = 0
        self._bounds = {"start": start, "end": end}

    def parse(self) -> Expression:
        """Return the whole text's expression; QueryError where it has none."""
        expression = self._binary(0)
        if self._peek().kind != "end":
            raise QueryError(f"unexpected {self._peek().text!r}")
        return expression

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek().text in _LEVELS[level] and self._peek().kind in {"sign", "name"}:
            operator = self._next().text
            matching = self._matching(operator)
            left = replace(matching, left=left, right=self._binary(level + 1))
        return left

    def _matching(self, operator: str) -> Binary:
        joined = Binary(operator, Number(0.0), Number(0.0), is_bool=self._take("bool"))
        if self._take("on"):
            joined = replace(joined, on=self._names())
        elif self._take("ignoring"):
            joined = replace(joined, ignoring=self._names())
        for side in ("left", "right"):
            if self._take(f"group_{side}"):
                joined = replace(joined, many=side, taken=self._names() if self._peek().text == "(" else ())
        return joined

    def _unary(self) -> Expression:
        if self._take("-"):
            return Binary("*", Number(-1.0), self._unary())
        self._take("+")
        return self._modified(self._primary())

    def _primary(self) -> Expression:
        token = self._next()
        if token.text == "(":
            inside = self._binary(0)
            self._expect(")")
            return inside
        if token.kind == "number":
            return Number(float(int(token.text, 16)) if token.text.startswith("0x") else float(token.text))
        if token.text == "{":
            return self._selector(())
        if token.kind != "name" or token.text in _OPERATORS:
            raise QueryError(f"unexpected {token.text or 'end of input'!r}")
        if token.text in AGGREGATIONS and self._peek().text in {"(", "by", "without"}:
            return self._aggregation(token.text)
        if self._peek().text == "(":
            return self._call(token.text)
        named = (Matcher("__name__", "=", token.text),)
        return self._selector(named) if self._take("{") else Selector(named)

    def _call(self, function: str) -> Expression:
        self._expect("(")
        if function == "vector":
            inside = self._binary(0)
            self._expect(")")
            return inside
        if function == "label_replace":
            return self._relabel()
        if function not in RANGE_FUNCTIONS:
            raise QueryError(f"unknown function with name {function!r}")
        selector = self._binary(0)
        self._expect(")")
        if not isinstance(selector, Selector) or not selector.range_seconds:
            raise QueryError(f"expected type range vector in call to function {function!r}")
        return Call(function, selector)

    def _relabel(self) -> Expression:
        inside, words = self._binary(0), []
        for _ in range(4):
            self._expect(",")
            token = self._next()
            if token.kind != "string":
                raise QueryError("expected type string in call to function 'label_replace'")
            words.append(_unquoted(token.text))
        self._expect(")")
        return Relabel(inside, *words)

    def _aggregation(self, operator: str) -> Expression:
        grouping = self._grouping()
        self._expect("(")
        parameter = 0.0
        if operator == "quantile":
            share = self._binary(0)
            if not isinstance(share, Number):
                raise QueryError("expected type scalar in aggregation parameter")
            parameter = share.value
            self._expect(",")
        inside = self._binary(0)
        self._expect(")")
        labels, without = grouping or self._grouping() or ((), False)
        return Aggregation(operator, inside, labels, without, parameter)

    def _grouping(self) -> tuple[tuple[str, ...], bool] | None:
        for word, without in (("by", False), ("without", True)):
            if self._take(word):
                return self._names(), without
        return None

    def _names(self) -> tuple[str, ...]:
        self._expect("(")
        names = []
        while not self._take(")"):
            token = self._next()
            if token.kind != "name":
                raise QueryError(f"unexpected {token.text!r} in a list of labels")
            names.append(token.text)
            if self._peek().text != ")":
                self._expect(",")
        return tuple(names)

    def _selector(self, named: tuple[Matcher, ...]) -> Selector:
        matchers = list(named)
        while not self._take("}"):
            label, sign, value = self._next(), self._next(), self._next()
            if label.kind != "name" or sign.text not in {"=", "!=", "=~", "!~"} or value.kind != "string":
                raise QueryError(f"unexpected {sign.text!r} in label matching")
            matchers.append(Matcher(label.text, sign.text, _unquoted(value.text)))
            if self._peek().text != "}":
                self._expect(",")
        if all(m.sign.startswith("!") or not m.value for m in matchers):
            raise QueryError("vector selector must contain at least one non-empty matcher")
        return Selector(tuple(matchers))

    def _modified(self, expression: Expression) -> Expression:
        while self._peek().text in {"[", "offset", "@"} and self._peek().kind in {"sign", "name"}:
            sign = self._next().text
            if not isinstance(expression, Selector):
                raise QueryError(f"{sign!r} is supported behind a selector only")
            if sign == "[":
                expression = replace(expression, range_seconds=self._duration())
                self._expect("]")
            elif sign == "offset":
                expression = replace(expression, offset_seconds=self._duration())
            else:
                expression = replace(expression, at=self._moment())
        return expression

    def _moment(self) -> float:
        token = self._next()
        if token.kind == "number":
            return float(token.text)
        if token.text in self._bounds:
            self._expect("(")
            self._expect(")")
            return self._bounds[token.text]
        raise QueryError(f"unexpected {token.text!r} behind @")

    def _duration(self) -> float:
        token = self._next()
        if token.kind not in {"duration", "number"}:
            raise QueryError(f"bad duration {token.text!r}")
        return parse_duration(token.text) if token.kind == "duration" else float(token.text)

    def _peek(self) -> Token:
        return self._tokens[self._position]

    def _next(self) -> Token:
        token = self._tokens[self._position]
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def _take(self, text: str) -> bool:
        if self._peek().text != text or self._peek().kind not in {"sign", "name"}:
            return False
        self._position += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise QueryError(f"unexpected {self._peek().text or 'end of input'!r}, expected {text!r}")


def _tokens(text: str) -> list[Token]:
    tokens, position = [], _skipped(text, 0)
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found or found.lastgroup is None:
            raise QueryError(f"unexpected character at {position}: {text[position : position + 10]!r}")
        tokens.append(Token(found.lastgroup, found[found.lastgroup]))
        position = _skipped(text, found.end())
    return [*tokens, Token("end", "")]


def _skipped(text: str, position: int) -> int:
    """Return the position behind space and remarks."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    inside = text[1:-1].replace('"', '\\"') if text.startswith("'") else text[1:-1]
    try:
        return str(orjson.loads(f'"{inside}"'))
    except orjson.JSONDecodeError:
        raise QueryError(f"bad string {text}") from None
