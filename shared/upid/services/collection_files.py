"""What the tasks of a collection hand on to each other, as blobs that go when it ends."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from upid.domain.errors import AppError, NotFoundError
from upid.domain.metrics import REASONS, USAGE
from upid.ports.blobs import Blobs
from upid.services.collection_plans import Plan, decode
from upid.services.rosters import Stay


def work_prefix(tenant: str, collection_id: str) -> str:
    """Return what the names of all intermediate blobs of a collection begin with."""
    return f"t/{tenant}/collections/{collection_id}/"


@dataclass(frozen=True, slots=True)
class CollectionFiles:
    """The intermediate blobs of one collection: its plan, the inventory of each group, and for each (window, group) a part per shard and a note that all parts are there.

    A task makes its own, which reads every note once: at the end of a collection all of them are looked through again and again.
    """

    blobs: Blobs
    prefix: str
    _notes: dict[int, Mapping[str, Any] | None] = field(default_factory=dict, repr=False, compare=False)

    def plan(self) -> Plan | None:
        """Return the plan, None before there is one."""
        try:
            return decode(self.blobs.get(f"{self.prefix}plan.json"))
        except NotFoundError:
            return None

    def save_plan(self, plan: Plan) -> None:
        """Store the plan; one that is there stays."""
        self.blobs.put(f"{self.prefix}plan.json", plan.encode(), if_absent=True)

    def inventory(self, group: Sequence[str]) -> bytes:
        """Return what `save_inventory` stored of a group of namespaces."""
        return self.blobs.get(self._group(group))

    def save_inventory(self, group: Sequence[str], data: bytes) -> None:
        """Store the part of the inventory that a group needs, so that no task parses all of a big cluster."""
        self.blobs.put(self._group(group), data)

    def note(self, item: int) -> Mapping[str, Any] | None:
        """Return what was collected for an item, None where it was not."""
        if item not in self._notes:
            self._notes[item] = self._read(self._item(item, "done"))
        return self._notes[item]

    def why(self, item: int, error: str) -> str:
        """Return what a task said of the error by which it failed, "" where it could not say it."""
        told = self._read(self._item(item, "failed")) or {}
        return str(told["Cause"]) if told.get("Error") == error else ""

    @contextlib.contextmanager
    def telling(self, item: int) -> Iterator[None]:
        """Keep by which error the work of an item fails: a state that carries all items has no room for what each of them says."""
        try:
            yield
        except Exception as error:
            with contextlib.suppress(AppError):  # where this fails too, the error's name alone is told
                self.blobs.put(self._item(item, "failed"), orjson.dumps({"Error": type(error).__name__, "Cause": str(error)}))
            raise

    def save(self, item: int, parts: Iterable[tuple[int, str, bytes]], note: Mapping[str, Any]) -> None:
        """Store an item's parts by shard and family (USAGE: CPU and memory), then the note, to which the parts' places are added."""
        places: dict[str, list[int]] = {USAGE: []}
        for shard, family, part in parts:
            self.blobs.put(self._part(item, shard, family), part)
            places.setdefault(family, []).append(shard)
        self.blobs.put(self._item(item, "done"), orjson.dumps({**note, "places": places}))
        self._notes.pop(item, None)

    def parts(self, item: int, shard: int) -> dict[str, bytes]:
        """Return an item's parts of a shard by family; none where it has none or was not collected."""
        places = (self.note(item) or {}).get("places", {})
        return {family: self.blobs.get(self._part(item, shard, family)) for family, shards in places.items() if shard in shards}

    def _read(self, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = orjson.loads(self.blobs.get(name))
        except NotFoundError:
            return None
        return found

    def _item(self, item: int, what: str) -> str:
        return f"{self.prefix}items/{item:06d}/{what}.json"

    def _part(self, item: int, shard: int, family: str) -> str:
        return f"{self.prefix}items/{item:06d}/{shard:04d}-{family}.bin"

    def _group(self, group: Sequence[str]) -> str:
        # By its namespaces, not by its number: a plan that was made twice, with another namespace in between, numbers them differently.
        return f"{self.prefix}groups/{blake2b('/'.join(group).encode(), digest_size=16).hexdigest()}.json"

    def warnings(self, item: int) -> list[str]:
        """Return what the source said was incomplete of an item."""
        note = self.note(item)
        return list(note["warnings"]) if note else []

    def quality(self, plan: Plan) -> dict[str, int]:
        """Return what was wrong in all that was collected, by reason, and how much of it was dropped and repaired in all."""
        total = Counter(dict.fromkeys(REASONS, 0))
        for item in range(plan.items):
            total.update((self.note(item) or {}).get("quality", {}))
        effects: Counter[str] = Counter()
        for reason, count in total.items():
            effects[REASONS[reason]] += count
        return dict(total) | {effect: effects[effect] for effect in ("dropped", "repaired")}

    def families(self, plan: Plan) -> dict[str, dict[str, Any]]:
        """Return what came of each family of the plan: how many samples, and in how many answers it was refused, with the first reason."""
        found: dict[str, dict[str, Any]] = {name: {"samples": 0, "refused": 0, "reason": ""} for name in plan.families}
        for note in filter(None, map(self.note, range(plan.items))):
            for name, samples in note.get("samples", {}).items():
                found[name]["samples"] += samples
            for name, reason in note.get("unanswered", ()):
                found[name] |= {"refused": found[name]["refused"] + 1, "reason": found[name]["reason"] or reason}
        return found

    def problems(self, plan: Plan) -> dict[str, tuple[str, int]]:
        """Return what was wrong with queries of the collector, by what they measure: the first reason, and in how many answers there was one."""
        found: dict[str, tuple[str, int]] = {}
        for note in filter(None, map(self.note, range(plan.items))):
            for subject, reason in note.get("problems", ()):
                first, count = found.get(subject, (reason, 0))
                found[subject] = (first, count + 1)
        return found

    def stays(self, plan: Plan) -> Iterator[Stay]:
        """Yield where pods were that are gone by now, as the source told."""
        for note in filter(None, map(self.note, range(plan.items))):
            yield from map(Stay._make, note.get("stays", ()))

    def refused(self, plan: Plan, window: int) -> dict[str, str]:
        """Return the namespaces of a window that the source refused for good, with the reason, though their group was collected."""
        notes = (self.note(window * len(plan.groups) + group) for group in range(len(plan.groups)))
        return {namespace: reason for note in notes if note for namespace, reason in note.get("refused", ())}

    def missing(self, plan: Plan, window: int) -> list[int]:
        """Return the groups of a window that were not collected."""
        groups = len(plan.groups)
        return [group for group in range(groups) if self.note(window * groups + group) is None]

    def foldable(self, plan: Plan) -> list[int]:
        """Return the windows to fold, oldest first: all in front of the first hole, or all that have any group where gaps are accepted."""
        ready: list[int] = []
        for window in range(len(plan.windows)):
            missing = len(self.missing(plan, window))
            if missing and (not plan.accept_gaps or missing == len(plan.groups)):
                break
            ready.append(window)
        return ready
