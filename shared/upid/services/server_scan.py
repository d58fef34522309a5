"""A scan by a running platform: its stored history instead of a metrics source, and the same document."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from upid.domain.errors import AppError, InvalidError, NotFoundError, UnavailableError
from upid.domain.times import parse_time
from upid.domain.work import ENDED, WorkError
from upid.ports.clock import Ids
from upid.ports.platform import Platform
from upid.services.scan import ContainerKey, Progress, ScanResult, Trail
from upid.services.scan_contexts import together

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POLL_SECONDS: Final = 0.5
PAGE: Final = 500
OF_THE_API: Final = frozenset({"id", "cluster_id", "analysis_id", "created_at", "review", "review_comment", "reviewed_by", "reviewed_at"})
NOT_DRAWN: Final = "Usage over time is not drawn: {detail}"

_Trails = dict[tuple[str, ContainerKey], Trail]


@dataclass(frozen=True, slots=True)
class ServerScanRequest:
    """What to scan: a registered cluster by its name, id or context ("" = the only one), or all of them; the rest as for ScanRequest."""

    cluster: str = ""
    all_clusters: bool = False
    namespaces: tuple[str, ...] = ()
    strategy: str = "balanced"
    allowed_time_above: float | None = None
    trail_points: int = 0


@dataclass(frozen=True, slots=True)
class ServerScan:
    """Scans through a platform's API. `pause` waits for so many seconds."""

    platform: Platform
    ids: Ids
    pause: Callable[[float], None]

    def scan(self, request: ServerScanRequest, progress: Progress = lambda *_: None) -> ScanResult:
        """Return the recommendations that the platform makes from all samples that it has stored.

        Raises NotFoundError or InvalidError where the cluster is not to be found or not to be told from others, and what the port raises. Of all clusters, one
        that fails is an error of the result; the first is raised where all do.
        """
        progress("Asking for the clusters", 0, 1)
        chosen = _chosen(list(self._pages("/clusters", {"limit": "100"})), request)
        if not request.all_clusters:
            return self._cluster(chosen[0], request, progress)
        results: list[ScanResult] = []
        errors: list[WorkError] = []
        first: AppError | None = None
        for cluster in chosen:
            try:
                found = self._cluster(cluster, request, progress)
            except AppError as error:
                first = first or error
                errors.append(WorkError("cluster_unreadable", error.detail, cluster["name"]))
                continue
            results.append(found)
            errors += [WorkError(e.code, e.detail, f"{cluster['name']}: {e.subject}") for e in found.errors]
        if first is not None and not results:
            raise first
        return together(results, errors)

    def _cluster(self, cluster: Mapping[str, Any], request: ServerScanRequest, progress: Progress) -> ScanResult:
        analysis = self._analysis(cluster, request, progress)
        query = {"analysis_id": analysis["id"], "sort": "name", "limit": str(PAGE)}
        items = list(self._pages(f"/optimization/recommendations/{cluster['id']}", query))
        # Ids of one analysis sort as its rows do: containers of a workload stay in the order of its template.
        items.sort(key=lambda e: (e["namespace"], e["kind"], e["name"], e["uid"], e["id"]))
        listed = [_entry(item) for item in items]
        window = _window(listed, cluster)
        trails, warnings = self._trails(cluster, listed, window, request.trail_points)
        errors = tuple(WorkError(e["code"], e["detail"], e["subject"]) for e in analysis["errors"])
        totals = {name: value for name, value in analysis["summary"].items() if name != "top_savings"}
        summary = _whole(totals) | {"errors": analysis["errors"], "warnings": list(warnings)}
        document = {
            "cluster": cluster["name"], "generated_at": window["end"], "window": window, "summary": summary, "recommendations": listed,
        }  # fmt: skip
        return ScanResult(document, errors, warnings, trails)

    def _analysis(self, cluster: Mapping[str, Any], request: ServerScanRequest, progress: Progress) -> dict[str, Any]:
        asked = {
            "cluster_id": cluster["id"], "namespaces": list(request.namespaces), "strategy": request.strategy,
            "allowed_time_above": request.allowed_time_above, "compare": [],
        }  # fmt: skip
        analysis = self.platform.post("/optimization/deep-analysis", asked, repeatable_as=self.ids.secret())
        while analysis["status"] not in ENDED:
            progress(f"{cluster['name']}: analyzing", round(analysis["progress"] * 100), 100)
            self.pause(POLL_SECONDS)
            analysis = self.platform.get(f"/optimization/analysis/{analysis['id']}")
        if analysis["status"] in {"failed", "cancelled"} or analysis["summary"] is None:
            told = "; ".join(error["detail"] for error in analysis["errors"][:3]) or "no reason given"
            raise UnavailableError(f"The analysis of {cluster['name']} {analysis['status']}: {told}")
        return analysis

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        cursor: dict[str, str] = {}
        while True:
            page = self.platform.get(path, {**query, **cursor})
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def _trails(
        self, cluster: Mapping[str, Any], listed: Sequence[Mapping[str, Any]], window: Mapping[str, Any], points: int
    ) -> tuple[_Trails, tuple[str, ...]]:
        """Return usage over time where points are wanted; a warning where the platform does not give them."""
        if not points or not listed:
            return {}, ()
        steps = max(round((parse_time(window["end"]) - parse_time(window["start"])) / window["step_seconds"]), 1)
        seconds = -(-steps // points) * window["step_seconds"]
        found: _Trails = {}
        try:
            for namespace in sorted({entry["namespace"] for entry in listed}):
                mine = [entry for entry in listed if entry["namespace"] == namespace]
                found |= self._trails_of(cluster, namespace, mine, {**window, "seconds": seconds})
        except (InvalidError, NotFoundError) as error:
            return found, (NOT_DRAWN.format(detail=error.detail),)
        return found, ()

    def _trails_of(
        self, cluster: Mapping[str, Any], namespace: str, listed: Sequence[Mapping[str, Any]], window: Mapping[str, Any]
    ) -> _Trails:
        import numpy as np  # noqa: PLC0415 only what is drawn needs numbers

        series: dict[tuple[str, ...], NDArray[np.float32]] = {}
        start = parse_time(window["start"])
        for how in ("mean", "max"):
            body = {
                "cluster_id": cluster["id"], "selection": {"namespace": namespace}, "start": window["start"], "end": window["end"],
                "step": f"{window['seconds']}s", "aggregation": how, "across": how, "group_by": ["kind", "workload", "container"], "top": None,
            }  # fmt: skip
            answer = self.platform.post("/metrics/history/query", body)
            start = parse_time(answer["start"])
            for one in answer["series"]:
                labels = one["labels"]
                key = (how, one["metric"], labels["kind"], labels["workload"], labels["container"])
                series[key] = np.array([math.nan if v is None else v for v in one["values"]], dtype=np.float32)
        found: _Trails = {}
        for entry in listed:
            names = (entry["kind"], entry["name"], entry["container"])
            parts = [series.get((how, metric, *names)) for metric in ("cpu_cores", "memory_bytes") for how in ("mean", "max")]
            if all(part is not None for part in parts):
                key = ContainerKey(*(entry[name] for name in ContainerKey._fields))
                found[cluster["name"], key] = Trail(int(start), window["seconds"], *parts)  # type: ignore[arg-type] # none is None
        return found


def _chosen(clusters: Sequence[dict[str, Any]], request: ServerScanRequest) -> Sequence[dict[str, Any]]:
    if not clusters:
        raise NotFoundError("The platform has no cluster.")
    if request.all_clusters:
        return sorted(clusters, key=lambda cluster: str(cluster["name"]))
    if not request.cluster:
        if len(clusters) > 1:
            names = ", ".join(sorted(cluster["name"] for cluster in clusters)[:5])
            raise InvalidError(f"The platform has {len(clusters)} clusters: name one of them, or take all ({names} ...).")
        return clusters
    for field in ("name", "id", "context"):
        found = [cluster for cluster in clusters if cluster[field] == request.cluster]
        if len(found) == 1:
            return found
    raise NotFoundError(f"The platform has no cluster {request.cluster!r}, or several of this context.")


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry that a scan would have: without what only the platform knows, bytes whole."""
    entry = {name: value for name, value in item.items() if name not in OF_THE_API}
    return entry | {when: _whole(entry[when]) for when in ("current", "recommended")}


def _whole(value: Any) -> Any:
    """Return the value with whole numbers of bytes as integers, as a scan writes them."""
    if not isinstance(value, dict):
        return value
    return {
        name: int(inner) if name.endswith("_bytes") and isinstance(inner, float) and inner.is_integer() else _whole(inner)
        for name, inner in value.items()
    }


def _window(listed: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return the window that most entries are of: shards are collected together."""
    found = [entry["evidence"]["window"] for entry in listed if entry["evidence"]["window"]["step_seconds"]]
    if not found:
        return {"start": cluster["watermark"], "end": cluster["watermark"], "step_seconds": cluster["step_seconds"] or 0}
    return dict(max(found, key=lambda window: (window["end"], window["start"])))
