"""Pods: who owns each, and what pods without a listed owner make as workloads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from upid.adapters.kubernetes.objects import Meta, meta_of
from upid.adapters.kubernetes.workloads import LISTED, POD, Found, reduce_workload, unreadable
from upid.domain.inventory import Unreadable

MIRROR: Final = "Node"
ENDED: Final = frozenset({"Succeeded", "Failed"})


class PodRow(NamedTuple):
    """A listed pod. `own`: its figures, only where no listed kind owns it. `claims`: names of the PersistentVolumeClaims that it mounts."""

    meta: Meta
    node: str
    phase: str
    own: Found | None
    claims: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Tell whether it is a workload by itself: nobody owns it, or its kubelet does (a static pod's mirror)."""
        return self.meta.owner is None or self.meta.owner.kind == MIRROR

    @property
    def live(self) -> bool:
        """Tell whether it runs or is going to."""
        return self.phase not in ENDED


def reduce_pod(body: Mapping[str, Any]) -> PodRow | Unreadable:
    """Return a listed pod reduced to a row; an Unreadable that names it where it is malformed."""
    try:
        meta = meta_of(body)
        node = str((body.get("spec") or {}).get("nodeName") or "")
        phase = str((body.get("status") or {}).get("phase") or "")
        claims = tuple(_claims(meta.name, (body.get("spec") or {}).get("volumes") or ()))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return unreadable("Pod", body, error)
    if meta.owner is not None and meta.owner.kind in LISTED:
        return PodRow(meta._replace(labels={}), node, phase, None, claims)
    found = reduce_workload(POD, body)
    return found if isinstance(found, Unreadable) else PodRow(meta, node, phase, found, claims)


def _claims(pod: str, volumes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the claims of a pod's volumes; that of a generic ephemeral volume is named after the pod and the volume, as Kubernetes says."""
    for volume in volumes:
        if "persistentVolumeClaim" in volume:
            yield str(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            yield f"{pod}-{volume['name']}"
