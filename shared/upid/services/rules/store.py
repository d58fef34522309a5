"""Rules of users, and which built-in ones are disabled, as records; every version stays.

`t#<tenant>#rules` holds the rules by id (of a built-in one only whether it is enabled), `t#<tenant>#rule-versions` every version of them,
`t#<tenant>#rule-changes` one record whose version counts the changes of all: it is written with each of them, and tells with one read whether what was
made of the rules still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from upid.domain.errors import NotFoundError, VersionConflictError
from upid.ports.clock import Clock
from upid.ports.records import Delete, Key, Put, Record, Records
from upid.services.caches import Cache
from upid.services.rules.catalogue import CREATED_AT, BuiltIn, built_ins
from upid.services.rules.model import MOST_RULES, TooManyRulesError

# DynamoDB may show the count of a change before it shows the change, for a moment: what is read then is used, and not kept.
SETTLING_SECONDS: Final = 10.0
IN_MEMORY: Final = 5  # bytes in memory for each byte of JSON, about
ALL: Final = "all"


class Kept(NamedTuple):
    """What was made of rules, and about what it takes in memory. [bytes]"""

    value: Any
    size_bytes: int

    def size_of(self) -> int:
        """Return the size, as a cache asks for it."""
        return self.size_bytes


@dataclass(frozen=True, slots=True)
class RuleStore:
    """Reads and writes rules of tenants. kept: what was made of the rules as they are at one count of changes."""

    records: Records
    clock: Clock
    kept: Cache[Kept]

    def all(self, tenant: str) -> Sequence[Mapping[str, Any]]:
        """Return all rules as clients see them, in the order of their ids; they are shared with others, so not to be changed."""
        return self._all(tenant, self._count(tenant))

    def made(self, tenant: str, what: Hashable, make: Callable[[Sequence[Mapping[str, Any]]], Kept]) -> Any:
        """Return what `make` gives of all rules as they are now, without reading them where it was made of the very same before. `what` names it."""
        count = self._count(tenant)
        if count is None:
            return make(self._all(tenant, count)).value
        return self.kept.get((tenant, what), lambda: make(self._all(tenant, count)), version=count).value

    def _count(self, tenant: str) -> tuple[float, ...] | None:
        """Return what is the same again only while no rule changes; None where one did a moment ago."""
        last = self.records.get(_change_key(tenant))
        if last is None:
            return ()
        return None if self.clock.now() - last.body["at"] < SETTLING_SECONDS else (last.version, last.body["at"])

    def _all(self, tenant: str, count: tuple[float, ...] | None) -> Sequence[Mapping[str, Any]]:
        if count is None:
            return self._views(tenant)
        views: Sequence[Mapping[str, Any]] = self.kept.get((tenant, ALL), lambda: _sized(self._views(tenant)), version=count).value
        return views

    def _views(self, tenant: str) -> Sequence[Mapping[str, Any]]:
        own = {record.key.sort: record for record in self._own(tenant)}
        views = [_built_in_view(rule, own.get(rule.id)) for rule in built_ins().values()]
        views += [_own_view(record.body) for name, record in own.items() if name not in built_ins()]
        return sorted(views, key=lambda view: str(view["id"]))

    def get(self, tenant: str, rule_id: str, version: int | None = None) -> dict[str, Any]:
        """Return a rule, the version of it that is named; NotFoundError where there is none."""
        built_in = built_ins().get(rule_id)
        record = self.records.get(_key(tenant, rule_id))
        if record is None and built_in is None:
            raise NotFoundError(f"There is no rule {rule_id}.", id=rule_id)
        view = _built_in_view(built_in, record) if built_in else _own_view(record.body) if record else {}
        if version in {None, view["version"]}:
            return view
        old = None if built_in else self.records.get(_version_key(tenant, rule_id, version or 0))
        if old is None:
            raise NotFoundError(f"There is no version {version} of rule {rule_id}.", id=rule_id)
        return _own_view(old.body)

    def add(self, tenant: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write a new rule; TooManyRulesError where the tenant has as many as it may have."""
        if len(self._own(tenant)) >= MOST_RULES:
            raise TooManyRulesError(f"There are at most {MOST_RULES} rules of users.")
        self.records.transact(self._writes(tenant, body, expect=0))
        return _own_view(body)

    def change(self, tenant: str, body: Mapping[str, Any], *, expect: int) -> dict[str, Any]:
        """Write a rule's next version; VersionConflictError where the one before is not `expect`."""
        record = self._expected(tenant, body["id"], expect)
        self.records.transact(self._writes(tenant, body, expect=record.version))
        return _own_view(body)

    def switch(self, tenant: str, rule: BuiltIn, *, enabled: bool, expect: int) -> dict[str, Any]:
        """Enable or disable a built-in rule; VersionConflictError where its version is not `expect`."""
        record = self.records.get(_key(tenant, rule.id))
        if _built_in_view(rule, record)["version"] != expect:
            raise _conflict(rule.id)
        body = {"id": rule.id, "enabled": enabled, "version": expect + 1}
        self.records.transact([Put(_key(tenant, rule.id), body, expect=record.version if record else 0), self._change(tenant)])
        return self.get(tenant, rule.id)

    def remove(self, tenant: str, rule_id: str, *, expect: int) -> None:
        """Remove a user's rule; its versions stay as what once ran. VersionConflictError where its version is not `expect`."""
        record = self._expected(tenant, rule_id, expect)
        self.records.transact([Delete(record.key, expect=record.version), self._change(tenant)])

    def _expected(self, tenant: str, rule_id: str, expect: int) -> Record:
        record = self.records.get(_key(tenant, rule_id))
        if record is None or record.body["version"] != expect:
            raise _conflict(rule_id)
        return record

    def _writes(self, tenant: str, body: Mapping[str, Any], *, expect: int) -> list[Put]:
        version = _version_key(tenant, body["id"], body["version"])
        return [Put(_key(tenant, body["id"]), body, expect=expect), Put(version, body, expect=0), self._change(tenant)]

    def _change(self, tenant: str) -> Put:
        return Put(_change_key(tenant), {"at": self.clock.now()})

    def _own(self, tenant: str) -> list[Record]:
        found: list[Record] = []
        after: str | None = None
        while True:
            page = self.records.query(_key(tenant, "").partition, after=after, limit=500)
            found.extend(page.items)
            after = page.after
            if after is None:
                return found


def _sized(views: Sequence[Mapping[str, Any]]) -> Kept:
    return Kept(views, IN_MEMORY * len(orjson.dumps(views)))


def _conflict(rule_id: str) -> VersionConflictError:
    return VersionConflictError(f"Rule {rule_id} changed since it was read.", id=rule_id)


def _key(tenant: str, rule_id: str) -> Key:
    return Key(f"t#{tenant}#rules", rule_id)


def _change_key(tenant: str) -> Key:
    return Key(f"t#{tenant}#rule-changes", "all")


def _version_key(tenant: str, rule_id: str, version: int) -> Key:
    return Key(f"t#{tenant}#rule-versions", f"{rule_id}#{version:08d}")


def _built_in_view(rule: BuiltIn, record: Record | None) -> dict[str, Any]:
    held = record.body if record else {"enabled": True, "version": rule.version}
    told = {"id": rule.id, "version": held["version"], "built_in": True, "line": rule.line}
    by = {"created_at": CREATED_AT, "updated_at": CREATED_AT, "created_by": "upid", "updated_by": "upid"}
    return told | rule.draft.body() | {"enabled": held["enabled"]} | by


def _own_view(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"built_in": False, "line": None} | dict(body)
