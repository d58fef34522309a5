"""Which series a selector means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from upid.demo.prometheus.family import Family
from upid.demo.prometheus.syntax import Matcher, QueryError, Selector


def matched(families: Mapping[str, list[Family]], selector: Selector) -> list[tuple[Family, NDArray[np.intp]]]:
    """Return the families that a selector means, with the rows of those series that match."""
    tests = [(matcher.label, _test(matcher)) for matcher in selector.matchers]
    found = []
    for name, group in families.items():
        if not all(test(name) for label, test in tests if label == "__name__"):
            continue
        for family in group:
            rows = _rows(family, [pair for pair in tests if pair[0] != "__name__"])
            if len(rows):
                found.append((family, rows))
    return found


def _rows(family: Family, tests: list[tuple[str, Callable[[str], bool]]]) -> NDArray[np.intp]:
    inside = [test for label, test in tests if label == "namespace"]
    groups = [rows for name, rows in family.namespaces.items() if all(test(name) for test in inside)]
    rows = [row for group in groups for row in group]
    for label, test in tests:
        if label == "namespace":
            continue
        known: dict[str, bool] = {}
        kept = []
        for row in rows:
            value = family.labels[row].get(label, "")
            if value not in known:
                known[value] = test(value)
            if known[value]:
                kept.append(row)
        rows = kept
    return np.array(sorted(rows), np.intp)


def _test(matcher: Matcher) -> Callable[[str], bool]:
    value = matcher.value
    if matcher.sign == "=":
        return lambda text: text == value
    if matcher.sign == "!=":
        return lambda text: text != value
    try:
        pattern = re.compile(value, re.DOTALL)
    except re.error as error:
        raise QueryError(f"error parsing regexp: {error}") from None
    if matcher.sign == "=~":
        return lambda text: pattern.fullmatch(text) is not None
    return lambda text: pattern.fullmatch(text) is None
