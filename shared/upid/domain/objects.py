"""What a cluster's API lists, as it is shown: one row per object, JSON as it stands. No row holds a value of a Secret or ConfigMap.

Every row has `name`, `uid`, `created_at` (as Kubernetes writes it), `labels` and `resource_version`, and `namespace` where its kind has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

ObjectKind = Literal[
    "namespaces", "nodes", "pods", "deployments", "services", "configmaps", "secrets", "statefulsets", "daemonsets", "replicasets", "jobs",
    "cronjobs", "rollouts", "nodemetrics", "podmetrics",
]  # fmt: skip
KINDS: Final[tuple[ObjectKind, ...]] = get_args(ObjectKind)
WORKLOAD_KINDS: Final[tuple[ObjectKind, ...]] = ("deployments", "statefulsets", "daemonsets", "cronjobs", "rollouts", "replicasets", "jobs")
SURVEYED: Final[tuple[ObjectKind, ...]] = ("namespaces", "nodes", "pods", "deployments", "services", "configmaps", "secrets", "nodemetrics")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """Rows in the order of the API server; `after`: where it goes on, None = no more. `malformed`: objects that could not be read and are left out."""

    rows: Sequence[Row]
    after: str | None = None
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """The rows of each surveyed kind, sorted by namespace and name, and why a kind is not there ("" = the server does not know it)."""

    rows: Mapping[str, Sequence[Row]]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Permission:
    """What an account may be asked to be allowed: a verb on a resource (`pods/resize` is one with its subresource) of a group."""

    group: str
    resource: str
    verb: str


@dataclass(frozen=True, slots=True)
class Connection:
    """How an API server is reached. `tls`: the protocol ("" = plain HTTP); `certificate_until`: its end in seconds since the epoch, None = not told."""

    server: str
    tls: str = ""
    verified: bool = False
    certificate_until: float | None = None


def place(row: Row) -> tuple[str, str]:
    """Return the namespace ("" = none) and name of a row: the order of every list."""
    return str(row.get("namespace") or ""), str(row["name"])
