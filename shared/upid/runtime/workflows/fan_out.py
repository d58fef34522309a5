"""Parallel and Map: scopes side by side. Each of them records its own progress, so that a restart runs only those that had not ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from upid.runtime.workflows.batches import batches
from upid.runtime.workflows.data import Outcome, effective, finished, limited, number, parameters
from upid.runtime.workflows.expressions import View
from upid.runtime.workflows.faults import RUNTIME, StatesError
from upid.runtime.workflows.frames import Context, Turn
from upid.runtime.workflows.loader import is_distributed

MOST_INLINE: Final = 40  # iterations at a time where MaxConcurrency is 0, as Step Functions has it
MOST_DISTRIBUTED: Final = 1000
EXCEEDED: Final = "States.ExceedToleratedFailureThreshold"


async def parallel_state(turn: Turn) -> Outcome:
    """Run every branch over the same input; the first that fails ends the others."""
    state, view = turn.state, turn.view
    data = parameters(state, view)
    parts = [
        turn.part(at, branch["States"], turn.frame.context, view.scope.variables).go(branch["StartAt"], data, turn.handlers)
        for at, branch in enumerate(state["Branches"])
    ]
    return finished(state, view, await _together(parts))


async def map_state(turn: Turn) -> Outcome:
    """Run the processor over every item."""
    state = turn.state
    view = effective(state, turn.view)
    items = view.read(state.get("ItemsPath", "$"))
    if not isinstance(items, list):
        raise StatesError(RUNTIME, f"ItemsPath must lead to an array, not to {type(items).__name__}.")
    work = _Distributed(turn, view, items) if is_distributed(state) else _Inline(turn, view, items)
    return finished(state, turn.view, await work.results())


@dataclass
class _Inline:
    """A Map whose items are scopes of this execution: the first that fails ends the Map."""

    turn: Turn
    view: View
    items: Sequence[Any]
    most: int = MOST_INLINE

    async def results(self) -> list[Any]:
        results: list[Any] = [None] * len(self.items)

        async def one(at: int) -> None:
            results[at] = await self.item(at)

        await _each(range(len(self.items)), one, self._concurrency())
        return results

    async def item(self, at: int) -> Any:
        processor = self.processor
        context = self._context(at)
        part = self.turn.part(at, processor["States"], context, self.view.scope.variables)
        return await part.go(processor["StartAt"], self.selected(at), self.turn.handlers)

    @property
    def processor(self) -> Mapping[str, Any]:
        state = self.turn.state
        found: Mapping[str, Any] = state["ItemProcessor"] if "ItemProcessor" in state else state["Iterator"]
        return found

    def selected(self, at: int) -> Any:
        """Return the input of an item: what ItemSelector makes of it, or the item."""
        state = self.turn.state
        selector = state.get("ItemSelector", state.get("Parameters"))
        if selector is None:
            return self.items[at]
        within = self.view.over(self.view.scope.data, {**self.view.scope.context, **self._context(at)})
        return limited(within.fill(selector), "input of an item")

    def _context(self, at: int) -> Context:
        return {**self.turn.frame.context, "Map": {"Item": {"Index": at, "Value": self.items[at]}}}

    def _concurrency(self) -> int:
        asked = number(self.turn.state, "MaxConcurrency", self.view, None)
        return min(int(asked or self.most), self.most)


@dataclass
class _Distributed(_Inline):
    """A Map whose items, or batches of them, are executions of their own: some may fail, and variables of the Map are not seen."""

    most: int = MOST_DISTRIBUTED
    failed: list[StatesError] = field(default_factory=list)

    async def results(self) -> list[Any]:
        inputs = batches(self.turn.state, self.view, [self.selected(at) for at in range(len(self.items))])
        results: dict[int, Any] = {}

        async def one(at: int) -> None:
            try:
                results[at] = await self._child(at, inputs[at])
            except StatesError as error:
                self.failed.append(error)
                self._tolerate(len(inputs))

        await _each(range(len(inputs)), one, self._concurrency())
        return [results[at] for at in sorted(results)]

    async def _child(self, at: int, data: Any) -> Any:
        context = self.turn.frame.context
        execution = {**context["Execution"], "Id": f"{context['Execution']['Id']}:{self._label()}:{at}", "Input": data}
        part = self.turn.part(at, self.processor["States"], {**context, "Execution": execution}, {})
        return await part.go(self.processor["StartAt"], data, self.turn.handlers)

    def _label(self) -> str:
        return str(self.turn.state.get("Label", self.turn.progress.state))

    def _tolerate(self, total: int) -> None:
        count = number(self.turn.state, "ToleratedFailureCount", self.view, None)
        percentage = number(self.turn.state, "ToleratedFailurePercentage", self.view, None)
        if count is None and percentage is None:
            count = 0
        failed = len(self.failed)
        if (count is not None and failed > count) or (percentage is not None and failed * 100 > percentage * total):
            last = self.failed[-1]
            raise StatesError(EXCEEDED, f"{failed} of {total} items failed, the last with {last.error}: {last.cause}")


async def _each(items: Iterable[int], work: Callable[[int], Awaitable[None]], most: int) -> None:
    """Do some work for every item, at most `most` at a time, taken in order."""
    left = iter(items)

    async def take() -> None:
        for at in left:
            await work(at)

    await _together([take() for _ in range(most)])


async def _together(parts: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Return the results of all; the first error ends the others before it is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
