"""What a rule is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from upid.domain.errors import ConflictError
from upid.engine.rules.catalogue import Target, VetoOf

Severity = Literal["info", "low", "medium", "high", "critical"]
ThenKind = Literal["recommendation", "adjustment", "veto", "tag"]
MOST_RULES: Final = 1000  # of users, for each tenant


class BuiltInRuleError(ConflictError):
    """A built-in rule can be disabled and enabled, not changed or deleted."""

    title = "Built-in rule"


class TooManyRulesError(ConflictError):
    """The tenant has as many rules as it may have."""

    title = "Too many rules"


@dataclass(frozen=True, slots=True)
class Then:
    """What a rule does where it fires.

    recommendation: `action` says what to do. adjustment: the recommended `target` times `factor`, then held within [`minimum`, `maximum`]; `unset` takes
    the value away. veto: the recommended change `of` these resources is not made. tag: the container gets `tag`.
    """

    kind: ThenKind
    action: str = ""
    target: Target | None = None
    factor: float = 1.0
    minimum: float | None = None
    maximum: float | None = None
    unset: bool = False
    of: VetoOf = "all"
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a rule applies within its tenant; what is empty applies everywhere. `labels`: all must be the workload's own; `selector`: of its labels, as kubectl has it."""

    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    selector: str = ""


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule as somebody writes it."""

    name: str
    category: str
    severity: Severity
    when: str
    then: Then
    explanation: str
    scope: Scope = field(default_factory=Scope)
    enabled: bool = True

    def body(self) -> dict[str, Any]:
        """Return it as JSON."""
        body = asdict(self)
        body["scope"] = {
            "clusters": list(self.scope.clusters),
            "namespaces": list(self.scope.namespaces),
            "labels": dict(self.scope.labels),
            "selector": self.scope.selector,
        }
        return body
