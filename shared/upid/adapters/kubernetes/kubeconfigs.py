"""Several kubeconfig files as one, merged as kubectl merges those that `KUBECONFIG` lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from upid.adapters.kubernetes.errors import KubeconfigError
from upid.adapters.kubernetes.kubeconfig import Fault, document_of

_INNER: Final = {"clusters": "cluster", "users": "user", "contexts": "context"}
_PATHS: Final = {"clusters": ("certificate-authority",), "users": ("client-certificate", "client-key", "tokenFile")}


def merged(files: Sequence[tuple[Path, str]]) -> str:
    """Return the text of one kubeconfig that says what these files (path, text) say together.

    Of entries with one name the first file's counts, and so does the first `current-context`. A relative path in a file starts at the file's folder:
    it is absolute in the result. KubeconfigError names a file that is no kubeconfig.
    """
    together: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": "", "clusters": [], "users": [], "contexts": []}
    for path, text in files:
        document = _read(path, text)
        current = document.get("current-context")
        together["current-context"] = together["current-context"] or (current if isinstance(current, str) else "")
        for section in _INNER:
            known = {entry["name"] for entry in together[section]}
            together[section] += [entry for entry in _entries(document, section, path.parent) if entry["name"] not in known]
    return yaml.safe_dump(together, sort_keys=False)


def contexts_of(text: str) -> tuple[str, ...]:
    """Return the names of a kubeconfig's contexts in their order, each once; KubeconfigError for what is no kubeconfig, or has none."""
    document = _read(Path("kubeconfig"), text)
    found = tuple(dict.fromkeys(entry["name"] for entry in _entries(document, "contexts", Path())))
    if not found:
        raise KubeconfigError("The kubeconfig has no context.")
    return found


def _read(path: Path, text: str) -> Mapping[str, Any]:
    if not text.strip():
        return {}  # kubectl takes an empty file for an empty configuration
    try:
        return document_of(text)
    except Fault as fault:
        raise KubeconfigError(f"The kubeconfig {path} cannot be used: {fault.detail}") from None


def _entries(document: Mapping[str, Any], section: str, folder: Path) -> list[dict[str, Any]]:
    entries = document.get(section)
    named = [
        entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    ]
    return [entry | {_INNER[section]: _absolute(entry.get(_INNER[section]), section, folder)} for entry in named]


def _absolute(body: Any, section: str, folder: Path) -> Any:
    """Return the body of an entry with its relative paths starting at `folder`; a plugin that is searched for along PATH stays as it is."""
    if not isinstance(body, dict):
        return body
    paths: dict[str, Any] = {
        key: str(folder / body[key]) for key in _PATHS.get(section, ()) if isinstance(body.get(key), str) and body[key]
    }
    plugin = body.get("exec")
    if section == "users" and isinstance(plugin, dict) and isinstance(plugin.get("command"), str) and "/" in plugin["command"]:
        paths["exec"] = plugin | {"command": str(folder / plugin["command"])}
    return body | paths
