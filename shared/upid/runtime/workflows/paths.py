"""Reading and writing JSON documents by path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from upid.runtime.workflows.jsonpath import Child, Descend, Filter, Index, Path, Slice, Step, Wildcard, parse


class PathError(LookupError):
    """A path that names nothing in the document it was asked of."""


class Scope(NamedTuple):
    """What paths are read from: the data (`$`), the context object (`$$`) and the variables (`$name`)."""

    data: Any
    context: Mapping[str, Any]
    variables: Mapping[str, Any]

    def read(self, text: str) -> Any:
        """Return the value at a definite path, or the list of what an indefinite one finds; PathError where a definite one finds nothing."""
        path = parse(text)
        root = self._root(path)
        if not path.steps:
            return root
        found = list(select(path.steps, root, root))
        if not path.definite:
            return found
        if not found:
            raise PathError(f"The path {text} names nothing in the input.")
        return found[0]

    def _root(self, path: Path) -> Any:
        if path.variable is None:
            return self.data
        if not path.variable:
            return self.context
        if path.variable not in self.variables:
            raise PathError(f"The variable ${path.variable} has no value.")
        return self.variables[path.variable]


def select(steps: tuple[Step, ...], value: Any, root: Any) -> Iterator[Any]:
    """Yield every value that the steps lead to, in document order."""
    if not steps:
        yield value
        return
    for found in _one(steps[0], value, root):
        yield from select(steps[1:], found, root)


def write(text: str, document: Any, value: Any) -> Any:
    """Return a copy of the document with `value` at a reference path; what is missing on the way is made.

    Raises
    ------
    PathError
        If something on the way is neither an object nor absent, or an array without that element.
    """
    return _write(parse(text).steps, document, value, text)


def is_reference(path: Path) -> bool:
    """Tell whether a path names one place of the data, as ResultPath must."""
    return path.variable is None and path.definite


def _write(steps: tuple[Step, ...], document: Any, value: Any, text: str) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, Child) and isinstance(document, dict):
        name = step.names[0]
        return {**document, name: _write(rest, document.get(name, {}), value, text)}
    if isinstance(step, Index) and isinstance(document, list) and -len(document) <= step.positions[0] < len(document):
        copy = list(document)
        copy[step.positions[0]] = _write(rest, copy[step.positions[0]], value, text)
        return copy
    raise PathError(f"Nothing can be written at {text} of this input.")


def _one(step: Step, value: Any, root: Any) -> Iterable[Any]:
    match step, value:
        case (Wildcard(), _):
            return _members(value)
        case (Descend(), _):
            return _below(value)
        case (Child(names), dict()):
            return [value[name] for name in names if name in value]
        case (Filter(holds), dict()):
            return [value] if holds(value, root) else []
        case (_, list()):
            return _elements(step, value, root)
    return ()


def _elements(step: Step, value: list[Any], root: Any) -> Iterable[Any]:
    match step:
        case Index(positions):
            return [value[at] for at in positions if -len(value) <= at < len(value)]
        case Slice(start, stop, by):
            return value[start:stop:by]
        case Filter(holds):
            return [item for item in value if holds(item, root)]
    return ()


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _below(value: Any) -> Iterator[Any]:
    yield value
    for member in _members(value):
        yield from _below(member)
