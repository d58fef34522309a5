"""Queries of a collector as text, looked at before they are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from upid.domain.metrics import ServiceQuery

CLOSING: Final[Mapping[str, str]] = {")": "(", "]": "[", "}": "{"}
COMMENT: Final = re.compile(r"(?m)^\s*#.*$")


def faults_of(queries: Sequence[ServiceQuery]) -> list[dict[str, str]]:
    """Return what cannot be right about queries, each with the pointer to it: text that no PromQL is, and what is measured twice."""
    faults, seen = [], set[tuple[str, str, str, str]]()
    for number, query in enumerate(queries):
        fault = _fault(query.query)
        if fault:
            faults.append({"pointer": f"#/queries/{number}/query", "detail": fault})
        place = (query.namespace, query.kind, query.workload, query.metric)
        if place in seen:
            faults.append({"pointer": f"#/queries/{number}", "detail": f"{query.subject} is measured by a query before."})
        seen.add(place)
    return faults


def _fault(query: str) -> str:
    """Return why a text can be no PromQL, "" where it may be: Prometheus itself has the last word when it is asked."""
    if not query.strip():
        return "A query is not empty."
    if any(ord(letter) < 32 and letter not in "\t\n\r" for letter in query):
        return "A query has no control characters."
    opened, quote, escaped = list[str](), "", False
    for letter in COMMENT.sub("", query):
        if quote:
            if not escaped and letter == quote:
                quote = ""
            escaped = letter == "\\" and quote != "`" and not escaped
        elif letter in "\"'`":
            quote, escaped = letter, False
        elif letter in "([{":
            opened.append(letter)
        elif letter in CLOSING and (not opened or opened.pop() != CLOSING[letter]):
            return f"{letter!r} closes nothing that was opened."
    return "A string is not closed." if quote else f"{opened[-1]!r} is not closed." if opened else ""
