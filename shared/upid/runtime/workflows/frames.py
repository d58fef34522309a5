"""Running the states of one scope: the machine itself, an item of a Map or a branch of a Parallel."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from upid.domain.times import format_time
from upid.ports.clock import Clock
from upid.runtime.workflows.data import Outcome, caught
from upid.runtime.workflows.expressions import View
from upid.runtime.workflows.faults import StatesError
from upid.runtime.workflows.journal import Journal
from upid.runtime.workflows.loader import States
from upid.runtime.workflows.paths import Scope
from upid.runtime.workflows.retries import next_try

ROOT: Final = "/"
Context = Mapping[str, Any]


class Tasks(Protocol):
    """Runs functions."""

    async def run(self, function: str, payload: Any, timeout_seconds: float | None) -> Any:
        """Return a function's result; StatesError where it fails, takes too long or is not there."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """What all scopes of an execution share. `stamp` goes into the record of the machine's own scope."""

    name: str
    journal: Journal
    tasks: Tasks
    clock: Clock
    stamp: Mapping[str, Any] = field(default_factory=dict)

    async def sleep_until(self, moment: float) -> None:
        """Wait until a moment in seconds since the epoch."""
        delay = moment - self.clock.now()
        if delay > 0:
            await asyncio.sleep(delay)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scope is: about to run `state` over `data`. `tries` counts failed attempts for each rule of its Retry."""

    state: str
    data: Any
    variables: Mapping[str, Any]
    step: int
    entered_at: float
    tries: Mapping[str, int] = field(default_factory=dict)
    resume_at: float = 0.0

    @property
    def attempts(self) -> int:
        """Failed attempts of the state so far."""
        return sum(self.tries.values())

    def body(self) -> dict[str, Any]:
        """Return the document that a record keeps."""
        body = {"state": self.state, "data": self.data, "variables": self.variables, "step": self.step, "entered_at": self.entered_at}
        return body | ({"tries": self.tries, "resume_at": self.resume_at} if self.tries else {})


@dataclass(frozen=True, slots=True)
class Frame:
    """A scope of an execution at its place in the journal."""

    run: Run
    place: str
    states: States
    context: Context
    variables: Mapping[str, Any] = field(default_factory=dict)

    async def go(self, start: str, data: Any, handlers: Handlers) -> Any:
        """Return the scope's output, going on from what is recorded of it; StatesError where it fails."""
        recorded = self.run.journal.take(self.place)
        if recorded and "output" in recorded:
            return recorded["output"]
        if recorded and "error" in recorded:
            raise StatesError(recorded["error"], recorded["cause"])
        progress = _resumed(recorded) if recorded else Progress(start, data, self.variables, 0, self.run.clock.now())
        try:
            output = await self._states(progress, handlers)
        except StatesError as error:
            self._close({"error": error.error, "cause": error.cause})
            raise
        self._close({"output": output})
        return output

    async def _states(self, progress: Progress, handlers: Handlers) -> Any:
        while True:
            outcome = await self._state(progress, handlers)
            if isinstance(outcome, Outcome) and outcome.target is None:
                return outcome.data
            if isinstance(outcome, Outcome):
                progress = Progress(str(outcome.target), outcome.data, outcome.variables, progress.step + 1, self.run.clock.now())
            else:
                progress = outcome
            self.run.journal.put(self.place, {**progress.body(), **(self.run.stamp if self.place == ROOT else {})})

    async def _state(self, progress: Progress, handlers: Handlers) -> Outcome | Progress:
        """Run a state once and return where it leads to, or the same state with a failed attempt more."""
        state = self.states[progress.state]
        view = self.view(progress)
        await self.run.sleep_until(progress.resume_at)
        try:
            return await handlers[state["Type"]](Turn(self, progress, state, view, handlers))
        except StatesError as error:
            again = next_try(state.get("Retry", []), error, progress.tries, view.chance)
            if again:
                rule, delay = again
                tries = {**progress.tries, rule: progress.tries.get(rule, 0) + 1}
                return replace(progress, tries=tries, resume_at=self.run.clock.now() + delay)
            outcome = caught(state.get("Catch", []), error, view)
            if outcome is None:
                raise
            return outcome

    def view(self, progress: Progress) -> View:
        """Return what the expressions of a state see."""
        entered = {"Name": progress.state, "EnteredTime": format_time(progress.entered_at), "RetryCount": progress.attempts}
        seed = f"{self.run.name}{self.place}{progress.step}.{progress.attempts}"
        chance = random.Random(seed)  # noqa: S311 a state that runs again after a crash must see the same chance
        return View(Scope(progress.data, {**self.context, "State": entered}, progress.variables), chance)

    def _close(self, body: Mapping[str, Any]) -> None:
        # The end of the machine's own scope is the end of the execution, which the engine records.
        if self.place != ROOT:
            self.run.journal.put(self.place, body)


@dataclass(frozen=True, slots=True)
class Turn:
    """One attempt of one state."""

    frame: Frame
    progress: Progress
    state: Mapping[str, Any]
    view: View
    handlers: Handlers

    def part(self, index: int, states: States, context: Context, variables: Mapping[str, Any]) -> Frame:
        """Return the scope of an item or a branch; its place says which visit and attempt of this state it belongs to."""
        place = f"{self.frame.place}{self.progress.step:05d}.{self.progress.attempts}.{index:06d}/"
        return Frame(self.frame.run, place, states, context, variables)


Handlers = Mapping[str, Callable[[Turn], Awaitable[Outcome]]]


def _resumed(body: Mapping[str, Any]) -> Progress:
    return Progress(
        body["state"], body["data"], body["variables"], body["step"], body["entered_at"], body.get("tries", {}), body.get("resume_at", 0.0)
    )
