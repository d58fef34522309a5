"""Rules: read, written, checked, and tried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from upid.domain.errors import InvalidError, InvalidRequestError, NotFoundError, VersionConflictError
from upid.domain.identity import Caller
from upid.domain.selectors import parse_selector
from upid.domain.times import format_time
from upid.ports.clock import Clock, Ids
from upid.services.rules.catalogue import Category, built_ins, categories
from upid.services.rules.model import BuiltInRuleError, RuleDraft
from upid.services.rules.store import RuleStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from upid.services.features import ClusterFeatures
    from upid.services.rules.faults import Fault

NEW: Final = "new"  # stands for a rule that is not stored yet


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """Which rules to list; None = all. `built_in`: those of the product, or those of users."""

    category: str | None = None
    severity: str | None = None
    enabled: bool | None = None
    built_in: bool | None = None

    def matches(self, view: Mapping[str, Any]) -> bool:
        """Tell whether a rule is among them."""
        wanted = {"category": self.category, "severity": self.severity, "enabled": self.enabled, "built_in": self.built_in}
        return all(value is None or view[name] == value for name, value in wanted.items())


@dataclass(frozen=True, slots=True)
class Trial:
    """What to try a rule on: a cluster (`namespaces` of it, empty = all), or given `rows`. `limit`: how many rows are shown of each kind."""

    cluster_id: str | None = None
    namespaces: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    limit: int = 100


@dataclass(frozen=True, slots=True)
class RuleService:
    """Rules of tenants."""

    store: RuleStore
    clock: Clock
    ids: Ids
    features: Callable[[], ClusterFeatures]

    def list(self, tenant: str, wanted: RuleFilter) -> list[Mapping[str, Any]]:
        """Return the rules that a filter matches, in the order of their ids."""
        return [view for view in self.store.all(tenant) if wanted.matches(view)]

    def get(self, tenant: str, rule_id: str, version: int | None = None) -> dict[str, Any]:
        """Return a rule, or an earlier version of it; NotFoundError where there is none."""
        return self.store.get(tenant, rule_id, version)

    def create(self, caller: Caller, draft: RuleDraft) -> dict[str, Any]:
        """Write a new rule; InvalidRequestError with every fault of its condition and explanation, TooManyRulesError."""
        _hold(draft)
        now = format_time(self.clock.now())
        body = {"id": self.ids.new("rule"), "version": 1, **draft.body()}
        stamps = {"created_at": now, "created_by": caller.username, "updated_at": now, "updated_by": caller.username}
        return self.store.add(caller.tenant, body | stamps)

    def replace(self, caller: Caller, rule_id: str, draft: RuleDraft, *, if_match: int | None) -> dict[str, Any]:
        """Write a rule's next version, or enable or disable a built-in one.

        Raises NotFoundError, InvalidRequestError, VersionConflictError where `if_match` is not its version, BuiltInRuleError for any other change of
        a built-in rule.
        """
        before = self._matched(caller.tenant, rule_id, if_match)
        built_in = built_ins().get(rule_id)
        if built_in is not None:
            if replace(draft, enabled=True) != built_in.draft:
                raise BuiltInRuleError(f"{rule_id} is built in: only `enabled` can change. Add a rule of your own instead.", id=rule_id)
            return self.store.switch(caller.tenant, built_in, enabled=draft.enabled, expect=before["version"])
        _hold(draft)
        stamps = {"created_at": before["created_at"], "created_by": before["created_by"], "updated_by": caller.username}
        body = {"id": rule_id, "version": before["version"] + 1, **draft.body(), **stamps, "updated_at": format_time(self.clock.now())}
        return self.store.change(caller.tenant, body, expect=before["version"])

    def delete(self, caller: Caller, rule_id: str, *, if_match: int | None) -> None:
        """Remove a rule; NotFoundError, BuiltInRuleError, or VersionConflictError where `if_match` is not its version."""
        before = self._matched(caller.tenant, rule_id, if_match)
        if before["built_in"]:
            raise BuiltInRuleError(f"{rule_id} is built in: disable it instead.", id=rule_id)
        self.store.remove(caller.tenant, rule_id, expect=before["version"])

    def validate(self, tenant: str, rule_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is wrong with a rule, with `when` or `explanation` taken from `changes` where they are there.

        Keys: valid, faults, hints, features. NotFoundError; InvalidRequestError for a new rule without a condition.
        """
        from upid.services.rules.checking import check, faults_of  # noqa: PLC0415 API groups must start without the parser
        from upid.services.rules.explaining import template_faults  # noqa: PLC0415 for the same reason

        rule = self._drafted(tenant, rule_id, changes)
        when, explanation = rule["when"], rule["explanation"]
        of_when, of_text = list(faults_of(when)), template_faults(explanation)
        checked = None if of_when else check(when)
        faults = [{"member": "when", **fault.body()} for fault in of_when] + [
            {"member": "explanation", **fault.body()} for fault in of_text
        ]
        return {
            "rule_id": None if rule_id == NEW else rule_id, "when": when, "valid": not faults, "faults": faults,
            "hints": [{"member": "when", **hint.body()} for hint in checked.hints] if checked else [],
            "features": _described(checked.features) if checked else [],
        }  # fmt: skip

    def test(self, tenant: str, rule_id: str, trial: Trial, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return on which rows a rule fires, where that can not be told and why, and what would change.

        Raises NotFoundError without the rule or the cluster, NothingCollectedError, InvalidRequestError for a faulty condition or row.
        """
        from upid.services.rules.checking import check  # noqa: PLC0415 API groups must start without the parser
        from upid.services.rules.trying import Trying, from_rows  # noqa: PLC0415 for the same reason

        rule = self._drafted(tenant, rule_id, changes)
        _hold_text(rule["when"], rule["explanation"])
        trying = Trying(rule, check(rule["when"]), trial)
        if trial.cluster_id is None:
            trying.add(from_rows(trial.rows))
        else:
            for shard in self.features().shards(tenant, trial.cluster_id, namespaces=trial.namespaces):
                trying.add_shard(shard)
        return {"rule_id": None if rule_id == NEW else rule_id, "cluster_id": trial.cluster_id, "when": rule["when"], **trying.result()}

    def categories(self, tenant: str) -> Sequence[dict[str, Any]]:
        """Return every category with its lines and the rules of each."""
        rules = self.store.all(tenant)
        return [_category(category, [rule for rule in rules if rule["category"] == category.id]) for category in categories().values()]

    def category(self, tenant: str, category_id: str) -> dict[str, Any]:
        """Return a category with its rules whole; NotFoundError where there is none."""
        if category_id not in categories():
            raise NotFoundError(f"There is no category {category_id}.", id=category_id)
        rules = self.list(tenant, RuleFilter(category=category_id))
        return _category(categories()[category_id], rules) | {"items": rules}

    def _matched(self, tenant: str, rule_id: str, if_match: int | None) -> dict[str, Any]:
        before = self.store.get(tenant, rule_id)
        if if_match not in {None, before["version"]}:
            raise VersionConflictError(f"Rule {rule_id} changed since it was read.", id=rule_id)
        return before

    def _drafted(self, tenant: str, rule_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        if rule_id != NEW:
            return self.store.get(tenant, rule_id) | dict(changes)
        if "when" not in changes:
            raise InvalidRequestError([{"pointer": "#/when", "detail": "A new rule needs a condition."}])
        then = {
            "kind": "tag",
            "action": "",
            "target": None,
            "factor": 1.0,
            "minimum": None,
            "maximum": None,
            "unset": False,
            "of": "all",
            "tag": NEW,
        }
        blank: dict[str, Any] = {"explanation": "", "then": then, "scope": {"clusters": [], "namespaces": [], "labels": {}, "selector": ""}}
        return blank | dict(changes)


def _category(category: Category, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    of_line = {line: [rule["id"] for rule in rules if rule["line"] == line] for line, _ in category.lines}
    lines = [{"id": line, "title": title, "rules": of_line[line]} for line, title in category.lines]
    counts = {"rules": len(rules), "enabled": sum(bool(rule["enabled"]) for rule in rules)}
    return {"id": category.id, "title": category.title, "lines": lines, **counts}


def _described(features: Sequence[str]) -> list[dict[str, Any]]:
    from upid.engine.rules.catalogue import BY_NAME  # noqa: PLC0415 API groups must start without the engine

    return [BY_NAME[name]._asdict() for name in features]


def _hold(draft: RuleDraft) -> None:
    """Raise InvalidRequestError unless a draft can be stored."""
    if draft.category not in categories():
        raise InvalidRequestError([{"pointer": "#/category", "detail": f"There is {', '.join(categories())}."}])
    try:
        parse_selector(draft.scope.selector)
    except InvalidError as error:
        raise InvalidRequestError([{"pointer": "#/scope/selector", "detail": error.detail}]) from None
    _hold_text(draft.when, draft.explanation)


def _hold_text(when: str, explanation: str) -> None:
    from upid.services.rules.checking import faults_of  # noqa: PLC0415 API groups must start without the parser
    from upid.services.rules.explaining import template_faults  # noqa: PLC0415 for the same reason

    found = [("#/when", fault) for fault in faults_of(when)] + [("#/explanation", fault) for fault in template_faults(explanation)]
    if found:
        raise InvalidRequestError([_told(pointer, fault) for pointer, fault in found], "The rule can not be evaluated.")


def _told(pointer: str, fault: Fault) -> dict[str, str]:
    line, column = fault.position
    hint = f" Try {fault.suggestion}." if fault.suggestion else ""
    return {"pointer": pointer, "detail": f"Line {line}, column {column}: {fault.detail}{hint}"}
