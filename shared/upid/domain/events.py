"""Domain events: CloudEvents 1.0 with the blueprint's names as `type`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TYPES: Final = frozenset({
    "cluster.registered", "cluster.updated", "cluster.deleted", "collection.started", "collection.completed", "collection.failed",
    "analysis.started", "analysis.completed", "analysis.failed", "recommendation.generated", "recommendation.reviewed", "user.created", "user.logged_in",
    "node.added", "node.removed", "node.cordoned", "service.created", "service.updated", "service.deleted", "pod.created", "pod.updated", "pod.deleted",
    "pod.failed", "deployment.scaled", "deployment.updated", "configmap.changed", "secret.rotated", "circuit.opened", "circuit.half_opened", "circuit.closed",
    "cluster.key_rotated",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, told once. `time`: seconds since the epoch; `subject`: the id that it is about; `actor`: who did it."""

    id: str
    type: str
    tenant: str
    subject: str
    time: float
    data: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "system"
