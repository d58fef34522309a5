"""The categories of rules and the rules that come with the product, from their data file."""

from __future__ import annotations

from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from upid.services.rules.model import RuleDraft, Then

CREATED_AT: Final = "2026-01-01T00:00:00Z"  # built-in rules are as old as the product


class Category(NamedTuple):
    """A category, and the lines of what it covers: (id, what it says)."""

    id: str
    title: str
    lines: tuple[tuple[str, str], ...]


class BuiltIn(NamedTuple):
    """A built-in rule and the line of its category that it covers."""

    id: str
    line: str
    version: int
    draft: RuleDraft


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(resources.files(__package__).joinpath("builtin.json").read_bytes())
    return found


@cache
def categories() -> MappingProxyType[str, Category]:
    """Return the categories by id, in their order."""
    found = [Category(each["id"], each["title"], tuple(each["lines"].items())) for each in _data()["categories"]]
    return MappingProxyType({category.id: category for category in found})


@cache
def built_ins() -> MappingProxyType[str, BuiltIn]:
    """Return the built-in rules by id."""
    found = {}
    for rule in _data()["rules"]:
        draft = RuleDraft(rule["name"], rule["category"], rule["severity"], rule["when"], Then(**rule["then"]), rule["explanation"])
        found[rule["id"]] = BuiltIn(rule["id"], rule["line"], rule.get("version", 1), draft)
    return MappingProxyType(found)
