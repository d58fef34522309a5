"""The map of the system, `template.yaml`, as the embedded runtime needs it: functions, routes, schedules, rules and state machines.

CloudFormation's `!Ref`, `!GetAtt` and `!Sub` become names and ARNs of the fixed account below, so that what a machine calls here is
what it calls when deployed. A tag or a reference that is unknown is an error: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

import upid

try:  # libyaml is ten times as fast, and PyYAML may come without it
    from yaml import CSafeLoader as _Safe
except ImportError:
    from yaml import SafeLoader as _Safe  # type: ignore[assignment]  # the same interface in Python

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
PSEUDO: Final = {
    "AWS::StackName": "upid",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_PROXY: Final = "/{proxy+}"
_SUBSTITUTION: Final = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


class TemplateError(ValueError):
    """The template is missing or says something that this runtime does not know."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `name` is its logical id, `handler` in `module` is called with event and context, for at most `timeout_seconds`."""

    name: str
    module: str
    handler: str
    timeout_seconds: float

    @property
    def arn(self) -> str:
        """The ARN by which state machines call it."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API and its function. `proxy`: everything below `path` too; `open`: no authorizer is asked."""

    path: str
    proxy: bool
    function: Function
    open: bool = False

    @property
    def resource(self) -> str:
        """The path as API Gateway names the resource."""
        return self.path + _PROXY if self.proxy else self.path


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function to invoke by a `rate(...)` or `cron(...)` expression, with the event that it gets (None = the scheduler's own)."""

    name: str
    expression: str
    function: Function
    event: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A function to invoke with every event that a pattern matches: for each name the values that are allowed, or a pattern for what lies below."""

    name: str
    function: Function
    pattern: Mapping[str, Any]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Tell whether the event is one of those that the function is for."""
        return _matches(self.pattern, event)


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine: `name` is its file's (`analyze-cluster`)."""

    name: str
    path: Path
    substitutions: Mapping[str, str]

    @property
    def arn(self) -> str:
        """The ARN that events about its executions name."""
        return machine_arn(self.name)

    def text(self) -> str:
        """Return the definition with every substitution made; TemplateError where the file or a value is missing."""
        try:
            text = self.path.read_text("utf-8")
        except OSError as error:
            raise TemplateError(f"{self.path} cannot be read: {error.strerror}.") from error
        return _substitute(text, self.substitutions, self.path.name)


@dataclass(frozen=True)
class Template:
    """What `template.yaml` under `root` says. Everything is read when it is first asked for."""

    root: Path
    document: Mapping[str, Any]

    @classmethod
    def load(cls, root: Path | None = None) -> Template:
        """Return the template of a project, by default of the one that this package lies in; TemplateError where there is none."""
        root = root or Path(upid.__file__).resolve().parents[2]
        path = root / "template.yaml"
        try:
            document = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 _Loader is a safe loader with CloudFormation's tags
        except OSError as error:
            raise TemplateError(f"{path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise TemplateError(f"{path} is no template: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            raise TemplateError(f"{path} has no Resources.")
        return cls(root, document)

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """Every function by its logical id."""
        return {name: self._function(name, properties) for name, properties in self._resources("AWS::Serverless::Function")}

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Every path of the API in the order of the file."""
        return tuple(
            Route(
                path.removesuffix(_PROXY), path.endswith(_PROXY), self.functions[owner], event.get("Auth", {}).get("Authorizer") == "NONE"
            )
            for owner, _, event in self._events("Api")
            for path in [event["Path"]]
        )

    @cached_property
    def authorizer(self) -> Function | None:
        """The function that the API asks who is calling; None where there is none."""
        for _, properties in self._resources("AWS::Serverless::Api"):
            auth = properties.get("Auth", {})
            chosen = auth.get("Authorizers", {}).get(auth.get("DefaultAuthorizer"))
            if chosen:
                return self.function(self._resolve(chosen["FunctionArn"]))
        return None

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """Every enabled schedule."""
        return tuple(
            Schedule(f"{owner}{name}", event["ScheduleExpression"], self.functions[owner], event.get("Input"))
            for kind in ("ScheduleV2", "Schedule")
            for owner, name, event in self._events(kind)
            if event.get("State", "ENABLED") == "ENABLED" and event.get("Enabled", True)
        )

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule on events; TemplateError for a pattern with more than values."""
        return tuple(
            Rule(f"{owner}{name}", self.functions[owner], self._pattern(event["Pattern"], f"{owner}{name}"))
            for owner, name, event in self._events("EventBridgeRule")
        )

    @cached_property
    def machines(self) -> Mapping[str, Machine]:
        """Every state machine by its file's name (`analyze-cluster`)."""
        found = (self._machine(properties) for _, properties in self._resources("AWS::Serverless::StateMachine"))
        return {machine.name: machine for machine in found}

    def route(self, path: str) -> Route | None:
        """Return the route that answers a request's path (the exact one, else the longest prefix), None where there is none."""
        exact = next((r for r in self.routes if not r.proxy and r.path == path.rstrip("/")), None)
        below = (r for r in self.routes if r.proxy and path.startswith(r.path + "/"))
        return exact or max(below, key=lambda r: len(r.path), default=None)

    def function(self, reference: str) -> Function:
        """Return the function of an ARN (with or without a version) or a logical id; TemplateError where there is none."""
        name = reference.split(":")[6] if reference.startswith("arn:") and reference.count(":") > 5 else reference
        if name not in self.functions:
            raise TemplateError(f"There is no function {reference!r}.")
        return self.functions[name]

    def _resources(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, resource in self.document["Resources"].items():
            if resource.get("Type") == kind:
                yield name, resource.get("Properties", {})

    def _events(self, kind: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for owner, properties in self._resources("AWS::Serverless::Function"):
            for name, event in properties.get("Events", {}).items():
                if event["Type"] == kind:
                    yield owner, name, event["Properties"]

    def _function(self, name: str, properties: Mapping[str, Any]) -> Function:
        settings = {**self.document.get("Globals", {}).get("Function", {}), **properties}
        folder = str(settings.get("CodeUri", ".")).strip("./").replace("/", ".")
        module, _, handler = str(settings["Handler"]).rpartition(".")
        return Function(name, f"{folder}.{module}" if folder else module, handler, float(settings.get("Timeout", 3)))

    def _machine(self, properties: Mapping[str, Any]) -> Machine:
        path = self.root / properties["DefinitionUri"]
        values = {name: str(self._resolve(value)) for name, value in properties.get("DefinitionSubstitutions", {}).items()}
        return Machine(path.name.removesuffix(".asl.json"), path, values)

    def _pattern(self, pattern: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Return a pattern with every reference resolved."""
        resolved: dict[str, Any] = {}
        for name, wanted in pattern.items():
            if isinstance(wanted, dict):
                resolved[name] = self._pattern(wanted, where)
                continue
            if not isinstance(wanted, list) or any(isinstance(value, dict) for value in wanted):
                raise TemplateError(f"{where}: {name} must be a list of values; no other pattern is known here.")
            resolved[name] = [self._resolve(value) for value in wanted]
        return resolved

    def _resolve(self, value: Any) -> Any:
        if not isinstance(value, _Tag):
            return value
        if value.name == "GetAtt":
            name, _, attribute = value.text.partition(".")
            if attribute != "Arn" or name not in self.functions:
                raise TemplateError(f"!GetAtt {value.text} is not known here: only a function's Arn is.")
            return self.functions[name].arn
        if value.name == "Sub":
            return _substitute(value.text, PSEUDO | {name: name for name in self.document["Resources"]}, "!Sub")
        if value.text in PSEUDO:
            return PSEUDO[value.text]
        resource = self.document["Resources"].get(value.text)
        if resource is None:
            raise TemplateError(f"!Ref {value.text} refers to nothing.")
        if resource["Type"] == "AWS::Serverless::StateMachine":
            return self._machine(resource["Properties"]).arn
        return value.text


@dataclass(frozen=True, slots=True)
class _Tag:
    """One of CloudFormation's short forms, resolved when it is used."""

    name: str
    text: str


class _Loader(_Safe):
    """A safe loader that knows CloudFormation's short forms with a text behind them."""


def _tag(_: _Loader, suffix: str, node: yaml.Node) -> _Tag:
    if suffix not in {"Ref", "GetAtt", "Sub"} or not isinstance(node, yaml.ScalarNode):
        raise yaml.YAMLError(f"!{suffix} is not known here{node.start_mark}.")
    return _Tag(suffix, str(node.value))


_Loader.add_multi_constructor("!", _tag)


def machine_arn(name: str) -> str:
    """Return the ARN of a state machine by its file's name."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"


def _matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    for name, wanted in pattern.items():
        value = event.get(name)
        if isinstance(wanted, Mapping):
            if not isinstance(value, Mapping) or not _matches(wanted, value):
                return False
        elif value not in wanted:
            return False
    return True


def _substitute(text: str, values: Mapping[str, str], where: str) -> str:
    """Replace `${Name}`; a name without a value is an error, as it is for CloudFormation."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise TemplateError(f"{where}: ${{{found[1]}}} has no value.")
        return values[found[1]]

    return _SUBSTITUTION.sub(value, text)
