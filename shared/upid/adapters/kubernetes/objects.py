"""What every Kubernetes object has: identity, labels, owner, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Owner(NamedTuple):
    """The object that controls another."""

    kind: str
    name: str
    uid: str


class Meta(NamedTuple):
    """An object's identity and what hangs on it. `created_at`: seconds since the epoch, 0 = not told."""

    namespace: str
    name: str
    uid: str
    created_at: float
    labels: dict[str, str]
    owner: Owner | None


def meta_of(body: Mapping[str, Any]) -> Meta:
    """Return an object's metadata; KeyError, TypeError or ValueError where it has no name or is malformed."""
    metadata = body["metadata"]
    labels = {str(key): str(value) for key, value in (metadata.get("labels") or {}).items()}
    return Meta(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        uid=str(metadata.get("uid") or ""),
        created_at=_seconds(metadata.get("creationTimestamp")),
        labels=labels,
        owner=_owner(metadata),
    )


def name_of(body: Mapping[str, Any]) -> str:
    """Return `namespace/name` for a message, however malformed the object is."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return "(without a name)"
    return "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key)) or "(without a name)"


def _owner(metadata: Mapping[str, Any]) -> Owner | None:
    owners = metadata.get("ownerReferences") or ()
    chosen = next((owner for owner in owners if owner.get("controller")), None)
    return Owner(str(chosen["kind"]), str(chosen["name"]), str(chosen["uid"])) if chosen else None


def _seconds(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp() if text else 0.0
