"""What each type of state does, apart from Map and Parallel."""

from __future__ import annotations

from typing import Final

from upid.runtime.workflows.choices import holds, moment
from upid.runtime.workflows.data import Outcome, assigned, effective, finished, limited, number, parameters
from upid.runtime.workflows.expressions import View
from upid.runtime.workflows.fan_out import map_state, parallel_state
from upid.runtime.workflows.faults import RUNTIME, StatesError
from upid.runtime.workflows.frames import Handlers, Turn
from upid.runtime.workflows.loader import INVOKE


async def pass_state(turn: Turn) -> Outcome:
    """Hand on Result, or what Parameters make."""
    result = turn.state["Result"] if "Result" in turn.state else parameters(turn.state, turn.view)
    return finished(turn.state, turn.view, result)


async def task_state(turn: Turn) -> Outcome:
    """Call a function with Payload (`lambda:invoke`) or with the whole input (a function's ARN as Resource)."""
    state, run = turn.state, turn.frame.run
    asked = parameters(state, turn.view)
    by_invoke = state["Resource"] == INVOKE
    function, payload = (asked["FunctionName"], asked.get("Payload", {})) if by_invoke else (state["Resource"], asked)
    result = await run.tasks.run(str(function), limited(payload, "input"), number(state, "TimeoutSeconds", turn.view, None))
    answer = {"ExecutedVersion": "$LATEST", "Payload": result, "StatusCode": 200} if by_invoke else result
    return finished(state, turn.view, answer)


async def choice_state(turn: Turn) -> Outcome:
    """Go where the first rule that holds leads to, else to Default."""
    state = turn.state
    view = effective(state, turn.view)
    rule = next((rule for rule in state["Choices"] if holds(rule, view)), None)
    target = rule["Next"] if rule else state.get("Default")
    if target is None:
        raise StatesError("States.NoChoiceMatched", "No rule of the choice holds and there is no Default.")
    outcome = finished({key: state[key] for key in ("OutputPath",) if key in state}, view, view.scope.data, target=target)
    return Outcome(outcome.data, assigned(rule or state, view), target)


async def wait_state(turn: Turn) -> Outcome:
    """Wait since the state was entered, so that a crash in between does not make it longer."""
    view = effective(turn.state, turn.view)
    await turn.frame.run.sleep_until(_wake_at(turn, view))
    return finished(turn.state, view, view.scope.data)


async def succeed_state(turn: Turn) -> Outcome:
    """End the scope."""
    view = effective(turn.state, turn.view)
    return finished(turn.state, view, view.scope.data)


async def fail_state(turn: Turn) -> Outcome:
    """End the scope with an error."""
    raise StatesError(_told(turn, "Error"), _told(turn, "Cause"))


HANDLERS: Final[Handlers] = {
    "Pass": pass_state, "Task": task_state, "Choice": choice_state, "Wait": wait_state, "Succeed": succeed_state, "Fail": fail_state,
    "Map": map_state, "Parallel": parallel_state,
}  # fmt: skip


def _told(turn: Turn, field: str) -> str:
    value = turn.view.evaluate(turn.state[f"{field}Path"]) if f"{field}Path" in turn.state else turn.state.get(field, "")
    if not isinstance(value, str):
        raise StatesError(RUNTIME, f"{field}Path must lead to a text.")
    return value


def _wake_at(turn: Turn, view: View) -> float:
    state, entered = turn.state, turn.progress.entered_at
    seconds = number(state, "Seconds", view, None)
    if seconds is not None:
        return entered + seconds
    text = state["Timestamp"] if "Timestamp" in state else view.read(state["TimestampPath"])
    found = moment(text)
    if found is None:
        raise StatesError(RUNTIME, f"{text!r} is no time such as 2026-11-23T10:00:00Z.")
    return found.timestamp()
