"""What a client may see of a cluster: everything but its credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from upid.domain.clusters import MetricsAccess
from upid.domain.times import format_time


def public_metrics(access: MetricsAccess) -> dict[str, Any]:
    """Return the part of a metrics access that may be shown: which way it authenticates and which headers it sends, never their values."""
    known = {"amp": "sigv4", "metrics-server": "cluster"}
    given = "bearer" if access.bearer_token else "basic" if access.username or access.password else "none"
    return {
        "kind": access.kind, "url": urlsplit(access.url)._replace(query="", fragment="").geturl(), "authentication": known.get(access.kind, given),
        "headers": [name for name, _ in access.headers], "cluster_label": access.cluster_label or None, "tenant": access.tenant or None,
    }  # fmt: skip


def cluster_view(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cluster as clients see it; `watermark` is the end of what has been collected, null before the first collection."""
    shown = (
        "id",
        "name",
        "context",
        "server",
        "region",
        "tags",
        "metrics",
        "created_at",
        "updated_at",
        "step_seconds",
        "last_collection_id",
        "latest_analysis_id",
    )
    watermark, sealed_at = body["watermark"], body.get("sealed_at")
    return {key: body[key] for key in shown} | {
        "version": body["revision"],
        "credentials_sealed_at": None if sealed_at is None else format_time(sealed_at),
        "watermark": None if watermark is None else format_time(watermark),
    }
