"""The forms that a scan is written in. Each takes the document: of one cluster, or of several under `clusters`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def clusters_in(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the document of each cluster, in order: the document itself where it is of one."""
    found: Sequence[Mapping[str, Any]] = document.get("clusters", [document])
    return found
