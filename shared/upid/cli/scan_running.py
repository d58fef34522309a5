"""The ways that a scan is run: of one cluster, of every context, by a running platform."""

from __future__ import annotations

import time
from dataclasses import replace

import typer

from upid.bootstrap import build_services
from upid.services.scan import Progress, ScanRequest, ScanResult
from upid.services.server_scan import ServerScanRequest


def scan_one(request: ScanRequest, progress: Progress) -> ScanResult:
    """Return the result of a scan of one cluster."""
    return build_services().scan.scan(request, progress)


def scan_contexts_of(request: ScanRequest, progress: Progress) -> ScanResult:
    """Return the result of a scan of every context that the request's kubeconfig has; a usage error where it names one of them."""
    from upid.adapters.kubernetes.kubeconfigs import contexts_of
    from upid.services.scan_contexts import scan_contexts

    if request.cluster.context:
        raise typer.BadParameter("Name one context, or take all of them.", param_hint="--context")
    services = build_services()
    requests = {name: of_context(request, name) for name in contexts_of(request.cluster.kubeconfig or "")}
    return scan_contexts(services.scan, requests, services.clock, progress)


def of_context(request: ScanRequest, name: str) -> ScanRequest:
    """Return the request for one context; `{context}` in where its metrics are stands for its name."""
    metrics = request.metrics
    of_its_own = replace(
        metrics, url=metrics.url.replace("{context}", name), cluster_label=metrics.cluster_label.replace("{context}", name)
    )  # fmt: skip
    return replace(request, cluster=replace(request.cluster, context=name), metrics=of_its_own)


def scan_by_server(request: ServerScanRequest, url: str, token: str, progress: Progress) -> ScanResult:
    """Return the result of a scan by the platform at a URL; a usage error where one cluster and all of them are asked for, or there is no token."""
    from upid.adapters.platform.client import PlatformClient
    from upid.services.server_scan import ServerScan

    if request.cluster and request.all_clusters:
        raise typer.BadParameter("Name one cluster, or take all of them.", param_hint="--context")
    if not token:
        raise typer.BadParameter("The platform wants to know who asks.", param_hint="--token")
    return ServerScan(PlatformClient.at(url, token), build_services().ids, time.sleep).scan(request, progress)
