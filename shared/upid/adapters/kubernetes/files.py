"""Kubeconfig files as kubectl finds them: named, or in KUBECONFIG, or ~/.kube/config."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from upid.adapters.kubernetes.errors import KubeconfigError
from upid.domain.clusters import ClusterAccess


def access_from_file(path: str | Path | None = None, *, context: str = "", environment: Mapping[str, str] | None = None) -> ClusterAccess:
    """Return the access that a kubeconfig file gives; the first existing of KUBECONFIG, else ~/.kube/config, where none is named.

    Raises
    ------
    KubeconfigError
        If the file is missing or can't be read as text.
    """
    file = Path(path) if path else _default(os.environ if environment is None else environment)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise KubeconfigError(f"The kubeconfig {str(file)!r} is not text.") from None
    except OSError as error:
        raise KubeconfigError(f"The kubeconfig {str(file)!r} cannot be read: {error.strerror}.") from None
    return ClusterAccess(kubeconfig=text, context=context, trusted=True, base_path=str(file.resolve().parent))


def _default(environment: Mapping[str, str]) -> Path:
    named = [Path(part) for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    existing = [part for part in named if part.exists()]
    return (existing or named or [Path.home() / ".kube" / "config"])[0]
