"""Machines with their input and what they must come to, from the Step Functions developer guide, one subject after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from machines.running import INVOKE, machine, one, task
from upid.ports.workflows import Execution

DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
INLINE = {"Mode": "INLINE"}


@dataclass(frozen=True, slots=True)
class Case:
    """A machine, its input and a judge of its end."""

    definition: dict[str, Any]
    payload: dict[str, Any]
    right: Callable[[Execution], bool]


def gives(output: Any) -> Callable[[Execution], bool]:
    return lambda end: end.status == "SUCCEEDED" and end.output == output


def fails(error: str, cause: str = "", status: str = "FAILED") -> Callable[[Execution], bool]:
    return lambda end: (end.status, end.error) == (status, error) and cause in (end.cause or "")


def each(states: dict[str, Any], start: str, config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    processor = machine(start, states, **({"ProcessorConfig": config} if config else {}))
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, **fields}
    return machine("M", {"M": {**state, **({} if "Next" in fields else {"End": True})}})


def _then(definition: dict[str, Any], **states: Any) -> dict[str, Any]:
    return {**definition, "States": {**definition["States"], **states}}


def catch(error: str, target: str, **fields: Any) -> dict[str, Any]:
    return {"ErrorEquals": [error], "Next": target, **fields}


def ok(result: Any, **fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Result": result, "End": True, **fields}


CASES: dict[str, Case] = {
    "a path takes the input apart and the result back": Case(
        one("Pass", InputPath="$.a", Result={"r": 1}, ResultPath="$.res", OutputPath="$.res", End=True), {"a": {"b": 2}}, gives({"r": 1})
    ),
    "a result path makes what is missing": Case(
        one("Pass", Result=5, ResultPath="$.x.y", End=True), {"a": 1}, gives({"a": 1, "x": {"y": 5}})
    ),
    "filters, slices, wildcards and descent": Case(
        one(
            "Pass",
            Parameters={"f.$": "$.i[?(@.p>10)].n", "r.$": "$..n", "s.$": "$.i[0:2].n", "l.$": "$.i[-1].n", "w.$": "$.i[*].p"},
            End=True,
        ),
        {"i": [{"n": "a", "p": 5}, {"n": "b", "p": 15}, {"n": "c", "p": 25}]},
        gives({"f": ["b", "c"], "r": ["a", "b", "c"], "s": ["a", "b"], "l": "c", "w": [5, 15, 25]}),
    ),
    "a choice combines its comparisons": Case(
        machine(
            "A",
            {
                "A": {
                    "Type": "Choice",
                    "Choices": [
                        {
                            "And": [
                                {"Variable": "$.n", "NumericGreaterThan": 10},
                                {"Not": {"Variable": "$.s", "StringEquals": "no"}},
                                {"Or": [{"Variable": "$.zz", "IsPresent": True}, {"Variable": "$.s", "StringMatches": "he*o"}]},
                                {"Variable": "$.t", "TimestampGreaterThan": "2020-01-01T00:00:00Z"},
                                {"Variable": "$.nul", "IsNull": True},
                                {"Variable": "$.n", "NumericEqualsPath": "$.n2"},
                                {"Variable": "$.b", "BooleanEquals": True},
                            ],
                            "Next": "Yes",
                        }
                    ],
                    "Default": "No",
                },
                "Yes": ok("yes"),
                "No": ok("no"),
            },
        ),
        {"n": 11, "n2": 11, "s": "hello", "t": "2024-01-01T00:00:00Z", "nul": None, "b": True},
        gives("yes"),
    ),
    "a choice without a match and a default fails": Case(
        machine(
            "A", {"A": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "Y"}]}, "Y": {"Type": "Succeed"}}
        ),
        {"n": 2},
        fails("States.NoChoiceMatched"),
    ),
    "a wait takes its seconds from the input and ends at once in the past": Case(
        machine(
            "A",
            {
                "A": {"Type": "Wait", "SecondsPath": "$.s", "Next": "B"},
                "B": {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "Next": "C"},
                "C": {"Type": "Succeed"},
            },
        ),
        {"s": 1},
        gives({"s": 1}),
    ),
    "a failure takes error and cause from the input": Case(
        one("Fail", ErrorPath="$.e", CausePath="States.Format('because {}',$.c)"), {"e": "My.Err", "c": "x"}, fails("My.Err", "because x")
    ),
    "branches see the same input and keep their order": Case(
        one(
            "Parallel",
            Branches=[machine("a", {"a": ok(1)}), machine("b", {"b": task("double")})],
            ResultSelector={"one.$": "$[0]", "two.$": "$[1].v"},
            ResultPath="$.res",
            End=True,
        ),
        {"v": 4},
        gives({"v": 4, "res": {"one": 1, "two": 8}}),
    ),
    "the error of a branch ends the others and can be caught": Case(
        machine(
            "P",
            {
                "P": {
                    "Type": "Parallel",
                    "Branches": [machine("a", {"a": {"Type": "Wait", "Seconds": 30, "End": True}}), machine("b", {"b": task("fail")})],
                    "Catch": [catch("ValidationError", "H", ResultPath="$.err")],
                    "End": True,
                },
                "H": {"Type": "Pass", "Parameters": {"e.$": "$.err.Error", "has.$": "$.v"}, "End": True},
            },
        ),
        {"v": 4},
        gives({"e": "ValidationError", "has": 4}),
    ),
    "a task may name its function as the resource": Case(
        one("Task", Resource="arn:aws:lambda:us-east-1:000000000000:function:double", ResultPath="$.r", End=True),
        {"v": 2},
        gives({"v": 2, "r": {"v": 4}}),
    ),
    "a task may return null": Case(machine("A", {"A": task("nothing")}), {"v": 2}, gives(None)),
    "an error that nobody catches fails the execution": Case(machine("A", {"A": task("fail")}), {}, fails("ValidationError", "bad input")),
    "an error that attempts are left for is tried again, then caught": Case(
        machine(
            "A",
            {
                "A": task(
                    "fail",
                    Retry=[{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}],
                    Catch=[catch("States.ALL", "B", ResultPath="$.error")],
                ),
                "B": {"Type": "Pass", "Parameters": {"err.$": "$.error.Error", "v.$": "$.v"}, "End": True},
            },
        ),
        {"v": 1},
        gives({"err": "ValidationError", "v": 1}),
    ),
    "the first catch that matches is taken": Case(
        machine(
            "A",
            {
                "A": task(
                    "fail",
                    Catch=[catch("Other", "N"), {"ErrorEquals": ["ValidationError", "X"], "Next": "B"}, catch("States.ALL", "N")],
                ),
                "B": ok("B"),
                "N": ok("N"),
            },
        ),
        {},
        gives("B"),
    ),
    "a task that takes too long times out": Case(
        machine("A", {"A": task("sleep", TimeoutSeconds=1, Catch=[catch("States.Timeout", "B")]), "B": ok("timed")}),
        {"seconds": 1.5},
        gives("timed"),
    ),
    "a map selects the input of every item": Case(
        each(
            {
                "D": {
                    "Type": "Task",
                    "Resource": INVOKE,
                    "Parameters": {"FunctionName": "double", "Payload.$": "$"},
                    "ResultSelector": {"v.$": "$.Payload.v"},
                    "ResultPath": "$.r",
                    "End": True,
                }
            },
            "D",
            INLINE,
            MaxConcurrency=2,
            ItemSelector={"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "k.$": "$.k"},
            ResultPath="$.out",
        ),
        {"items": [1, 2], "k": "z"},
        gives({"items": [1, 2], "k": "z", "out": [{"v": 1, "i": 0, "k": "z", "r": {"v": 2}}, {"v": 2, "i": 1, "k": "z", "r": {"v": 4}}]}),
    ),
    "a map may be written with an iterator": Case(
        one("Map", InputPath="$.l", ItemsPath="$", Iterator=machine("D", {"D": task("double")}), End=True),
        {"l": [{"v": 1}, {"v": 2}]},
        gives([{"v": 2}, {"v": 4}]),
    ),
    "an item catches its own error": Case(
        each(
            {
                "D": task("refuse_odd", Catch=[catch("ValidationError", "H", ResultPath="$.e")]),
                "H": {"Type": "Pass", "Parameters": {"failed.$": "$.v"}, "End": True},
            },
            "D",
            INLINE,
        ),
        {"items": [{"v": 2}, {"v": 3}]},
        gives([{"v": 2}, {"failed": 3}]),
    ),
    "the error of an item fails the map": Case(
        each({"D": task("refuse_odd")}, "D", INLINE), {"items": [{"v": 2}, {"v": 3}]}, fails("ValidationError", "odd")
    ),
    "a map over nothing gives nothing": Case(each({"D": task("double")}, "D", INLINE), {"items": []}, gives([])),
    "a distributed map keeps the order of its items": Case(
        each({"D": task("double")}, "D", DISTRIBUTED, Label="lab", MaxConcurrency=4, ItemSelector={"v.$": "$$.Map.Item.Value"}),
        {"items": list(range(20))},
        gives([{"v": 2 * i} for i in range(20)]),
    ),
    "an express distributed map is the same": Case(
        each({"D": task("double")}, "D", {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}), {"items": [{"v": 1}]}, gives([{"v": 2}])
    ),
    "failures that are tolerated leave no result": Case(
        _then(
            each({"D": task("refuse_odd")}, "D", DISTRIBUTED, ToleratedFailurePercentage=50, ResultPath="$.r", Next="Z"),
            Z={"Type": "Pass", "Parameters": {"n.$": "States.ArrayLength($.r)"}, "End": True},
        ),
        {"items": [{"v": i} for i in range(10)]},
        gives({"n": 5}),
    ),
    "more failures than tolerated fail the map": Case(
        each({"D": task("refuse_odd")}, "D", DISTRIBUTED, ToleratedFailureCount=2),
        {"items": [{"v": i} for i in range(10)]},
        fails("States.ExceedToleratedFailureThreshold", "3 of 10"),
    ),
    "without a tolerance the first failure is too many": Case(
        each({"D": task("refuse_odd")}, "D", DISTRIBUTED), {"items": [{"v": 1}]}, fails("States.ExceedToleratedFailureThreshold")
    ),
    "items come in batches": Case(
        each({"D": task("count_batch")}, "D", DISTRIBUTED, ItemBatcher={"MaxItemsPerBatch": 4, "BatchInput": {"c.$": "$.c"}}),
        {"items": list(range(10)), "c": 9},
        gives([{"n": n, "ctx": {"c": 9}} for n in (4, 4, 2)]),
    ),
    "batches keep to their size": Case(
        each({"D": task("count_batch")}, "D", DISTRIBUTED, ItemBatcher={"MaxInputBytesPerBatch": 40}),
        {"items": ["x" * 10] * 4},  # {"Items":[]} is 12 bytes, an item with its comma 13: two fit
        gives([{"n": 2, "ctx": None}] * 2),
    ),
    "maps and branches nest": Case(
        machine(
            "M",
            {
                "M": {
                    "Type": "Map",
                    "ItemsPath": "$.z",
                    "ItemProcessor": machine(
                        "P",
                        {
                            "P": {
                                "Type": "Parallel",
                                "Branches": [
                                    machine(
                                        "a",
                                        {
                                            "a": {
                                                "Type": "Map",
                                                "ItemsPath": "$.l",
                                                "ItemProcessor": machine("d", {"d": task("double")}),
                                                "End": True,
                                            }
                                        },
                                    ),
                                    machine("b", {"b": ok("ok")}),
                                ],
                                "End": True,
                            }
                        },
                    ),
                    "End": True,
                }
            },
        ),
        {"z": [{"l": [{"v": 1}]}, {"l": [{"v": 2}, {"v": 3}]}]},
        gives([[[{"v": 2}], "ok"], [[{"v": 4}, {"v": 6}], "ok"]]),
    ),
    "the context object tells of execution, state and machine": Case(
        one(
            "Pass",
            Parameters={"i.$": "$$.Execution.Input.q", "s.$": "$$.State.Name", "n.$": "$$.StateMachine.Name", "id.$": "$$.Execution.Id"},
            End=True,
        ),
        {"q": 3},
        lambda end: end.output["i"] == 3 and end.output["s"] == "A" and end.output["id"].endswith(f":execution:{end.output['n']}:x"),
    ),
    "a path to nothing fails the state": Case(
        one("Pass", Parameters={"x.$": "$.nope"}, End=True), {"q": 3}, fails("States.ParameterPathFailure", "$.nope")
    ),
    "an input path to nothing is fatal": Case(one("Pass", InputPath="$.nope", End=True), {"q": 3}, fails("States.Runtime", "$.nope")),
    "more data than a state can carry is refused": Case(
        machine("A", {"A": task("long_text", Next="B"), "B": {"Type": "Pass", "End": True}}),
        {"n": 300_000},
        fails("States.DataLimitExceeded"),
    ),
    "States.ALL does not catch what is fatal": Case(
        machine("A", {"A": task("long_text", Catch=[catch("States.ALL", "B")]), "B": ok(1)}),
        {"n": 300_000},
        fails("States.DataLimitExceeded"),
    ),
    "a machine that takes too long times out": Case(
        machine("A", {"A": {"Type": "Wait", "Seconds": 30, "End": True}}, TimeoutSeconds=1), {}, fails("States.Timeout", status="TIMED_OUT")
    ),
    "variables are seen by the states behind": Case(
        machine(
            "A",
            {
                "A": {"Type": "Pass", "Assign": {"x.$": "$.v", "y": 2}, "Next": "B"},
                "B": {"Type": "Pass", "Parameters": {"x.$": "$x", "sum.$": "States.MathAdd($x,$y)"}, "End": True},
            },
        ),
        {"v": 5},
        gives({"x": 5, "sum": 7}),
    ),
    "an item sees the variables around it and keeps its own": Case(
        machine(
            "A",
            {
                "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "M"},
                "M": {
                    "Type": "Map",
                    "ItemsPath": "$.items",
                    "ItemProcessor": machine(
                        "S",
                        {
                            "S": {"Type": "Pass", "Assign": {"x.$": "States.MathAdd($x,$)"}, "Next": "T"},
                            "T": {"Type": "Pass", "Parameters": {"x.$": "$x"}, "End": True},
                        },
                    ),
                    "ResultPath": "$.r",
                    "Next": "Z",
                },
                "Z": {"Type": "Pass", "Parameters": {"r.$": "$.r", "x.$": "$x"}, "End": True},
            },
        ),
        {"items": [10, 20]},
        gives({"r": [{"x": 11}, {"x": 21}], "x": 1}),
    ),
    "a map goes over an array alone": Case(each({"D": task("double")}, "D"), {"items": {"a": 1}}, fails("States.Runtime", "ItemsPath")),
    "an error must be a text": Case(one("Fail", ErrorPath="$.e"), {"e": 5}, fails("States.Runtime", "ErrorPath")),
    "a time to wait for must be one": Case(one("Wait", TimestampPath="$.t", End=True), {"t": "soon"}, fails("States.Runtime", "soon")),
    "seconds to wait cannot be negative": Case(one("Wait", SecondsPath="$.s", End=True), {"s": -1}, fails("States.Runtime", "SecondsPath")),
    "a result must have a place": Case(
        one("Pass", Result=1, ResultPath="$.a.b", End=True), {"a": 5}, fails("States.ResultPathMatchFailure")
    ),
    "a time limit may come from the input": Case(
        machine("A", {"A": task("sleep", TimeoutSecondsPath="$.limit")}), {"seconds": 1.5, "limit": 1}, fails("States.Timeout")
    ),
    "no input and no output": Case(one("Pass", InputPath=None, OutputPath=None, End=True), {"a": 1}, gives({})),
    "a result may be dropped": Case(one("Pass", Result=1, ResultPath=None, End=True), {"a": 1}, gives({"a": 1})),
    "a choice and a catch set variables": Case(
        machine(
            "A",
            {
                "A": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "B", "Assign": {"took.$": "$.n"}}],
                    "Default": "C",
                },
                "B": task("fail", Catch=[catch("States.ALL", "C", Assign={"why.$": "$.Cause"})]),
                "C": {"Type": "Pass", "Parameters": {"took.$": "$took", "why.$": "$why"}, "End": True},
            },
        ),
        {"n": 1},
        gives({"took": 1, "why": "bad input"}),
    ),
    "a variable that was never set fails": Case(
        one("Pass", Parameters={"x.$": "$x"}, End=True), {}, fails("States.ParameterPathFailure", "$x")
    ),
    "a function that is not there is Lambda's error": Case(
        machine(
            "A",
            {
                "A": {
                    "Type": "Task",
                    "Resource": INVOKE,
                    "Parameters": {"FunctionName.$": "$.f"},
                    "End": True,
                }
            },
        ),
        {"f": "absent"},
        fails("Lambda.ResourceNotFoundException"),
    ),
}
