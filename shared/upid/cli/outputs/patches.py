"""A scan as patches: one file for each workload, autoscaler and claim that `kubectl patch --patch-file` and kustomize take as it is.

A strategic merge patch names containers and holds our fields only: what is not to change does not stand in it.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import orjson

from upid.cli.outputs import clusters_in, object_patches
from upid.cli.outputs.yaml_text import yaml_text
from upid.domain.errors import UnavailableError
from upid.domain.quantities import format_cpu, format_memory

INDEX: Final = "patches.json"
API_VERSIONS: Final = {
    "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1", "CronJob": "batch/v1",
}  # fmt: skip
NO_PATCH: Final = {
    "Pod": (
        "pod_is_immutable",
        "A pod's resources change through its resize subresource, or with a new pod: no patch of the pod changes them.",
    ),
    "Job": ("job_template_is_immutable", "The template of a Job that exists cannot change: put the values where the Job is made."),
    "Rollout": ("custom_resource", "Containers of a custom resource cannot be merged by name: a patch would replace their list."),
}
OTHER: Final = ("unknown_kind", "It is not known where a workload of this kind keeps its pod template.")
_FIELDS: Final = (
    ("requests", "cpu", "cpu_request_cores", format_cpu), ("requests", "memory", "memory_request_bytes", format_memory),
    ("limits", "cpu", "cpu_limit_cores", format_cpu), ("limits", "memory", "memory_limit_bytes", format_memory),
)  # fmt: skip
PLACES: Final = ("containers", "initContainers")
_PLAIN: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?")
_OURS: Final = re.compile(r"(?:[a-z0-9][-a-z0-9.~]*/)?[a-z0-9][-a-z0-9._~]*\.yaml")


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of one object: the file it goes into, below the folder, and the command that applies it."""

    file: str
    text: str
    about: Mapping[str, Any]

    def command(self, folder: Path) -> str:
        """Return the command line for a shell."""
        about, path = self.about, str(folder / self.file)
        where = ["--context", about["cluster"], "--namespace", about["namespace"]]
        return shlex.join(["kubectl", *where, "patch", about["kind"].lower(), about["name"], "--patch-file", path])


@dataclass(frozen=True, slots=True)
class Patches:
    """The patches of a scan, and the workloads that need other values and can have no patch, each with a code and a reason."""

    patches: Sequence[Patch]
    without: Sequence[Mapping[str, Any]]


def patches_of(document: Mapping[str, Any]) -> Patches:
    """Return what a scan's recommendations come to; where it is of several clusters, each has a folder of its own."""
    patches: list[Patch] = []
    without: list[Mapping[str, Any]] = []
    for part in clusters_in(document):
        folder = f"{_safe(part['cluster'])}/" if "clusters" in document else ""
        for about, entries in _workloads(part):
            if about["kind"] not in API_VERSIONS:
                code, text = NO_PATCH.get(about["kind"], OTHER)
                without.append({**about, "code": code, "text": text})
                continue
            body = _body(about, entries)
            if body:
                patches.append(_patch(folder, about, body))
        patches += [_patch(folder, about, body) for about, body in object_patches.bodies_of(part)]
        without += object_patches.without_patch(part)
    return Patches(patches, without)


def _patch(folder: str, about: Mapping[str, Any], body: Mapping[str, Any]) -> Patch:
    name = "_".join(_safe(about[key].lower() if key == "kind" else about[key]) for key in ("namespace", "kind", "name"))
    return Patch(f"{folder}{name}.yaml", yaml_text(body), about)


def write_patches(found: Patches, folder: Path) -> None:
    """Write the patches and an index of them into a folder, which is made where it is missing; UnavailableError where it cannot be written.

    Patches that an earlier scan wrote there, by its index, are removed: they are of another moment.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_earlier(folder)
        for patch in found.patches:
            path = folder / patch.file
            path.parent.mkdir(exist_ok=True)
            path.write_text(patch.text, encoding="utf-8")
        index = {"patches": [{"file": patch.file, **patch.about} for patch in found.patches], "without_patch": list(found.without)}
        (folder / INDEX).write_bytes(orjson.dumps(index, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise UnavailableError(f"The folder {folder} cannot be written: {error.strerror}.") from None


def render_commands(found: Patches, folder: Path) -> bytes:
    """Return the commands that apply the patches, one a line, and what has none as comments: a shell can run it."""
    told = [f"# No patch of {w['namespace']}/{w['name']} ({w['kind']}): {w['text']}" for w in found.without]
    # Names come from outside: a line break in one would end the comment.
    without = [" ".join(line.split()) for line in told]
    if any(patch.about["kind"] == object_patches.CLAIM for patch in found.patches):
        without.append(object_patches.EXPANSION)
    return "".join(f"{line}\n" for line in [*(patch.command(folder) for patch in found.patches), *without]).encode()


def _remove_earlier(folder: Path) -> None:
    try:
        earlier = [patch["file"] for patch in orjson.loads((folder / INDEX).read_bytes())["patches"]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return
    for name in earlier:
        # The index is a file that anybody may have written: only names that we give are removed, and nothing outside of the folder.
        path = folder / str(name)
        if _OURS.fullmatch(str(name)) and path.is_file() and not path.is_symlink() and not path.parent.is_symlink():
            path.unlink()


def _workloads(part: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], list[Mapping[str, Any]]]]:
    """Yield each workload that needs other values, with the entries of all of its containers."""
    identity = ("namespace", "kind", "name", "uid")
    for values, entries in groupby(part["recommendations"], key=lambda entry: tuple(entry[name] for name in identity)):
        listed = list(entries)
        if any(entry["status"] == "recommended" for entry in listed):
            yield {"cluster": part["cluster"], **dict(zip(identity, values, strict=True))}, listed


def _body(about: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the patch; empty where nothing is left of it, since values are the same once they are written as quantities."""
    spec = {place: changed for place in PLACES if (changed := _changed([entry for entry in entries if _place(entry) == place]))}
    if not spec:
        return {}
    template: dict[str, Any] = {"template": {"spec": spec}}
    return {
        "apiVersion": API_VERSIONS[about["kind"]], "kind": about["kind"], "metadata": {"name": about["name"], "namespace": about["namespace"]},
        "spec": {"jobTemplate": {"spec": template}} if about["kind"] == "CronJob" else template,
    }  # fmt: skip


def _place(entry: Mapping[str, Any]) -> str:
    return PLACES[0] if entry["role"] == "main" else PLACES[1]


def _changed(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the containers of one list that change; those that stand before the last of them by their names, since a merge puts what a patch names in front."""
    changes = [_resources(entry) if entry["status"] == "recommended" else {} for entry in entries]
    last = max((i for i, change in enumerate(changes) if change), default=-1)
    return [
        {"name": entry["container"]} | ({"resources": change} if change else {})
        for entry, change in zip(entries[: last + 1], changes, strict=False)
    ]  # fmt: skip


def _resources(entry: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """Return the values that change, as quantities; None takes one away."""
    found: dict[str, dict[str, str | None]] = {}
    for group, name, key, form in _FIELDS:
        now, then = (None if entry[when][key] is None else form(entry[when][key]) for when in ("current", "recommended"))
        if now != then:
            found.setdefault(group, {})[name] = then
    return found


def _safe(name: str) -> str:
    """Return a name as a part of a file's name. One that may not stand there as it is gets its hash, behind a sign that no name has as it is."""
    if _PLAIN.fullmatch(name):
        return name
    cleaned = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "x"
    return f"{cleaned}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
