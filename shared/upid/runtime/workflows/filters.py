"""Filters of JSONPath, `[?(@.price < 10 && @.name == 'x')]`, parsed to predicates of (element, root)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from upid.runtime.workflows.jsonpath import Path, Step, parse_steps, unquote
from upid.runtime.workflows.paths import select

Predicate = Callable[[Any, Any], bool]
Operand = Callable[[Any, Any], Any]

_ABSENT: Final = object()
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<op>&&|\|\||==|!=|<=|>=|<|>|!|\(|\))|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>true|false|null)\b"
    r"|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<root>[@$]))"
)
_ORDERED: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_WORDS: Final = {"true": True, "false": False, "null": None}


def parse_filter(text: str, at: int) -> tuple[Predicate, int]:
    """Return the predicate of a filter whose `(` stands at `at`, and the position behind its `)`; ValueError for what is not known."""
    parser = _Parser(text, at)
    parser.expect("(")
    holds = parser.either()
    parser.expect(")")
    return holds, parser.at


@dataclass(slots=True)
class _Parser:
    """Recursive descent: either -> both -> term -> comparison."""

    text: str
    at: int

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.take("||"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda item, root: any(part(item, root) for part in parts)

    def both(self) -> Predicate:
        parts = [self.term()]
        while self.take("&&"):
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else lambda item, root: all(part(item, root) for part in parts)

    def term(self) -> Predicate:
        if self.take("!"):
            inner = self.term()
            return lambda item, root: not inner(item, root)
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Predicate:
        left, is_path = self.operand()
        for sign in ("==", "!=", "<=", ">=", "<", ">"):
            if self.take(sign):
                right, _ = self.operand()
                return lambda item, root: compare(sign, left(item, root), right(item, root))
        if not is_path:
            raise self.unknown()
        return lambda item, root: left(item, root) is not _ABSENT

    def operand(self) -> tuple[Operand, bool]:
        found = self.token()
        if found is None or found["op"]:
            raise self.unknown()
        self.at = found.end()
        if found["root"]:
            steps, self.at = parse_steps(self.text, self.at)
            return _lookup(found["root"] == "@", steps, self.text), True
        value = _literal(found)
        return (lambda _item, _root: value), False

    def token(self) -> re.Match[str] | None:
        return _TOKEN.match(self.text, self.at)

    def take(self, sign: str) -> bool:
        found = self.token()
        if found is None or found["op"] != sign:
            return False
        self.at = found.end()
        return True

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise self.unknown()

    def unknown(self) -> ValueError:
        return ValueError(f"{self.text!r}: {self.text[self.at :]!r} is not known in a filter.")


def compare(sign: str, left: Any, right: Any) -> bool:
    """Compare two values of a filter; an order holds only between two numbers or two texts, and nothing equals what is absent."""
    if sign in {"==", "!="}:
        same = left is not _ABSENT and right is not _ABSENT and left == right and isinstance(left, bool) == isinstance(right, bool)
        return same == (sign == "==")
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (left, right))
    if numbers or (isinstance(left, str) and isinstance(right, str)):
        return bool(_ORDERED[sign](left, right))
    return False


def _literal(found: re.Match[str]) -> Any:
    if found["number"]:
        number = found["number"]
        return float(number) if set(number) & set(".eE") else int(number)
    return _WORDS[found["word"]] if found["word"] else unquote(found["text"])


def _lookup(relative: bool, steps: tuple[Step, ...], text: str) -> Operand:  # noqa: FBT001 one of two roots, named at its only call
    path = Path(text, None, steps)

    def look(item: Any, root: Any) -> Any:
        found = list(select(path.steps, item if relative else root, root))
        if path.definite:
            return found[0] if found else _ABSENT
        return found or _ABSENT

    return look
