"""The rules that every machine of the project keeps, and that this interpreter and the template know all of it."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from upid import adapters, services
from upid.domain.errors import UnavailableError
from upid.runtime.template import Template, TemplateError
from upid.runtime.workflows.fan_out import MOST_INLINE
from upid.runtime.workflows.loader import INVOKE, load
from upid.services.shards import MOST_SHARDS

State = Mapping[str, Any]
TEMPLATE = Template.load()
FILES = sorted((TEMPLATE.root / "state_machines").glob("*.asl.json"))
PREFIX = {"Choice": r"(Is|Has)[A-Z]", "Wait": r"WaitFor[A-Z]", "Map": r"ForEach[A-Z]", "Parallel": r"InParallel[A-Z]"}
CLEANUP = re.compile(r"(Record|CleanUp|RollBack|Release)[A-Z]")


def scopes(machine: Mapping[str, Any]) -> Iterator[Mapping[str, State]]:
    yield machine["States"]
    for state in machine["States"].values():
        for inner in (*state.get("Branches", []), *(state[name] for name in ("ItemProcessor", "Iterator") if name in state)):
            yield from scopes(inner)


MACHINES = {path.name.removesuffix(".asl.json"): json.loads(path.read_text()) for path in FILES}
STATES = [(name, state, scope) for machine in MACHINES.values() for scope in scopes(machine) for name, state in scope.items()]
TASKS = [(name, state) for name, state, _ in STATES if state["Type"] == "Task"]


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def bare(name: str) -> str:
    """Return what a state does: where each item runs apart, its names stand a second time in the machine, with that word behind them."""
    return name.removesuffix("Apart")


def test_the_template_names_every_file_and_no_other() -> None:
    assert set(TEMPLATE.machines) == set(MACHINES)
    assert len(FILES) >= 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestMachine:
    def test_is_named_by_verb_and_noun(self, path: Path) -> None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+\.asl\.json", path.name)

    def test_its_resource_is_named_as_its_file(self, path: Path) -> None:
        title = "".join(part.title() for part in path.name.removesuffix(".asl.json").split("-"))
        properties = TEMPLATE.document["Resources"][f"{title}StateMachine"]["Properties"]

        assert properties["DefinitionUri"] == f"state_machines/{path.name}"
        assert properties["Name"].text == f"${{AWS::StackName}}-{path.name.removesuffix('.asl.json')}"

    def test_loads_with_every_function_in_the_template(self, path: Path) -> None:
        machine = TEMPLATE.machines[path.name.removesuffix(".asl.json")]

        loaded = load(machine.name, machine.text(), is_function=lambda reference: TEMPLATE.function(reference) is not None)

        assert loaded.timeout_seconds

    def test_may_call_just_the_functions_it_calls(self, path: Path) -> None:
        machine = TEMPLATE.machines[path.name.removesuffix(".asl.json")]

        assert set(re.findall(r"\$\{(\w+)\}", path.read_text())) == set(machine.substitutions)


@pytest.mark.parametrize(("name", "state", "scope"), STATES, ids=[name for name, _, _ in STATES])
class TestState:
    def test_its_name_tells_its_type(self, name: str, state: State, scope: Mapping[str, State]) -> None:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]{2,49}", name)
        assert re.match(PREFIX.get(state["Type"], ""), name)

    def test_a_failure_that_it_catches_is_recorded_or_named(self, name: str, state: State, scope: Mapping[str, State]) -> None:
        targets = [rule["Next"] for rule in state.get("Catch", [])]

        assert all(re.match(r"(Record|Name|RollBack|CleanUp)[A-Z]", target) for target in targets)
        assert state["Type"] != "Fail" or state["Error"] == name


@pytest.mark.parametrize(("name", "state"), TASKS, ids=[name for name, _ in TASKS])
class TestTask:
    def test_calls_the_function_of_its_own_name_by_substitution(self, name: str, state: State) -> None:
        assert state["Resource"] == INVOKE
        assert state["Parameters"]["FunctionName"] == f"${{{bare(name)}FunctionArn}}"

    def test_its_function_is_the_file_of_its_name(self, name: str, state: State) -> None:
        function = TEMPLATE.functions[f"{bare(name)}Function"]

        assert function.module == f"functions.events.{snake(bare(name))}"
        assert (TEMPLATE.root / function.module.replace(".", "/")).with_suffix(".py").exists()

    def test_has_a_time_limit_within_that_of_its_function(self, name: str, state: State) -> None:
        assert state["TimeoutSeconds"] <= TEMPLATE.functions[f"{bare(name)}Function"].timeout_seconds

    def test_tries_again_after_named_errors_ever_more_slowly(self, name: str, state: State) -> None:
        assert state["Retry"]
        for rule in state["Retry"]:
            assert rule["BackoffRate"] > 1
            assert 1 <= rule["MaxAttempts"] <= 10
            assert rule["ErrorEquals"] != ["States.ALL"] or CLEANUP.match(name)


def test_a_machine_without_its_substitution_is_no_machine() -> None:
    machine = TEMPLATE.machines["analyze-cluster"]
    bare = type(machine)(machine.name, machine.path, {})

    with pytest.raises(TemplateError, match="has no value"):
        bare.text()


def each(name: str) -> dict[str, Any]:
    """A Map of a machine without what makes it inline or distributed, its states under their bare names."""
    state = MACHINES["analyze-cluster"]["States"][name]
    apart = {"Label", "ToleratedFailurePercentage", "MaxConcurrency"}
    kept = {field: value for field, value in state.items() if field not in apart}
    processor = {field: value for field, value in state["ItemProcessor"].items() if field != "ProcessorConfig"}
    return json.loads(json.dumps(kept | {"ItemProcessor": processor}).replace('Apart"', '"'))  # type: ignore[no-any-return]


def test_shards_apart_are_analyzed_as_those_inline() -> None:
    assert each("ForEachShardApart") == each("ForEachShard")


def test_an_inline_map_is_taken_as_long_as_all_its_items_run_at_a_time() -> None:
    states = MACHINES["analyze-cluster"]["States"]
    (rule,) = states["HasManyShards"]["Choices"]

    assert rule["NumericGreaterThan"] == states["ForEachShard"]["MaxConcurrency"] == MOST_INLINE
    assert states["ForEachShardApart"]["MaxConcurrency"] >= MOST_SHARDS


# What asking again does not heal, or what a request alone can raise. Names of errors are matched as they are, not by their bases.
LASTING = {
    "RefusedError", "UntrustedError", "KubeconfigError", "DamagedChunkError", "UnwritableError", "DamagedKeyError", "AccessRefusedError",
    "BufferFullError", "ClusterUnavailableError",
    "BusyError", "CircuitOpenError", "NoAnswerError",  # the guard before a system has asked for long enough
}  # fmt: skip
# Of Lambda itself: docs.aws.amazon.com/step-functions, "Handle transient Lambda service exceptions"; newer runtimes name a timeout Sandbox.Timedout.
OF_LAMBDA = {
    "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException", "Lambda.Unknown", "Sandbox.Timedout",
}  # fmt: skip


def kinds_of(error: type[Exception]) -> set[str]:
    """The names of an error and of all kinds of it that the product has."""
    return {error.__name__}.union(*(kinds_of(kind) for kind in error.__subclasses__() if kind.__module__.startswith("upid.")))


def test_whatever_passes_is_tried_again_by_every_task() -> None:
    for module in (
        *pkgutil.walk_packages(adapters.__path__, "upid.adapters."),
        *pkgutil.walk_packages(services.__path__, "upid.services."),
    ):
        importlib.import_module(module.name)
    passing = kinds_of(UnavailableError) - LASTING

    assert len(passing) > 8
    for name, state in TASKS:
        (rule,) = state["Retry"]
        if rule["ErrorEquals"] != ["States.ALL"]:
            assert set(rule["ErrorEquals"]) - {"States.Timeout"} == passing | OF_LAMBDA | {"VersionConflictError"}, name
