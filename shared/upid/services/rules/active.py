"""Rules as an analysis applies them: enabled, in its cluster, parsed, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, Final

import orjson

from upid.engine.rules.effects import Adjustment, Veto
from upid.engine.rules.expressions import FeatureOf, Has, Node
from upid.ports.blobs import Blobs
from upid.services.rules.catalogue import built_ins
from upid.services.rules.explaining import placeholders
from upid.services.rules.store import IN_MEMORY, Kept, RuleStore
from upid.services.rules.trees import NODES, tree_body, tree_of

TOLD: Final = ("id", "version", "name", "category", "severity", "then", "explanation", "scope")


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule with its parsed condition. `then` and `scope` are as `RuleDraft.body` has them."""

    id: str
    version: int
    name: str
    category: str
    severity: str
    then: Mapping[str, Any]
    explanation: str
    scope: Mapping[str, Any]
    node: Node

    @property
    def features(self) -> tuple[str, ...]:
        """What its condition and its explanation read, sorted."""
        return tuple(sorted({*features_in(self.node), *placeholders(self.explanation)}))

    @property
    def effect(self) -> Adjustment | Veto | None:
        """What it does to recommended amounts; None = nothing."""
        return effect_of(self.then)

    def body(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {name: getattr(self, name) for name in TOLD} | {"tree": tree_body(self.node)}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> ActiveRule:
        """Return the rule that `body` was made from."""
        return cls(**{name: body[name] for name in TOLD}, node=tree_of(body["tree"]))


def effect_of(then: Mapping[str, Any]) -> Adjustment | Veto | None:
    """Return what a rule's `then` does to recommended amounts; None = nothing."""
    if then["kind"] == "adjustment":
        return Adjustment(**{name: then[name] for name in Adjustment._fields})
    return Veto(then["of"]) if then["kind"] == "veto" else None


def features_in(node: Node) -> Iterator[str]:
    """Yield every feature that a tree reads."""
    if isinstance(node, FeatureOf | Has):
        yield node.name
    for field in fields(node):  # type: ignore[arg-type] # every node is a dataclass
        value = getattr(node, field.name)
        if type(value) in NODES.values():
            yield from features_in(value)


@cache
def _built_in_trees() -> dict[str, Any]:
    """Return the parsed conditions of the built-in rules by id, as `scripts/rules.py` writes them."""
    found: dict[str, Any] = orjson.loads(resources.files(__package__).joinpath("builtin_trees.json").read_bytes())
    return found


def active_rules(views: Sequence[Mapping[str, Any]], cluster_id: str | None) -> list[ActiveRule]:
    """Return the rules of `RuleStore.all` that are enabled and apply in a cluster; of None, those that apply in every cluster."""
    wanted = [view for view in views if view["enabled"] and (not view["scope"]["clusters"] or cluster_id in view["scope"]["clusters"])]
    return [ActiveRule(**{name: view[name] for name in TOLD}, node=_node(view)) for view in wanted]


def built_in_rules() -> list[ActiveRule]:
    """Return the rules that come with the product, all enabled."""
    found = [asdict(rule.draft) | {"id": rule.id, "version": rule.version} for rule in built_ins().values()]
    return active_rules(sorted(found, key=lambda view: str(view["id"])), None)


def _node(view: Mapping[str, Any]) -> Node:
    if view["id"] in built_ins():
        return tree_of(_built_in_trees()[view["id"]])
    from upid.services.rules.checking import check  # noqa: PLC0415 only who has rules of their own waits for the parser

    return check(view["when"]).node


@dataclass(frozen=True, slots=True)
class RuleSets:
    """The rules of each analysis, as they were when it began: a blob beside its results."""

    store: RuleStore
    blobs: Blobs

    def keep(self, tenant: str, analysis_id: str, cluster_id: str) -> None:
        """Store the rules that apply in a cluster now; what was stored for the analysis before stays."""
        self.blobs.put(
            _name(tenant, analysis_id), self.store.made(tenant, cluster_id, lambda views: _packed(views, cluster_id)), if_absent=True
        )

    def of(self, tenant: str, analysis_id: str) -> Sequence[ActiveRule]:
        """Return the rules of an analysis; NotFoundError where none were kept. They never change, so they are read once for all of its shards."""
        found: Sequence[ActiveRule] = self.store.kept.get((tenant, analysis_id), lambda: self._read(tenant, analysis_id)).value
        return found

    def _read(self, tenant: str, analysis_id: str) -> Kept:
        data = self.blobs.get(_name(tenant, analysis_id))
        return Kept(tuple(ActiveRule.of(body) for body in orjson.loads(data)), IN_MEMORY * len(data))


def _packed(views: Sequence[Mapping[str, Any]], cluster_id: str) -> Kept:
    data = orjson.dumps([rule.body() for rule in active_rules(views, cluster_id)])
    return Kept(data, len(data))


def _name(tenant: str, analysis_id: str) -> str:
    return f"t/{tenant}/analyses/{analysis_id}/rules.json"
