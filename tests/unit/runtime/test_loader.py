"""What is refused when a machine is loaded: whatever Step Functions refuses, and whatever this interpreter does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from machines.cases import CASES
from machines.running import INVOKE, machine, one, task

from upid.runtime.workflows.faults import DefinitionError
from upid.runtime.workflows.loader import load

PASS = {"Type": "Pass", "End": True}
CHOICE = {"Variable": "$.n", "NumericEquals": 1, "Next": "B"}


def invoke(**fields: Any) -> dict[str, Any]:
    return machine("A", {"A": task("double", **fields)})


def calls(resource: str, **parameters: Any) -> dict[str, Any]:
    return one("Task", Resource=resource, Parameters=parameters, End=True)


def choice(*rules: Any) -> dict[str, Any]:
    return machine("A", {"A": {"Type": "Choice", "Choices": list(rules)}, "B": PASS})


def over(processor: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return one("Map", ItemProcessor=processor or machine("D", {"D": PASS}), End=True, **fields)


UNKNOWN_HERE = {
    "JSONata as the machine's language": machine("A", {"A": PASS}, QueryLanguage="JSONata"),
    "JSONata in one state": one("Pass", QueryLanguage="JSONata", Output="{% 1 %}", End=True),
    "arguments": one("Task", Resource=INVOKE, Arguments={"FunctionName": "double"}, End=True),
    "another state machine": calls("arn:aws:states:::states:startExecution.sync:2", StateMachineArn="arn"),
    "a table": calls("arn:aws:states:::dynamodb:putItem", TableName="t"),
    "an SDK call": calls("arn:aws:states:::aws-sdk:dynamodb:query", TableName="t"),
    "an event bus": calls("arn:aws:states:::events:putEvents", Entries=[]),
    "a task token": calls("arn:aws:states:::lambda:invoke.waitForTaskToken", FunctionName="double"),
    "a queue with a task token": calls("arn:aws:states:::sqs:sendMessage.waitForTaskToken", QueueUrl="q"),
    "an activity": one("Task", Resource="arn:aws:states:us-east-1:000000000000:activity:a", End=True),
    "a heartbeat": invoke(HeartbeatSeconds=2),
    "another role": invoke(Credentials={"RoleArn": "arn"}),
    "items from a bucket": over(ItemReader={"Resource": "arn:aws:states:::s3:getObject"}),
    "results to a bucket": over(ResultWriter={"Resource": "arn:aws:states:::s3:putObject"}),
    "an invocation that is not awaited": calls(INVOKE, FunctionName="double", InvocationType="Event"),
    "a function that is not there": machine("A", {"A": task("absent")}),
    "a field that nobody knows": one("Pass", Resullt=1, End=True),
    "a type that nobody knows": one("Loop", End=True),
    "a field of the machine that nobody knows": machine("A", {"A": PASS}, Timeout=5),
    "a comparison that nobody knows": choice({"Variable": "$.n", "NumericAbout": 1, "Next": "B"}),
    "an intrinsic that nobody knows": one("Pass", Parameters={"x.$": "States.Sum($.a)"}, End=True),
    "a path that nobody knows": one("Pass", InputPath="$.a.length()", End=True),
}
WRONG = {
    "no start": {"States": {"A": PASS}},
    "a start that is not there": machine("B", {"A": PASS}),
    "a next that is not there": one("Pass", Next="B"),
    "neither next nor end": one("Pass"),
    "both next and end": one("Pass", Next="A", End=True),
    "an end that is not true": one("Pass", End=False),
    "a state that nothing leads to": machine("A", {"A": PASS, "B": PASS}),
    "a name twice in two scopes": over(machine("A", {"A": PASS})),
    "a name that is too long": machine("A" * 81, {"A" * 81: PASS}),
    "a task without a resource": one("Task", End=True),
    "an invocation of nothing": calls(INVOKE, Payload={}),
    "a timeout of nothing": invoke(TimeoutSeconds=0),
    "two timeouts": invoke(TimeoutSeconds=1, TimeoutSecondsPath="$.t"),
    "a retry without errors": invoke(Retry=[{"MaxAttempts": 1}]),
    "States.ALL beside another": invoke(Retry=[{"ErrorEquals": ["States.ALL", "X"]}]),
    "States.ALL before another": invoke(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["X"]}]),
    "an error of the language that is none": invoke(Retry=[{"ErrorEquals": ["States.Nope"]}]),
    "a backoff below 1": invoke(Retry=[{"ErrorEquals": ["X"], "BackoffRate": 0.5}]),
    "a longest delay below the first": invoke(Retry=[{"ErrorEquals": ["X"], "IntervalSeconds": 5, "MaxDelaySeconds": 5}]),
    "a catch to nowhere": invoke(Catch=[{"ErrorEquals": ["X"]}]),
    "a catch to a state that is not there": invoke(Catch=[{"ErrorEquals": ["X"], "Next": "Z"}]),
    "a retry of a state that has none": one("Pass", Retry=[], End=True),
    "a choice without a rule": choice(),
    "a choice with an end": one("Choice", Choices=[CHOICE], End=True),
    "a rule without a next": choice({"Variable": "$.n", "NumericEquals": 1}),
    "a rule inside a rule with a next": choice({"And": [CHOICE], "Next": "B"}),
    "a rule with two comparisons": choice({**CHOICE, "NumericLessThan": 5}),
    "a comparison with another kind": choice({**CHOICE, "NumericEquals": "1"}),
    "a wait for two things": one("Wait", Seconds=1, Timestamp="2020-01-01T00:00:00Z", End=True),
    "a wait for no time": one("Wait", Timestamp="tomorrow", End=True),
    "a result path to several places": one("Pass", ResultPath="$.a[*]", End=True),
    "a template with a name of nothing": one("Pass", Parameters={".$": "$"}, End=True),
    "a template with a name twice": one("Pass", Parameters={"a": 1, "a.$": "$"}, End=True),
    "a template whose expression is no text": one("Pass", Parameters={"a.$": 1}, End=True),
    "a variable that cannot be": one("Pass", Assign={"states": 1}, End=True),
    "a result and parameters": one("Pass", Result=1, Parameters={}, End=True),
    "a tolerance of an inline map": over(ToleratedFailureCount=1),
    "a branchless parallel": one("Parallel", Branches=[], End=True),
    "a batch without a limit": over(machine("D", {"D": PASS}, ProcessorConfig={"Mode": "DISTRIBUTED"}), ItemBatcher={"BatchInput": {}}),
    "an error and its path": one("Fail", Error="E", ErrorPath="$.e"),
}


def loaded(definition: Any) -> Any:
    return load("m", definition if isinstance(definition, str) else json.dumps(definition), is_function=lambda name: name != "absent")


@pytest.mark.parametrize("definition", [*UNKNOWN_HERE.values(), *WRONG.values()], ids=[*UNKNOWN_HERE, *WRONG])
def test_a_machine_with_this_is_refused(definition: Any) -> None:
    with pytest.raises(DefinitionError) as refused:
        loaded(definition)

    assert refused.value.place.startswith("m")
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize("text", ["", "[]", '{"StartAt": "A", "StartAt": "B", "States": {}}', "not JSON"])
def test_what_is_no_machine_at_all_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError):
        loaded(text)


def test_the_place_of_a_fault_is_told() -> None:
    with pytest.raises(DefinitionError, match=r"^m/A/ItemProcessor/D/Parameters/x\.\$: '\$\.' is|^m/A/ItemProcessor/D/Parameters/x\.\$"):
        loaded(over(machine("D", {"D": {"Type": "Pass", "Parameters": {"x.$": "$."}, "End": True}})))


@pytest.mark.parametrize("title", CASES)
def test_a_machine_without_it_is_loaded(title: str) -> None:
    definition = CASES[title].definition

    assert loaded(definition).start_at == definition["StartAt"]
