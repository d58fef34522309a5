"""Listed objects as the rows that are shown. What a Secret or ConfigMap holds is measured here and goes no further."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import orjson

from upid.adapters.kubernetes.cluster_parts import INSTANCE_TYPE, REGION, capacity_type, first_of
from upid.adapters.kubernetes.pod_rows import pod_row
from upid.domain.objects import ObjectKind
from upid.domain.quantities import parse_quantity

Body = Mapping[str, Any]
Reduced = dict[str, Any]

ZONE: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
REVISION: Final = "deployment.kubernetes.io/revision"
PRESSURES: Final = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"})
FAULTS: Final = (AttributeError, KeyError, TypeError, ValueError)


def row_of(kind: ObjectKind, body: Body) -> Reduced | None:
    """Return an object's row, None where it is malformed."""
    try:
        metadata = body["metadata"]
        row: Reduced = {"namespace": str(metadata["namespace"])} if metadata.get("namespace") else {}
        row |= {
            "name": str(metadata["name"]), "uid": str(metadata.get("uid") or ""), "created_at": metadata.get("creationTimestamp"),
            "labels": metadata.get("labels") or {}, "resource_version": str(metadata.get("resourceVersion") or ""),
        }  # fmt: skip
        return row | REDUCERS[kind](body, body.get("spec") or {}, body.get("status") or {})
    except FAULTS:
        return None


def owner_of(body: Body) -> Reduced | None:
    """Return what controls an object, None where nothing does; TypeError or KeyError where that is malformed."""
    owners = body["metadata"].get("ownerReferences") or ()
    chosen = next((owner for owner in owners if owner.get("controller")), None)
    return {"kind": chosen["kind"], "name": chosen["name"], "uid": chosen["uid"]} if chosen else None


def _namespace(_body: Body, _spec: Body, status: Body) -> Reduced:
    return {"phase": status.get("phase") or ""}


def _node(body: Body, spec: Body, status: Body) -> Reduced:
    labels: Mapping[str, str] = body["metadata"].get("labels") or {}
    given, info = status.get("allocatable") or status.get("capacity") or {}, status.get("nodeInfo") or {}
    states = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    return {
        "ready": states.get("Ready") == "True", "schedulable": not spec.get("unschedulable"), "pressures": sorted(p for p in PRESSURES if states.get(p) == "True"),
        "taints": [f"{taint['key']}:{taint['effect']}" for taint in spec.get("taints") or ()], "cpu_cores": _quantity(given, "cpu"),
        "memory_bytes": _quantity(given, "memory"), "pods": _quantity(given, "pods"), "instance_type": first_of(labels, INSTANCE_TYPE),
        "region": first_of(labels, REGION), "zone": first_of(labels, ZONE), "capacity_type": capacity_type(labels),
        "kubelet_version": info.get("kubeletVersion") or "", "architecture": info.get("architecture") or "", "os_image": info.get("osImage") or "",
    }  # fmt: skip


def _pod(body: Body, spec: Body, status: Body) -> Reduced:
    return pod_row(body, spec, status) | {"owner": owner_of(body)}


def _workload(kind: str) -> Callable[[Body, Body, Body], Reduced]:
    def reduce(body: Body, spec: Body, status: Body) -> Reduced:
        # The same name means another thing in another kind: `active` is a list in a CronJob and a count in a Job.
        wanted, ready = spec.get("replicas", 1), status.get("readyReplicas")
        if kind == "DaemonSet":
            wanted, ready = status.get("desiredNumberScheduled"), status.get("numberReady")
        elif kind == "Job":
            wanted, ready = spec.get("parallelism", 1), status.get("ready")
        elif kind == "CronJob":
            wanted, ready = None, len(status.get("active") or ())
        return {"kind": kind, "replicas": wanted, "ready_replicas": ready or 0, "owner": owner_of(body), "images": _images(kind, spec)}

    return reduce


