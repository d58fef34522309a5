"""Label selectors as kubectl takes them: `a=b`, `a!=b`, `a in (b, c)`, `a notin (b)`, `a`, `!a`, `a>1`, `a<1`, joined by commas."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from upid.domain.errors import InvalidError

_KEY: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_VALUE: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?"
_TERM: Final = re.compile(
    rf"\s*(?:(?P<absent>!)\s*(?P<gone>{_KEY})|(?P<key>{_KEY})(?:\s*(?P<sign>==?|!=)\s*(?P<value>{_VALUE})|\s*(?P<than>[<>])\s*(?P<bound>-?\d{{1,18}})"
    rf"|\s+(?P<set>in|notin)\s*\(\s*(?P<values>{_VALUE}(?:\s*,\s*{_VALUE})*)\s*\))?)\s*(?:,|$)"
)
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")

Matches = Callable[[Mapping[str, str]], bool]


def parse_selector(text: str) -> Matches:
    """Return what tells whether labels match; InvalidError for text that is no label selector. Empty text matches everything."""
    terms, position = [], 0
    while position < len(text.rstrip()):
        found = _TERM.match(text, position)
        if not found or (found.end() == len(text) and text.rstrip().endswith(",")):
            raise InvalidError(f"{text!r} is no label selector: write it as kubectl does, such as app=web,tier in (front, back).")
        terms.append(_term(found))
        position = found.end()
    return lambda labels: all(term(labels) for term in terms)


def _term(found: re.Match[str]) -> Matches:
    if found["absent"]:
        gone = found["gone"]
        return lambda labels: gone not in labels
    key, sign = found["key"], found["sign"] or found["set"]
    if found["than"]:
        return _compared(key, found["than"], int(found["bound"]))
    if sign is None:
        return lambda labels: key in labels
    values = {found["value"]} if found["sign"] else {value.strip() for value in found["values"].split(",")}
    if sign in {"!=", "notin"}:
        return lambda labels: key not in labels or labels[key] not in values
    return lambda labels: key in labels and labels[key] in values


def _compared(key: str, than: str, bound: int) -> Matches:
    """Return what tells whether a label is a whole number above or below a bound; one that is none is neither."""

    def matches(labels: Mapping[str, str]) -> bool:
        if not _WHOLE.fullmatch(labels.get(key, "")):
            return False
        return int(labels[key]) > bound if than == ">" else int(labels[key]) < bound

    return matches
