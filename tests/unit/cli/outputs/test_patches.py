from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from outside.scanned import GIB, document, entry, resources, scaling, together, volume, withheld

from upid.cli.outputs.patches import Patches, patches_of, render_commands, write_patches
from upid.domain.errors import UnavailableError


def only(*entries: dict[str, Any]) -> dict[str, Any]:
    """The body of the one patch that these entries make."""
    (patch,) = patches_of(document(*entries)).patches
    return dict(yaml.safe_load(patch.text))


def files(found: Patches) -> list[str]:
    return [patch.file for patch in found.patches]


def test_a_patch_names_the_workload_and_holds_what_changes_as_quantities() -> None:
    assert only(entry()) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [
            # The CPU limit is taken away; the memory limit stays as it is, so it is not ours to write.
            {"name": "app", "resources": {"requests": {"cpu": "250m", "memory": "300Mi"}, "limits": {"cpu": None}}},
        ]}}},
    }  # fmt: skip


def test_containers_of_a_workload_share_its_patch_and_sidecars_stand_where_they_are() -> None:
    spec = only(entry(), entry(container="proxy", role="sidecar"), withheld(name="web", container="log"))["spec"]["template"]["spec"]

    assert [c["name"] for c in spec["containers"]] == ["app"]
    assert [c["name"] for c in spec["initContainers"]] == ["proxy"]


def test_containers_keep_their_order() -> None:
    # A strategic merge puts what the patch names in front: what stands before a change is named too, what stands behind it need not be.
    entries = [entry(container="a", status="unchanged"), entry(container="b"), entry(container="c", status="unchanged")]
    containers = only(*entries)["spec"]["template"]["spec"]["containers"]

    assert [(c["name"], "resources" in c) for c in containers] == [("a", False), ("b", True)]


def test_a_cronjob_keeps_its_template_deeper() -> None:
    body = only(entry(kind="CronJob", name="nightly"))

    assert (body["apiVersion"], body["kind"]) == ("batch/v1", "CronJob")
    assert body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["name"] == "app"


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "ReplicaSet"])
def test_other_kinds_of_apps_are_patched_alike(kind: str) -> None:
    assert (only(entry(kind=kind))["apiVersion"], only(entry(kind=kind))["kind"]) == ("apps/v1", kind)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("Job", "job_template_is_immutable"), ("Pod", "pod_is_immutable"), ("Rollout", "custom_resource"), ("Widget", "unknown_kind")],
)
def test_what_cannot_be_patched_is_named_with_its_reason(kind: str, code: str) -> None:
    found = patches_of(document(entry(kind=kind, name="x"), entry(name="y")))

    assert files(found) == ["shop_deployment_y.yaml"]
    assert [(w["kind"], w["name"], w["code"]) for w in found.without] == [(kind, "x", code)]
    assert found.without[0]["text"] in render_commands(found, Path("out")).decode()


def test_values_that_are_the_same_as_quantities_make_no_patch() -> None:
    same = entry(current=resources(0.25, None, GIB, GIB), recommended=resources(0.2499999, None, GIB, GIB))

    assert patches_of(document(same, withheld())).patches == []


def test_an_autoscaler_and_a_claim_have_patches_of_their_own_once_for_all_containers() -> None:
    both = {
        "kind": "StatefulSet",
        "status": "unchanged",
        "scaling": scaling(),
        "storage": [volume(), volume(claim="kept", status="unchanged")],
    }
    found = patches_of(document(entry(**both), entry(container="proxy", **both)))

    assert files(found) == ["shop_horizontalpodautoscaler_web-hpa.yaml", "shop_persistentvolumeclaim_data-db-0.yaml"]
    scaler, claim = (yaml.safe_load(patch.text) for patch in found.patches)
    assert (scaler["apiVersion"], scaler["spec"]) == ("autoscaling/v2", {"minReplicas": 2, "maxReplicas": 14})
    assert (claim["metadata"], claim["spec"]) == (
        {"name": "data-db-0", "namespace": "shop"}, {"resources": {"requests": {"storage": "109Gi"}}},
    )  # fmt: skip
    assert "allowVolumeExpansion" in render_commands(found, Path("out")).decode()
    assert "patch persistentvolumeclaim data-db-0 --patch-file out/shop_pers" in render_commands(found, Path("out")).decode()


def test_bounds_that_something_would_set_back_and_an_advised_count_have_no_patch() -> None:
    managed, advised = scaling(managed_by="ScaledObject/web"), scaling(kind="advice", autoscaler=None)
    found = patches_of(document(entry(status="unchanged", scaling=managed), entry(name="y", status="unchanged", scaling=advised)))

    assert files(found) == []
    assert [(w["name"], w["code"]) for w in found.without] == [("web-hpa", "autoscaler_is_managed")]
    assert "ScaledObject/web" in render_commands(found, Path("out")).decode()


HOSTILE = [
    "../../etc/passwd",
    "..",
    "a/b",
    "a_b",
    "A",
    "a",
    "a~b",
    "",
    "x" * 300,
    "x" * 300 + "y",
    "CON",
    "new\nline",
    "läufer",
    "a-b",
    "-",
]


def test_no_name_leaves_the_folder_or_takes_another_ones_file(tmp_path: Path) -> None:
    entries = [entry(name=name, namespace=space) for name in HOSTILE for space in HOSTILE]
    found = patches_of(document(*entries))
    write_patches(found, tmp_path / "out")

    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {f"out/{name}" for name in files(found)} | {"out/patches.json"}
    assert len({name.lower() for name in files(found)}) == len(HOSTILE) ** 2
    assert max(len(name) for name in files(found)) <= 255


def test_clusters_have_folders_of_their_own(tmp_path: Path) -> None:
    found = patches_of(together(document(entry(), cluster="prod"), document(entry(), cluster="arn:aws/x")))
    write_patches(found, tmp_path)

    assert files(found)[0] == "prod/shop_deployment_web.yaml"
    assert all((tmp_path / name).is_file() for name in files(found))
    assert len({Path(name).parent for name in files(found)}) == 2


def test_the_commands_name_cluster_namespace_and_file() -> None:
    line = render_commands(patches_of(document(entry(), cluster="my prod")), Path("out")).decode().splitlines()[0]

    assert shlex.split(line) == [
        "kubectl", "--context", "my prod", "--namespace", "shop", "patch", "deployment", "web", "--patch-file", "out/shop_deployment_web.yaml",
    ]  # fmt: skip


def test_patches_of_an_earlier_scan_are_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_patches(patches_of(document(entry(), entry(name="old"))), folder)
    (folder / "mine.yaml").write_text("kept")
    (tmp_path / "outside.yaml").write_text("kept")
    index = json.loads((folder / "patches.json").read_bytes())
    index["patches"].append({"file": "../outside.yaml"})
    (folder / "patches.json").write_text(json.dumps(index))

    write_patches(patches_of(document(entry())), folder)

    assert sorted(path.name for path in folder.iterdir()) == ["mine.yaml", "patches.json", "shop_deployment_web.yaml"]
    assert (tmp_path / "outside.yaml").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UnavailableError, match="file"):
        write_patches(patches_of(document(entry())), tmp_path / "file" / "out")
