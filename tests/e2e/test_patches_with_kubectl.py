"""Patches of a scan, applied by a real kubectl and by kustomize as it has it. No cluster is needed: both patch what lies in a file."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from outside.scanned import document, entry, resources, scaling, volume

from upid.cli.outputs.patches import API_VERSIONS, patches_of, write_patches

OLDEST = 21  # of kubectl 1.x: the first that knows CronJobs of batch/v1


@functools.cache
def is_installed() -> bool:
    """Tell whether a kubectl that is new enough is on this machine."""
    if shutil.which("kubectl") is None:
        return False
    told = json.loads(subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, check=True, timeout=30).stdout)
    return int("".join(filter(str.isdigit, told["clientVersion"]["minor"]))) >= OLDEST


pytestmark = pytest.mark.skipif(not is_installed(), reason=f"kubectl 1.{OLDEST} or later is not installed")


def workload(kind: str) -> dict[str, Any]:
    """A workload with more in it than a patch may touch."""
    limits = {"requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    spec = {
        "initContainers": [{"name": "proxy", "image": "p:1", "restartPolicy": "Always"}],
        "containers": [
            {"name": "log", "image": "l:1"},
            {"name": "app", "image": "a:1", "env": [{"name": "A", "value": "b"}], "resources": limits},
        ],
    }
    template = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}
    inside = {"schedule": "* * * * *", "jobTemplate": {"spec": template}} if kind == "CronJob" else template
    return {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": {"name": "web", "namespace": "shop"}, "spec": inside}


def by_kubectl(folder: Path, patch: str) -> str:
    command = ["kubectl", "patch", "--local", "-f", str(folder / "workload.yaml"), "--patch-file", str(folder / patch), "-o", "yaml"]
    return subprocess.run(command, capture_output=True, check=True, timeout=30, text=True).stdout


def by_kustomize(folder: Path, patch: str) -> str:
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["workload.yaml"], "patches": [{"path": patch}]}))
    return subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, check=True, timeout=30, text=True).stdout


@pytest.mark.parametrize("applied", [by_kubectl, by_kustomize])
@pytest.mark.parametrize("kind", sorted(API_VERSIONS))
def test_a_patch_changes_our_fields_and_nothing_else(tmp_path: Path, kind: str, applied: Callable[[Path, str], str]) -> None:
    before = workload(kind)
    (tmp_path / "workload.yaml").write_text(yaml.safe_dump(before))
    found = patches_of(document(
        entry(kind=kind, container="proxy", role="sidecar", current=resources(None, None, None, None), recommended=resources(0.25, None, 300 * 2**20, None)), entry(kind=kind, container="log", status="unchanged"), entry(kind=kind),
        entry(kind=kind, container="last", status="unchanged"),
    ))  # fmt: skip
    write_patches(found, tmp_path)

    after = yaml.safe_load(applied(tmp_path, found.patches[0].file))

    wanted = workload(kind)
    spec = (wanted["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else wanted["spec"])["template"]["spec"]
    spec["containers"][1]["resources"] = {
        "requests": {"cpu": "250m", "memory": "300Mi", "ephemeral-storage": "1Gi"}, "limits": {"memory": "1Gi"},
    }  # fmt: skip
    spec["initContainers"][0]["resources"] = {"requests": {"cpu": "250m", "memory": "300Mi"}}
    changed = (after["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else after["spec"])["template"]["spec"]
    for place in ("containers", "initContainers"):
        assert changed[place] == spec[place]
    assert after["metadata"]["name"] == "web"


@pytest.mark.parametrize("applied", [by_kubectl, by_kustomize])
def test_patches_of_an_autoscaler_and_a_claim_change_their_fields_alone(tmp_path: Path, applied: Callable[[Path, str], str]) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}]
    scaler = {"scaleTargetRef": target, "minReplicas": 4, "maxReplicas": 9, "metrics": metrics}
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "resources": {"requests": {"storage": "100Gi"}}}
    objects = [
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web-hpa", "namespace": "shop"},
            "spec": scaler,
        },
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-db-0", "namespace": "shop"}, "spec": claim},
    ]
    found = patches_of(document(entry(status="unchanged", scaling=scaling(), storage=[volume()])))
    write_patches(found, tmp_path)

    specs = []
    for body, patch in zip(objects, found.patches, strict=True):
        (tmp_path / "workload.yaml").write_text(yaml.safe_dump(body))
        specs.append(yaml.safe_load(applied(tmp_path, patch.file))["spec"])

    assert specs == [scaler | {"minReplicas": 2, "maxReplicas": 14}, claim | {"resources": {"requests": {"storage": "109Gi"}}}]
