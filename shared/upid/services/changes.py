"""What changed between two surveys of a cluster, by uid: nothing is told of an object's content but that it is another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from upid.domain.objects import Row

Surveyed = Mapping[str, Sequence[Row]]
Told = Callable[[Row, Row], dict[str, Any] | None]


class Change(NamedTuple):
    """An event's kind (`pod.created`), the object, and what is told of the change."""

    kind: str
    row: Row
    told: Mapping[str, Any]


def changes(before: Surveyed, now: Surveyed) -> Iterator[Change]:
    """Yield what changed, kind by kind in the order of names; a kind that either survey could not read tells nothing."""
    for kind, noun in NOUNS.items():
        if kind in before and kind in now:
            yield from _of_kind(noun, before[kind], now[kind])


def _of_kind(noun: str, before: Sequence[Row], now: Sequence[Row]) -> Iterator[Change]:
    old, new = ({row["uid"]: row for row in rows} for rows in (before, now))
    born, gone = BORN_AND_GONE.get(noun, ("", ""))
    for uid, row in new.items():
        if uid not in old:
            if born:
                yield Change(f"{noun}.{born}", row, {})
            # What came and failed between two surveys is told of once more.
            yield from _updates(noun, NOTHING_YET, row) if noun == "pod" else ()
        elif old[uid] is not row:
            yield from _updates(noun, old[uid], row)
    if gone:
        yield from (Change(f"{noun}.{gone}", row, {}) for uid, row in old.items() if uid not in new)


def _updates(noun: str, old: Row, new: Row) -> Iterator[Change]:
    for verb, told in UPDATES[noun]:
        found = told(old, new)
        if found is not None:
            yield Change(f"{noun}.{verb}", new, found)


def _cordoned(old: Row, new: Row) -> dict[str, Any] | None:
    return {} if old["schedulable"] and not new["schedulable"] else None


def _failed(old: Row, new: Row) -> dict[str, Any] | None:
    is_new = new["phase"] == "Failed" and old["phase"] != "Failed"
    return {"reason": new["reason"], "node": new["node"]} if is_new else None


def _updated_pod(old: Row, new: Row) -> dict[str, Any] | None:
    """Return what of a pod that matters is another: most new versions of a pod are its kubelet's heartbeat."""
    watched = ("cpu_request_cores", "memory_request_bytes", "restarts", "node")
    told = {name: {"from": old[name], "to": new[name]} for name in watched if old["uid"] and old[name] != new[name]}
    return told or None


def _scaled(old: Row, new: Row) -> dict[str, Any] | None:
    return {"from": old["replicas"], "to": new["replicas"]} if old["replicas"] != new["replicas"] else None


def _updated_deployment(old: Row, new: Row) -> dict[str, Any] | None:
    if old["revision"] != new["revision"] or old["images"] != new["images"]:
        return {"revision": new["revision"], "images": new["images"]}
    # Scaling is a generation too, and has an event of its own.
    only_scaled = old["replicas"] != new["replicas"]
    return {"generation": new["generation"]} if old["generation"] != new["generation"] and not only_scaled else None


def _changed_content(old: Row, new: Row) -> dict[str, Any] | None:
    if old["content_hash"] == new["content_hash"]:
        return None
    keys = [{key["name"] for key in row["keys"]} for row in (old, new)]
    return {"keys_added": sorted(keys[1] - keys[0]), "keys_removed": sorted(keys[0] - keys[1])}


def _new_version(old: Row, new: Row) -> dict[str, Any] | None:
    return {"resource_version": new["resource_version"]} if old["resource_version"] != new["resource_version"] else None


def _updated_service(old: Row, new: Row) -> dict[str, Any] | None:
    told = [name for name in ("type", "ports", "selector", "external_name", "cluster_ip") if old[name] != new[name]]
    return {"changed": told} if told else None


NOTHING_YET: Final[Row] = MappingProxyType({"uid": "", "phase": ""})
NOUNS: Final[Mapping[str, str]] = MappingProxyType({
    "nodes": "node", "services": "service", "pods": "pod", "deployments": "deployment", "configmaps": "configmap", "secrets": "secret",
})  # fmt: skip
BORN_AND_GONE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "node": ("added", "removed"), "service": ("created", "deleted"), "pod": ("created", "deleted"),
})  # fmt: skip
UPDATES: Final[Mapping[str, tuple[tuple[str, Told], ...]]] = MappingProxyType(
    {
        "node": (("cordoned", _cordoned),),
        "service": (("updated", _updated_service),),
        "pod": (("failed", _failed), ("updated", _updated_pod)),
        "deployment": (("scaled", _scaled), ("updated", _updated_deployment)),
        "configmap": (("changed", _changed_content),),
        "secret": (("rotated", _new_version),),
    }
)
