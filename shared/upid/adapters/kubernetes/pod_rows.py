"""A pod as it is shown: what it asks for as the scheduler counts it, and how it stands as kubectl tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from upid.domain.quantities import parse_quantity

Body = Mapping[str, Any]

ENDED: Final = frozenset({"Succeeded", "Failed"})
SIDECAR: Final = "Always"  # restartPolicy of an init container that stays beside the others
RESIZES: Final = {"InProgress": "in_progress", "Proposed": "in_progress", "Deferred": "deferred", "Infeasible": "infeasible"}


def pod_row(body: Body, spec: Body, status: Body) -> dict[str, Any]:
    """Return what is shown of a pod but for its metadata and owner; TypeError, KeyError or ValueError where it is malformed."""
    inits, boxes = spec.get("initContainers") or (), spec.get("containers") or ()
    beside = {box["name"] for box in inits if box.get("restartPolicy") == SIDECAR}
    before, states = status.get("initContainerStatuses") or (), status.get("containerStatuses") or ()
    running = [*states, *(state for state in before if state["name"] in beside)]
    return {
        "phase": status.get("phase") or "", "reason": _reason(body, status, before, states, beside), "resize": _resize(status),
        "node": spec.get("nodeName") or "", "containers": len(boxes) + len(beside), "ready_containers": sum(bool(state.get("ready")) for state in running),
        "restarts": sum(state.get("restartCount") or 0 for state in running), "qos_class": status.get("qosClass") or "",
        "cpu_request_cores": requested(spec, "cpu"), "memory_request_bytes": requested(spec, "memory"),
    }  # fmt: skip


def requested(spec: Body, resource: str) -> float | None:
    """Return what a pod asks for as the scheduler counts it, None where it asks for nothing.

    What is set for the whole pod stands for all. Else the larger of what runs together, sidecars included, and of any moment of the start, when an
    init container runs beside the sidecars before it. The overhead of the pod's runtime class comes on top (Kubernetes' `PodRequests`).
    """
    whole = _asked(spec, resource)
    if whole is None:
        inits = [(box.get("restartPolicy") == SIDECAR, _asked(box, resource)) for box in spec.get("initContainers") or ()]
        mains = [_asked(box, resource) for box in spec.get("containers") or ()]
        if all(asked is None for asked in (*mains, *(asked for _, asked in inits))):
            return None
        beside = peak = 0.0
        for stays, asked in inits:
            peak = max(peak, beside + (asked or 0.0))
            beside += (asked or 0.0) if stays else 0.0
        whole = max(sum(asked or 0.0 for asked in mains) + beside, peak)
    overhead = (spec.get("overhead") or {}).get(resource)
    return whole + (parse_quantity(overhead) if overhead is not None else 0.0)


def _asked(holder: Body, resource: str) -> float | None:
    figure = ((holder.get("resources") or {}).get("requests") or {}).get(resource)
    return None if figure is None else parse_quantity(figure)


def _reason(body: Body, status: Body, before: Iterable[Body], states: Iterable[Body], beside: set[str]) -> str:
    """Return why a pod is not simply running: that it is leaving, its own reason, or what a container of it waits for, in the order of kubectl."""
    if body["metadata"].get("deletionTimestamp") and status.get("phase") not in ENDED:
        return "Terminating"
    told = status.get("reason")
    if told:
        return str(told)
    first = next((f"Init:{why}" for state in before if state["name"] not in beside and (why := _waiting(state))), "")
    return first or next(filter(None, _waits((*before, *states))), "")


def _waits(states: Iterable[Body]) -> Iterator[str]:
    return (_waiting(state) for state in states)


def _waiting(state: Body) -> str:
    """Return why a container does not run (CrashLoopBackOff ...), "" where it does."""
    return str(((state.get("state") or {}).get("waiting") or {}).get("reason") or "")


def _resize(status: Body) -> str:
    """Return how a resize in place stands, "" where none is under way: by the conditions of 1.33, or the field that they took the place of."""
    for condition in status.get("conditions") or ():
        if condition["status"] == "True" and condition["type"] == "PodResizePending":
            return RESIZES.get(str(condition.get("reason")), "deferred")
        if condition["status"] == "True" and condition["type"] == "PodResizeInProgress":
            return "in_progress"
    return RESIZES.get(str(status.get("resize")), "")
