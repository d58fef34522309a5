"""A scan of every context of a kubeconfig: one after the other, so that no more than one cluster is in memory; one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from upid.domain.errors import AppError
from upid.domain.work import WorkError
from upid.ports.clock import Clock
from upid.services.scan import Progress, ScanRequest, ScanResult, ScanService, Trail


def scan_contexts(
    service: ScanService, requests: Mapping[str, ScanRequest], clock: Clock, progress: Progress = lambda *_: None
) -> ScanResult:
    """Return one document of all clusters, by the names of their contexts, all over the same window.

    A cluster that cannot be read at all is an error of the result (`cluster_unreadable`); the first such error is raised where none can be read.
    """
    now = clock.now()
    results: list[ScanResult] = []
    errors: list[WorkError] = []
    first: AppError | None = None
    for name, request in requests.items():
        try:
            found = service.scan(replace(request, at=now if request.at is None else request.at), _told(progress, name))
        except AppError as error:
            first = first or error
            errors.append(WorkError("cluster_unreadable", error.detail, name))
            continue
        results.append(found)
        errors += [replace(error, subject=f"{name}: {error.subject}") for error in found.errors]
    if first is not None and not results:
        raise first
    return together(results, errors, _shared(requests))


def _shared(requests: Mapping[str, ScanRequest]) -> list[str]:
    """Return a warning where several clusters are read from one source and nothing tells their series apart."""
    sources = [(request.metrics.url, request.metrics.cluster_label) for request in requests.values()]
    if len(set(sources)) == len(sources):
        return []
    return [
        "Several clusters were read from one source with one matcher: series of pods that have the same name in two of them would be mixed."
    ]


def together(results: Sequence[ScanResult], errors: Sequence[WorkError], warnings: Sequence[str] = ()) -> ScanResult:
    """Return the results of at least one cluster, all of one window, as one.

    errors: of all of them, and of clusters that gave no result; warnings: what is told beside theirs.
    """
    from upid.services.summaries import merge_summaries  # noqa: PLC0415 numerics are loaded by now

    documents = [result.document for result in results]
    told_of = [f"{r.document['cluster']}: {text}" for r in results for text in r.warnings]
    all_warnings = tuple(dict.fromkeys([*warnings, *told_of]))
    told = [{"code": e.code, "detail": e.detail, "subject": e.subject} for e in errors]
    document: dict[str, Any] = {
        "generated_at": documents[0]["generated_at"], "window": documents[0]["window"],
        "summary": merge_summaries([d["summary"] for d in documents]) | {"clusters": len(documents), "errors": told, "warnings": list(all_warnings)},
        "clusters": documents,
    }  # fmt: skip
    trails: dict[Any, Trail] = {}
    for result in results:
        trails.update(result.trails)
    return ScanResult(document, tuple(errors), all_warnings, trails)


def _told(progress: Progress, name: str) -> Callable[[str, int, int], None]:
    return lambda what, done, total: progress(f"{name}: {what}", done, total)
