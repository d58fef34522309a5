"""Patches of what stands beside a workload: its autoscaler's bounds, and claims of storage, which can only grow.

The template that a StatefulSet makes its claims from cannot change, so that each claim has a patch of its own; one that a new pod gets is as small as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upid.cli.outputs.workloads import grown, scaled
from upid.domain.quantities import format_memory

EXPANSION: Final = "# A volume grows only where its storage class has allowVolumeExpansion; kubectl says so where it has not."
MANAGED: Final = "autoscaler_is_managed"
AUTOSCALER: Final = "HorizontalPodAutoscaler"
CLAIM: Final = "PersistentVolumeClaim"


def bodies_of(part: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield what each patch of a cluster's autoscalers and claims is of, and the patch."""
    for entry, scaling in scaled(part["recommendations"]):
        if not scaling["managed_by"]:
            bounds = scaling["recommended"]
            spec = {"minReplicas": bounds["min_replicas"], "maxReplicas": bounds["max_replicas"]}
            yield _patch(part, entry, ("autoscaling/v2", AUTOSCALER), scaling["autoscaler"], spec)
    for entry, volume in grown(part["recommendations"]):
        spec = {"resources": {"requests": {"storage": format_memory(volume["recommended_bytes"])}}}
        yield _patch(part, entry, ("v1", CLAIM), volume["claim"], spec)


def _patch(
    part: Mapping[str, Any], entry: Mapping[str, Any], api: tuple[str, str], name: str, spec: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    version, kind = api
    about = {
        "cluster": part["cluster"],
        "namespace": entry["namespace"],
        "kind": kind,
        "name": name,
        "of": f"{entry['kind']}/{entry['name']}",
    }
    return about, {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": entry["namespace"]}, "spec": spec}


def without_patch(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the autoscalers of a cluster that need other bounds and belong to something that would set them back."""
    for entry, scaling in scaled(part["recommendations"]):
        if scaling["managed_by"]:
            yield {
                "cluster": part["cluster"], "namespace": entry["namespace"], "kind": AUTOSCALER, "name": scaling["autoscaler"], "code": MANAGED,
                "text": f"It belongs to {scaling['managed_by']}, which would set it back: change the bounds there.",
            }  # fmt: skip
