"""Loading a machine: everything that the interpreter does not know is refused here, before anything of it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from upid.runtime.workflows import checks
from upid.runtime.workflows.checks import Check
from upid.runtime.workflows.faults import DefinitionError
from upid.runtime.workflows.fields import DISTRIBUTED, MOST_SECONDS, STATES, known, one_field

INVOKE: Final = "arn:aws:states:::lambda:invoke"
_LAMBDA: Final = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?")
_BRANCH: Final[Mapping[str, Check]] = {
    "StartAt": checks.text, "States": checks.table, "Comment": checks.text, "QueryLanguage": checks.json_path_only,
}  # fmt: skip
_MACHINE: Final[Mapping[str, Check]] = {
    **_BRANCH, "Version": checks.one_of("1.0"), "TimeoutSeconds": checks.number(1, MOST_SECONDS),
}  # fmt: skip
_PROCESSOR: Final[Mapping[str, Check]] = {**_BRANCH, "ProcessorConfig": checks.table}
_CONFIG: Final[Mapping[str, Check]] = {
    "Mode": checks.one_of("INLINE", "DISTRIBUTED"), "ExecutionType": checks.one_of("STANDARD", "EXPRESS"),
}  # fmt: skip
_CALL: Final = frozenset({"FunctionName", "FunctionName.$", "Payload", "Payload.$"})
_ALONE: Final[Mapping[str, list[tuple[str, ...]]]] = {
    "Pass": [("Parameters", "Result")], "Task": [("TimeoutSeconds", "TimeoutSecondsPath")],
    "Fail": [("Error", "ErrorPath"), ("Cause", "CausePath")],
    "Map": [
        ("ItemSelector", "Parameters"), ("MaxConcurrency", "MaxConcurrencyPath"), ("ToleratedFailureCount", "ToleratedFailureCountPath"),
        ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ],
}  # fmt: skip
_NEEDED: Final[Mapping[str, list[tuple[str, ...]]]] = {
    "Task": [("Resource",)], "Choice": [("Choices",)], "Wait": [("Seconds", "SecondsPath", "Timestamp", "TimestampPath")],
    "Parallel": [("Branches",)], "Map": [("ItemProcessor", "Iterator")],
}  # fmt: skip

States = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Definition:
    """A machine that this interpreter can run."""

    name: str
    start_at: str
    states: States
    timeout_seconds: float | None


def load(name: str, text: str, *, is_function: Callable[[str], bool] = bool) -> Definition:
    """Return the machine that a file defines.

    `is_function` tells whether there is a function of a name or ARN. Raises DefinitionError, with the place, for whatever Step Functions
    would refuse and for what it knows and this interpreter does not: JSONata, service integrations other than `lambda:invoke`, task
    tokens, activities, heartbeats, readers and writers of a Map.
    """
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise DefinitionError(name, f"no JSON: {error}") from error
    _Machine(name, is_function, set()).check(document, name, _MACHINE)
    return Definition(name, document["StartAt"], document["States"], document.get("TimeoutSeconds"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


@dataclass(frozen=True, slots=True)
class _Machine:
    """The checks of one machine; `names` are the states seen so far, which must differ in all of its scopes."""

    name: str
    is_function: Callable[[str], bool]
    names: set[str]

    def check(self, scope: Any, place: str, fields: Mapping[str, Check]) -> None:
        known(scope, fields, place, "a machine")
        one_field(scope, ("StartAt",), place)
        one_field(scope, ("States",), place)
        for name, state in scope["States"].items():
            self._state(name, state, f"{place}/{name}")
        self._graph(scope, place)

    def _state(self, name: str, state: Any, place: str) -> None:
        checks.table(state, place)
        kind = state.get("Type")
        if kind not in STATES:
            raise DefinitionError(place, f"{kind!r} is no type of state.")
        if name in self.names or not 0 < len(name) <= 80:
            raise DefinitionError(place, "the name must be the only one of its kind in the machine, and 1 to 80 characters long.")
        self.names.add(name)
        known(state, STATES[kind], place, f"a state of type {kind}")
        for names in _ALONE.get(kind, []):
            one_field(state, names, place, needed=False)
        for names in _NEEDED.get(kind, []):
            one_field(state, names, place)
        if "Next" in STATES[kind]:
            one_field(state, ("Next", "End"), place)
        self._parts(kind, state, place)

    def _parts(self, kind: str, state: Mapping[str, Any], place: str) -> None:
        if kind == "Task":
            self._task(state, place)
        if kind == "Map":
            self._map(state, place)
        if kind == "Parallel":
            for at, branch in enumerate(state["Branches"]):
                self.check(branch, f"{place}/Branches/{at}", _BRANCH)

    def _task(self, state: Mapping[str, Any], place: str) -> None:
        resource = state["Resource"]
        function = resource
        if resource == INVOKE:
            parameters = state.get("Parameters", {})
            one_field(parameters, ("FunctionName", "FunctionName.$"), f"{place}/Parameters")
            unknown = sorted(set(parameters) - _CALL)
            if unknown:
                raise DefinitionError(f"{place}/Parameters/{unknown[0]}", "is not known here: FunctionName and Payload are.")
            function = parameters.get("FunctionName")
        elif not _LAMBDA.fullmatch(resource):
            raise DefinitionError(f"{place}/Resource", f"{resource} is not known here: {INVOKE} and the ARN of a function are.")
        if function is not None and not (isinstance(function, str) and self.is_function(function)):
            raise DefinitionError(place, f"there is no function {function!r}.")

    def _map(self, state: Mapping[str, Any], place: str) -> None:
        field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        processor = state[field]
        self.check(processor, f"{place}/{field}", _PROCESSOR if field == "ItemProcessor" else _BRANCH)
        config = processor.get("ProcessorConfig", {})
        known(config, _CONFIG, f"{place}/{field}/ProcessorConfig", "ProcessorConfig")
        if not is_distributed(state):
            for name in ({"ExecutionType"} & set(config)) | (set(DISTRIBUTED) & set(state)):
                raise DefinitionError(f"{place}/{name}", "only a distributed Map has this.")

    def _graph(self, scope: Mapping[str, Any], place: str) -> None:
        states: States = scope["States"]
        seen, left = set[str](), [(scope["StartAt"], f"{place}/StartAt")]
        while left:
            name, source = left.pop()
            if name not in states:
                raise DefinitionError(source, f"there is no state {name!r} to go to.")
            if name not in seen:
                seen.add(name)
                left += [(target, f"{place}/{name}") for target in targets(states[name])]
        if len(seen) < len(states):
            raise DefinitionError(f"{place}/{min(set(states) - seen)}", "no state leads here.")


def targets(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the states that a state can go to."""
    for rule in (state, *state.get("Catch", []), *state.get("Choices", [])):
        yield from (rule[name] for name in ("Next", "Default") if name in rule)


def is_distributed(state: Mapping[str, Any]) -> bool:
    """Tell whether a Map runs each item as an execution of its own."""
    mode = state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode")
    return bool(mode == "DISTRIBUTED")
