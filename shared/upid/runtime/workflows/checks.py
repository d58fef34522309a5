"""What a single field of a definition may hold. Each check raises DefinitionError with the field's place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from upid.runtime.workflows.choices import moment
from upid.runtime.workflows.data import LIMIT_BYTES
from upid.runtime.workflows.expressions import parse_expression
from upid.runtime.workflows.faults import ALL, PREDEFINED, DefinitionError
from upid.runtime.workflows.jsonpath import parse
from upid.runtime.workflows.paths import is_reference

Check = Callable[[Any, str], None]
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w{0,79}")


def text(value: Any, place: str) -> None:
    """Check that it is a text."""
    if not isinstance(value, str):
        raise DefinitionError(place, "must be a text.")


def within_limit(value: Any, place: str) -> None:
    """Check that a state could carry this value."""
    if len(orjson.dumps(value)) > LIMIT_BYTES:
        raise DefinitionError(place, f"is over {LIMIT_BYTES} bytes long.")


def listing(value: Any, place: str) -> None:
    """Check that it is a list with something in it."""
    if not isinstance(value, list) or not value:
        raise DefinitionError(place, "must be a list that is not empty.")


def true(value: Any, place: str) -> None:
    """Check that it is true: `End` is, or is left out."""
    if value is not True:
        raise DefinitionError(place, "must be true, or be left out.")


def table(value: Any, place: str) -> None:
    """Check that it is an object."""
    if not isinstance(value, dict):
        raise DefinitionError(place, "must be an object.")


def json_path_only(value: Any, place: str) -> None:
    """Check that the query language is JSONPath."""
    if value != "JSONPath":
        raise DefinitionError(place, f"{value} is not known here, only JSONPath.")


def one_of(*allowed: str) -> Check:
    """Return the check for one of some texts."""

    def check(value: Any, place: str) -> None:
        if value not in allowed:
            raise DefinitionError(place, f"{value!r} is not known: one of {', '.join(allowed)}.")

    return check


def number(low: float, high: float, *, whole: bool = True) -> Check:
    """Return the check for a number in a range."""

    def check(value: Any, place: str) -> None:
        kind = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise DefinitionError(place, f"must be a {'whole ' if whole else ''}number from {low:g} to {high:g}.")

    return check


def path(value: Any, place: str) -> None:
    """Check that it is a path into the data, the context or a variable."""
    text(value, place)
    try:
        parse(value)
    except ValueError as error:
        raise DefinitionError(place, str(error)) from error


def path_or_null(value: Any, place: str) -> None:
    """Check that it is a path, or null for an empty object."""
    if value is not None:
        path(value, place)


def reference_or_null(value: Any, place: str) -> None:
    """Check that it is a path that names one place of the data, or null to drop the result."""
    if value is None:
        return
    path(value, place)
    if not is_reference(parse(value)):
        raise DefinitionError(place, f"{value} does not name one place of the input.")


def expression(value: Any, place: str) -> None:
    """Check that it is a path or an intrinsic function."""
    text(value, place)
    try:
        parse_expression(value)
    except ValueError as error:
        raise DefinitionError(place, str(error)) from error


def template(value: Any, place: str) -> None:
    """Check a payload template: the value of a name that ends in `.$` is an expression, anywhere in it."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            template(item, f"{place}/{at}")
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        inner = f"{place}/{name}"
        if not name.endswith(".$"):
            template(item, inner)
            continue
        if name == ".$" or name[:-2] in value:
            raise DefinitionError(inner, "names nothing of its own.")
        expression(item, inner)


def object_template(value: Any, place: str) -> None:
    """Check that it is a payload template and an object."""
    table(value, place)
    template(value, place)


def assignment(value: Any, place: str) -> None:
    """Check variables and their values, a payload template."""
    object_template(value, place)
    for name in value:
        bare = name.removesuffix(".$")
        if not _VARIABLE.fullmatch(bare) or bare == "states":
            raise DefinitionError(f"{place}/{name}", "cannot name a variable.")


def timestamp(value: Any, place: str) -> None:
    """Check that it is a moment in RFC 3339."""
    if moment(value) is None:
        raise DefinitionError(place, "must be a time such as 2026-11-23T10:00:00Z.")


def error_names(value: Any, place: str) -> None:
    """Check the names that a Retry or Catch is for."""
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise DefinitionError(place, "must be a list of error names.")
    if ALL in value and len(value) > 1:
        raise DefinitionError(place, f"{ALL} must stand alone.")
    unknown = [name for name in value if name.startswith("States.") and name not in PREDEFINED]
    if unknown:
        raise DefinitionError(place, f"{unknown[0]} is no error of the States Language.")
