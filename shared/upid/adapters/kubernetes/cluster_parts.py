"""Nodes, autoscalers and claims of storage, reduced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from upid.adapters.kubernetes.objects import meta_of
from upid.adapters.kubernetes.workloads import unreadable
from upid.domain.inventory import Autoscaler, Claim, Node, Unreadable
from upid.domain.quantities import parse_quantity

INSTANCE_TYPE: Final = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
REGION: Final = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
CAPACITY_TYPE: Final = (
    "karpenter.sh/capacity-type",
    "eks.amazonaws.com/capacityType",
    "kubernetes.azure.com/scalesetpriority",
    "node.kubernetes.io/lifecycle",
    "cloud.google.com/gke-provisioning",
)
SPOT_FLAGS: Final = ("cloud.google.com/gke-spot", "cloud.google.com/gke-preemptible")
CAPACITY_WORDS: Final = {
    "spot": "spot", "preemptible": "spot", "on-demand": "on-demand", "ondemand": "on-demand", "regular": "on-demand", "normal": "on-demand",
    "standard": "on-demand", "reserved": "reserved",
}  # fmt: skip


class Target(NamedTuple):
    """What an autoscaler scales."""

    namespace: str
    kind: str
    name: str


def reduce_node(body: Mapping[str, Any]) -> Node | Unreadable:
    """Return a listed node; an Unreadable that names it where its figures can't be read."""
    try:
        meta = meta_of(body)
        status = body.get("status") or {}
        given = status.get("allocatable") or status.get("capacity") or {}
        return Node(
            name=meta.name,
            uid=meta.uid,
            cpu_cores=parse_quantity(given["cpu"]),
            memory_bytes=parse_quantity(given["memory"]),
            instance_type=first_of(meta.labels, INSTANCE_TYPE),
            region=first_of(meta.labels, REGION),
            capacity_type=capacity_type(meta.labels),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return unreadable("Node", body, error)


def reduce_autoscaler(body: Mapping[str, Any]) -> tuple[Target, Autoscaler] | Unreadable:
    """Return a HorizontalPodAutoscaler (autoscaling/v2 or v1) and what it scales; an Unreadable that names it where it is malformed."""
    try:
        meta = meta_of(body)
        spec = body["spec"]
        wanted = spec["scaleTargetRef"]
        shares = dict(_utilizations(spec))
        scaler = Autoscaler(
            name=meta.name,
            min_replicas=int(spec.get("minReplicas", 1)),
            max_replicas=int(spec["maxReplicas"]),
            cpu_utilization=shares.get("cpu"),
            memory_utilization=shares.get("memory"),
            managed_by=f"{meta.owner.kind}/{meta.owner.name}" if meta.owner else "",
        )
        return Target(meta.namespace, str(wanted["kind"]), str(wanted["name"])), scaler
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return unreadable("HorizontalPodAutoscaler", body, error)


def reduce_claim(body: Mapping[str, Any]) -> Claim | Unreadable:
    """Return a PersistentVolumeClaim that nobody is known to mount; an Unreadable that names it where its figures can't be read."""
    try:
        meta = meta_of(body)
        spec, status = body.get("spec") or {}, body.get("status") or {}
        asked, given = (spec.get("resources") or {}).get("requests") or {}, status.get("capacity") or {}
        return Claim(
            namespace=meta.namespace,
            name=meta.name,
            request_bytes=parse_quantity(asked["storage"]) if "storage" in asked else None,
            capacity_bytes=parse_quantity(given["storage"]) if "storage" in given else None,
            storage_class=str(spec.get("storageClassName") or ""),
            phase=str(status.get("phase") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return unreadable("PersistentVolumeClaim", body, error)


def _utilizations(spec: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if spec.get("targetCPUUtilizationPercentage") is not None:  # autoscaling/v1
        yield "cpu", float(spec["targetCPUUtilizationPercentage"])
    for metric in spec.get("metrics") or ():
        source = metric.get("resource") or metric.get("containerResource") or {}
        share = (source.get("target") or {}).get("averageUtilization")
        if share is not None:
            yield str(source.get("name")), float(share)


def capacity_type(labels: Mapping[str, str]) -> str:
    """Return how a node is paid for (spot, on-demand, reserved), "" where its labels do not tell."""
    if any(labels.get(flag) == "true" for flag in SPOT_FLAGS):
        return "spot"
    word = first_of(labels, CAPACITY_TYPE).lower().replace("_", "-")
    return CAPACITY_WORDS.get(word, "")


def first_of(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the first of these labels that a node has, "" where it has none."""
    return next((labels[name] for name in names if labels.get(name)), "")