def _deployment(body: Body, spec: Body, status: Body) -> Reduced:
    metadata = body["metadata"]
    return _workload("Deployment")(body, spec, status) | {
        "updated_replicas": status.get("updatedReplicas") or 0, "available_replicas": status.get("availableReplicas") or 0,
        "paused": bool(spec.get("paused")), "strategy": (spec.get("strategy") or {}).get("type") or "", "generation": metadata.get("generation") or 0,
        "revision": (metadata.get("annotations") or {}).get(REVISION) or "",
    }  # fmt: skip


def _service(_body: Body, spec: Body, _status: Body) -> Reduced:
    return {
        "type": spec.get("type") or "ClusterIP", "cluster_ip": spec.get("clusterIP") or "", "external_name": spec.get("externalName") or "",
        "selector": spec.get("selector") or {}, "ports": [
            {"name": port.get("name") or "", "port": port["port"], "protocol": port.get("protocol") or "TCP", "target": str(port.get("targetPort") or "")}
            for port in spec.get("ports") or ()
        ],
    }  # fmt: skip


def _configmap(body: Body, _spec: Body, _status: Body) -> Reduced:
    plain, binary = body.get("data") or {}, body.get("binaryData") or {}
    sizes = {key: len(text.encode()) for key, text in plain.items()} | {key: _decoded_size(text) for key, text in binary.items()}
    content = orjson.dumps([plain, binary], option=orjson.OPT_SORT_KEYS)
    return {
        "keys": [{"name": key, "size_bytes": size} for key, size in sorted(sizes.items())], "size_bytes": sum(sizes.values()),
        "immutable": bool(body.get("immutable")), "content_hash": hashlib.blake2b(content, digest_size=16).hexdigest(),
    }  # fmt: skip


def _secret(body: Body, _spec: Body, _status: Body) -> Reduced:
    sizes = [_decoded_size(text) for text in (body.get("data") or {}).values()]
    return {"type": body.get("type") or "Opaque", "keys": len(sizes), "size_bytes": sum(sizes), "immutable": bool(body.get("immutable"))}


def _node_metrics(body: Body, _spec: Body, _status: Body) -> Reduced:
    usage = body["usage"]
    return {"cpu_cores": _quantity(usage, "cpu"), "memory_bytes": _quantity(usage, "memory"), "measured_at": body.get("timestamp")}


def _pod_metrics(body: Body, _spec: Body, _status: Body) -> Reduced:
    containers = [
        {"name": str(found["name"]), "cpu_cores": _quantity(found["usage"], "cpu"), "memory_bytes": _quantity(found["usage"], "memory")}
        for found in body["containers"]
    ]
    return {"containers": containers, "measured_at": body.get("timestamp")}


def _images(kind: str, spec: Body) -> list[str]:
    holder = (spec.get("jobTemplate") or {}).get("spec") or {} if kind == "CronJob" else spec
    pod = (holder.get("template") or {}).get("spec") or {}
    return [str(box.get("image") or "") for box in pod.get("containers") or ()]


def _decoded_size(text: str) -> int:
    """Return how many bytes a text in base 64 stands for, without decoding it."""
    return len(text) // 4 * 3 - text.count("=", -2)


def _quantity(figures: Mapping[str, Any], resource: str) -> float | None:
    return parse_quantity(figures[resource]) if resource in figures else None


REDUCERS: Final[Mapping[ObjectKind, Callable[[Body, Body, Body], Reduced]]] = MappingProxyType({
    "namespaces": _namespace, "nodes": _node, "pods": _pod, "deployments": _deployment, "services": _service, "configmaps": _configmap,
    "secrets": _secret, "statefulsets": _workload("StatefulSet"), "daemonsets": _workload("DaemonSet"), "replicasets": _workload("ReplicaSet"),
    "jobs": _workload("Job"), "cronjobs": _workload("CronJob"), "rollouts": _workload("Rollout"), "nodemetrics": _node_metrics,
    "podmetrics": _pod_metrics,
})  # fmt: skip
