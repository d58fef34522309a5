"""Parsed conditions as JSON, and the rules of an analysis."""

from __future__ import annotations

import pytest
from unit.services.rules.making import Writer

from upid.services.rules.active import ActiveRule, active_rules, built_in_rules, features_in
from upid.services.rules.catalogue import built_ins
from upid.services.rules.checking import check
from upid.services.rules.trees import tree_body, tree_of


@pytest.mark.parametrize("seed", range(40))
def test_a_tree_comes_back_as_it_was(seed: int) -> None:
    text, _ = Writer(seed).condition(4)
    checked = check(text)

    assert tree_of(tree_body(checked.node)) == checked.node
    assert sorted(set(features_in(checked.node))) == list(checked.features)


def test_the_stored_trees_of_built_in_rules_are_current() -> None:
    rules = {rule.id: rule for rule in built_in_rules()}

    assert list(rules) == sorted(built_ins())
    for built_in in built_ins().values():
        assert rules[built_in.id].node == check(built_in.draft.when).node, "run scripts/rules.py"


def test_a_rule_comes_back_as_it_was() -> None:
    for rule in built_in_rules():
        assert ActiveRule.of(rule.body()) == rule


def test_rules_of_other_clusters_are_left_out() -> None:
    (draft,) = [rule.draft for rule in built_ins().values() if rule.id == "memory-oom"]
    view = draft.body() | {"id": "rul_1", "version": 1, "scope": {"clusters": ["cl_1"], "namespaces": [], "labels": {}}}

    assert [rule.id for rule in active_rules([view], "cl_1")] == ["rul_1"]
    assert active_rules([view], "cl_2") == active_rules([view], None) == active_rules([view | {"enabled": False}], "cl_1") == []
