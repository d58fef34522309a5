"""JSONPath as Step Functions has it (Jayway's dialect): parsing to a tuple of steps.

A parser of our own: the libraries differ from Jayway in just what matters here (a definite path gives a value and not a list, an absent
one is an error), take several times as long, and would let pass what Step Functions refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple


class Child(NamedTuple):
    """Members of an object by name; several make the path indefinite."""

    names: tuple[str, ...]


class Index(NamedTuple):
    """Elements of an array by position, from the end where negative; several make the path indefinite."""

    positions: tuple[int, ...]


class Slice(NamedTuple):
    """A range of an array."""

    start: int | None
    stop: int | None
    step: int | None


class Wildcard(NamedTuple):
    """Every member or element."""


class Descend(NamedTuple):
    """The value itself and everything below it."""


class Filter(NamedTuple):
    """Elements of an array (or the object itself) for which a predicate of (element, root) holds."""

    holds: Callable[[Any, Any], bool]


Step = Child | Index | Slice | Wildcard | Descend | Filter


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path. `variable`: None = the data, "" = the context object (`$$`), else the variable's name."""

    text: str
    variable: str | None
    steps: tuple[Step, ...]

    @property
    def definite(self) -> bool:
        """Whether the path names exactly one place."""
        return all(isinstance(s, Child | Index) and len(s[0]) == 1 for s in self.steps)


_ROOT: Final = re.compile(r"\$\$|\$(?=[.\[,)\s]|$)|\$([A-Za-z_]\w{0,79})")
_NAME: Final = re.compile(r"[\w\-]+")
_BRACKET: Final = re.compile(
    r"\[\s*(?:(?P<all>\*)|(?P<filter>\?)|(?P<names>'(?:[^'\\]|\\.)*'(?:\s*,\s*'(?:[^'\\]|\\.)*')*|\"(?:[^\"\\]|\\.)*\"(?:\s*,\s*\"(?:[^\"\\]|\\.)*\")*)"
    r"|(?P<slice>-?\d*\s*:\s*-?\d*(?:\s*:\s*-?\d*)?)|(?P<positions>-?\d+(?:\s*,\s*-?\d+)*))\s*"
)
_QUOTED: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """Return a parsed path; ValueError that says what in it is not known."""
    path, end = parse_prefix(text, 0)
    if end != len(text):
        raise ValueError(f"{text!r}: {text[end:]!r} is not known in a path.")
    return path


def parse_prefix(text: str, at: int) -> tuple[Path, int]:
    """Return the path that begins at a position, and the position behind it."""
    root = _ROOT.match(text, at)
    if not root:
        raise ValueError(f"{text!r} is no path: it must begin with $, $$ or a variable's $name.")
    variable = "" if root[0] == "$$" else root[1]
    steps, end = parse_steps(text, root.end())
    return Path(text[at:end], variable, steps), end


def parse_steps(text: str, at: int) -> tuple[tuple[Step, ...], int]:
    """Return the steps that begin at a position, and the position behind them."""
    steps: list[Step] = []
    while at < len(text) and text[at] in ".[":
        if text.startswith("..", at):
            steps.append(Descend())
            at += 2 if text[at + 2 : at + 3] == "[" else 1
            if text[at : at + 1] not in {".", "["}:
                raise ValueError(f"{text!r}: a path cannot end in `..`.")
        step, at = _bracket(text, at) if text[at] == "[" else _dotted(text, at + 1)
        steps.append(step)
    return tuple(steps), at


def _dotted(text: str, at: int) -> tuple[Step, int]:
    if text[at : at + 1] == "*":
        return Wildcard(), at + 1
    name = _NAME.match(text, at)
    if not name or text[name.end() : name.end() + 1] == "(":
        raise ValueError(f"{text!r}: a name is expected at {text[at:]!r}; functions are not known.")
    return Child((name[0],)), name.end()


def _bracket(text: str, at: int) -> tuple[Step, int]:
    found = _BRACKET.match(text, at)
    if not found:
        raise ValueError(f"{text!r}: {text[at:]!r} is not known in a path.")
    if found["filter"]:
        from upid.runtime.workflows.filters import parse_filter  # noqa: PLC0415 a filter holds paths and a path filters

        holds, end = parse_filter(text, found.end())
        return Filter(holds), _closed(text, end)
    return _plain(found), _closed(text, found.end())


def _plain(found: re.Match[str]) -> Step:
    if found["all"]:
        return Wildcard()
    if found["names"]:
        return Child(tuple(unquote(quoted[0]) for quoted in _QUOTED.finditer(found["names"])))
    if found["slice"]:
        bounds = [int(part) if part.strip() else None for part in found["slice"].split(":")]
        if bounds[2:] == [0]:
            raise ValueError(f"{found.string!r}: a slice cannot step by 0.")
        return Slice(bounds[0], bounds[1], bounds[2] if len(bounds) > 2 else None)
    return Index(tuple(int(part) for part in found["positions"].split(",")))


def _closed(text: str, at: int) -> int:
    if text[at : at + 1] != "]":
        raise ValueError(f"{text!r}: `]` is expected at {text[at:]!r}.")
    return at + 1


def unquote(text: str) -> str:
    """Return the text between quotes, a backslash taken off what it escapes."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])
