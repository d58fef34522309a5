"""How data goes into a state and comes out of it: InputPath, Parameters, ResultSelector, ResultPath, Assign, OutputPath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from upid.runtime.workflows.expressions import View
from upid.runtime.workflows.faults import DATA_LIMIT, RUNTIME, StatesError
from upid.runtime.workflows.paths import PathError, write

LIMIT_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a state leads to. `target`: the next state, None = the scope ends with `data`."""

    data: Any
    variables: Mapping[str, Any]
    target: str | None


def limited(value: Any, what: str) -> Any:
    """Return the value; States.DataLimitExceeded where its JSON is longer than Step Functions carries."""
    size = len(orjson.dumps(value))
    if size > LIMIT_BYTES:
        raise StatesError(DATA_LIMIT, f"The {what} is {size} bytes long; {LIMIT_BYTES} is the most that a state can carry.")
    return value


def number(state: Mapping[str, Any], name: str, view: View, default: float | None, *, low: float = 0) -> float | None:
    """Return a field that may stand as a number or, with `Path` behind its name, as a path to one; States.Runtime where that leads to none."""
    if f"{name}Path" not in state:
        found: float | None = state.get(name, default)
        return found
    value = view.read(state[f"{name}Path"])
    if isinstance(value, bool) or not isinstance(value, int | float) or value < low:
        raise StatesError(RUNTIME, f"{name}Path must lead to a number from {low:g}, not to {value!r}.")
    return value


def effective(state: Mapping[str, Any], view: View) -> View:
    """Return the view over what InputPath selects."""
    return view.over(_selected(state.get("InputPath", "$"), view))


def parameters(state: Mapping[str, Any], view: View) -> Any:
    """Return the input of a state's work: Parameters filled in, or the effective input as it is."""
    within = effective(state, view)
    return within.fill(state["Parameters"]) if "Parameters" in state else within.scope.data


def finished(state: Mapping[str, Any], view: View, result: Any, *, target: str | None = None) -> Outcome:
    """Return the outcome of a state with its result: selected, put into the input, assigned, filtered, and within the limit."""
    if "ResultSelector" in state:
        result = view.over(result).fill(state["ResultSelector"])
    data = _placed(state.get("ResultPath", "$"), view.scope.data, result)
    output = _selected(state.get("OutputPath", "$"), view.over(data))
    variables = assigned(state, view.over(result))
    return Outcome(limited(output, "output"), variables, target or state.get("Next"))


def assigned(rule: Mapping[str, Any], view: View) -> Mapping[str, Any]:
    """Return the variables with those that Assign sets; paths in it see the result, and the variables as they were before."""
    if "Assign" not in rule:
        return view.scope.variables
    return {**view.scope.variables, **limited(view.fill(rule["Assign"]), "value of the variables")}


def caught(rules: Sequence[Mapping[str, Any]], error: StatesError, view: View) -> Outcome | None:
    """Return where the first Catch that matches an error leads to, None where none does."""
    for rule in rules:
        if error.matches(rule["ErrorEquals"]):
            data = _placed(rule.get("ResultPath", "$"), view.scope.data, error.output)
            return Outcome(limited(data, "output"), assigned(rule, view.over(error.output)), rule["Next"])
    return None


def _selected(path: str | None, view: View) -> Any:
    return {} if path is None else view.read(path)


def _placed(path: str | None, data: Any, result: Any) -> Any:
    if path is None:
        return data
    try:
        return write(path, data, result)
    except PathError as error:
        raise StatesError("States.ResultPathMatchFailure", str(error)) from error
