"""A Prometheus HTTP API over series whose values a test gives as functions of time. It evaluates no PromQL: it knows metric, matchers and grid."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from outside.serving import Reply, Request

CPU = "container_cpu_usage_seconds_total"
MEMORY = "container_memory_working_set_bytes"
_SELECTOR = re.compile(r"([a-z_]+)\{([^}]*)\}")
_MATCHER = re.compile(r'([a-z_]+)(=~|!=|=)"((?:[^"\\]|\\.)*)"')

Value = Callable[[float], float | str | None]  # of a moment [s]; text stands as it is (`NaN`), None = no sample


@dataclass
class Metrics:
    """Series by metric. A CPU series' value is its rate already; what is asked is kept in `asked`."""

    series: list[tuple[str, dict[str, str], Value]] = field(default_factory=list)
    overrides: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def usage(self, namespace: str, pod: str, container: str, cpu: Value | None, memory: Value | None, **labels: str) -> Metrics:
        """Add a container's CPU [cores] and memory [bytes]."""
        own = {"namespace": namespace, "pod": pod, "container": container, "id": f"/kubepods/{pod}/{container}", **labels}
        for metric, value in ((CPU, cpu), (MEMORY, memory)):
            if value is not None:
                self.add(metric, own, value)
        return self

    def owned(self, namespace: str, pod: str, replica_set: str, deployment: str) -> Metrics:
        """Add the owner chain of a pod of a Deployment."""
        one: Value = lambda _: 1.0  # noqa: E731 the shortest way to say a constant
        pod_labels = {
            "namespace": namespace,
            "pod": pod,
            "owner_kind": "ReplicaSet",
            "owner_name": replica_set,
            "owner_is_controller": "true",
        }
        set_labels = {"namespace": namespace, "replicaset": replica_set, "owner_kind": "Deployment", "owner_name": deployment}
        self.add("kube_pod_owner", pod_labels, one)
        self.add("kube_replicaset_owner", set_labels | {"owner_is_controller": "true"}, one)
        return self

    def add(self, metric: str, labels: dict[str, str], value: Value) -> None:
        self.series.append((metric, labels, value))

    def answer(self, request: Request) -> Reply:
        """Answer the paths that a client of the HTTP API uses."""
        self.asked.append(f"{request.path} {request.param('query')}")
        if request.path in self.overrides:
            return self.overrides[request.path]
        answers = {
            "/api/v1/query_range": lambda: {"resultType": "matrix", "result": list(self._matrix(request))},
            "/api/v1/query": lambda: {"resultType": "vector", "result": list(self._vector(request))},
            "/api/v1/series": lambda: [labels for text in request.params["match[]"] for labels, _ in self._selected(text)],
            "/api/v1/label/__name__/values": lambda: sorted({one["__name__"] for one, _ in self._selected(request.param("match[]"))}),
            "/api/v1/status/buildinfo": lambda: {"version": "3.5.0"},
        }
        if request.path not in answers:
            return Reply(b"404 page not found", 404, {"Content-Type": "text/plain"})
        return Reply({"status": "success", "data": answers[request.path]()})

    def _matrix(self, request: Request) -> Iterator[dict[str, object]]:
        start, end, step = (float(request.param(name)) for name in ("start", "end", "step"))
        moments = [start + i * step for i in range(int((end - start) // step) + 1)]
        for labels, value in self._selected(request.param("query")):
            values = [[moment, str(found)] for moment in moments if (found := value(moment)) is not None]
            if values:
                yield {"metric": {key: text for key, text in labels.items() if key != "__name__"}, "values": values}

    def _vector(self, request: Request) -> Iterator[dict[str, object]]:
        query, moment = request.param("query"), float(request.param("time"))
        selected = [(labels, found) for labels, value in self._selected(query) if (found := value(moment)) is not None]
        if query.startswith("count("):
            selected = [({}, len(selected))] if selected else []
        elif query.startswith("count by (namespace) ("):
            sizes = Counter(labels.get("namespace", "") for labels, _ in selected)
            selected = [({"namespace": name}, count) for name, count in sizes.items()]
        elif query.startswith("quantile("):
            selected = [({}, 30.0)] if selected else []  # a scrape every 30 s in 15 minutes
        for labels, found in selected:
            yield {"metric": labels, "value": [moment, str(found)]}

    def _selected(self, text: str) -> Iterator[tuple[dict[str, str], Value]]:
        found = _SELECTOR.search(text)
        if found is None:
            return
        matchers = _MATCHER.findall(found[2])
        for metric, labels, value in self.series:
            if metric == found[1] and all(_matches(labels.get(name, ""), sign, wanted) for name, sign, wanted in matchers):
                yield {"__name__": metric, **labels}, value


def _matches(value: str, sign: str, wanted: str) -> bool:
    plain = wanted.replace("\\\\", "\\")
    return {"=": value == plain, "!=": value != plain, "=~": re.fullmatch(plain, value) is not None}[sign]
