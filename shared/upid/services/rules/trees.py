"""Expression trees as JSON: conditions of built-in rules are kept parsed, so that an analysis starts without the parser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final

from upid.engine.rules import expressions

NODES: Final[MappingProxyType[str, type[Any]]] = MappingProxyType({
    kind.__name__: kind
    for kind in (
        expressions.Arithmetic, expressions.AsDouble, expressions.Both, expressions.Choice, expressions.Comparison, expressions.Constant,
        expressions.Either, expressions.FeatureOf, expressions.Has, expressions.Negative, expressions.Not, expressions.OneOf, expressions.TextTest,
    )
})  # fmt: skip


def tree_body(node: expressions.Node) -> dict[str, Any]:
    """Return a tree as JSON: `node` is the kind, the other members are its fields."""
    told = {field.name: getattr(node, field.name) for field in fields(node)}  # type: ignore[arg-type] # every node is a dataclass
    return {"node": type(node).__name__} | {
        name: tree_body(value) if type(value) in NODES.values() else list(value) if isinstance(value, tuple) else value
        for name, value in told.items()
    }


def tree_of(body: Mapping[str, Any]) -> expressions.Node:
    """Return the tree that `tree_body` was given; KeyError or TypeError for anything else."""
    told = {
        name: tree_of(value) if isinstance(value, Mapping) else tuple(value) if isinstance(value, list) else value
        for name, value in body.items()
        if name != "node"
    }
    node: expressions.Node = NODES[body["node"]](**told)
    return node
