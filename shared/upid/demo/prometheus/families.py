"""The metric families of the demo cluster, as cAdvisor and kube-state-metrics name and label them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from upid.demo.plan import Plan, Run
from upid.demo.usage import Usage
from upid.domain.quantities import parse_quantity

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Cells = NDArray[np.int64]
PERIODS_PER_SECOND: Final = 10.0  # CFS periods last 100 ms
KSM: Final = {"instance": "10.100.0.9:8080", "job": "kube-state-metrics", "service": "kube-state-metrics"}


@dataclass(frozen=True)
class Family:
    """Series of one name. Each lives in [start, end) of `lives`.

    gauge: `cells(rows, cells)` gives its value in each cell. counter: it gives how much is added per second. constant: `values` holds the value of each.
    """

    name: str
    kind: Literal["gauge", "counter", "constant"]
    labels: list[dict[str, str]]
    lives: NDArray[np.int64]
    cells: Callable[[Rows, Cells], Floats] | None = None
    values: Floats | None = None

    @cached_property
    def namespaces(self) -> dict[str, list[int]]:
        """Rows by namespace: what nearly every query asks for."""
        found: dict[str, list[int]] = {}
        for row, own in enumerate(self.labels):
            found.setdefault(own.get("namespace", ""), []).append(row)
        return found


def families(plan: Plan, usage: Usage) -> dict[str, list[Family]]:
    """Return every family of a plan by name; a name may have several, such as containers and the pods' own cgroups."""
    found: dict[str, list[Family]] = {}
    for family in (*_containers(plan, usage), *_restarts(plan, usage), *_objects(plan), *_machines(plan)):
        found.setdefault(family.name, []).append(family)
    return found


def _containers(plan: Plan, usage: Usage) -> Iterator[Family]:
    lives = np.stack([usage.start, usage.end], axis=1)
    labels = [_cadvisor(run) for run in plan.runs]
    yield _family("container_cpu_usage_seconds_total", "counter", [own | {"cpu": "total"} for own in labels], lives, usage.cpu_cores)
    yield _family("container_memory_working_set_bytes", "gauge", labels, lives, usage.memory_bytes)
    limited = np.flatnonzero(np.isfinite(usage.cpu_limit))
    held = [labels[row] for row in limited]
    periods = _Rows(limited, lambda rows, cells: np.full((len(rows), len(cells)), PERIODS_PER_SECOND))
    throttled = _Rows(limited, lambda rows, cells: np.floor(usage.throttled(rows, cells) * 600.0) / 600.0 * PERIODS_PER_SECOND)
    yield _family("container_cpu_cfs_periods_total", "counter", held, lives[limited], periods)
    yield _family("container_cpu_cfs_throttled_periods_total", "counter", held, lives[limited], throttled)
    limits = np.where(np.isfinite(usage.memory_limit), usage.memory_limit, 0.0)
    yield _constant("container_spec_memory_limit_bytes", labels, lives, limits)


@dataclass(frozen=True, slots=True)
class _Rows:
    """A function of a family's rows in terms of the plan's runs."""

    runs: Rows
    function: Callable[[Rows, Cells], Floats]

    def __call__(self, rows: Rows, cells: Cells) -> Floats:
        return self.function(self.runs[rows], cells)


def _restarts(plan: Plan, usage: Usage) -> Iterator[Family]:
    groups: dict[tuple[int, int], list[Run]] = {}
    for run in plan.runs:
        groups.setdefault((run.pod.index, run.position), []).append(run)
    labels = [_ksm_container(runs[0]) for runs in groups.values()]
    lives = np.array([(runs[0].start, runs[-1].end) for runs in groups.values()], np.int64).reshape(-1, 2)
    starts = [np.array([run.start for run in runs[1:]], np.int64) for runs in groups.values()]
    killed = np.array([i for i, times in enumerate(starts) if len(times)], np.intp)
    calm = np.array([i for i, times in enumerate(starts) if not len(times)], np.intp)
    added = _Rows(killed, partial(_added, starts, usage.cell_seconds))
    name = "kube_pod_container_status_restarts_total"
    yield _family(name, "counter", [labels[i] for i in killed], lives[killed], added)
    yield _constant(name, [labels[i] for i in calm], lives[calm], np.zeros(len(calm)))
    since = np.array([(starts[i][0], lives[i, 1]) for i in killed], np.int64).reshape(-1, 2)
    why = [labels[i] | {"reason": "OOMKilled"} for i in killed]
    yield _constant("kube_pod_container_status_last_terminated_reason", why, since, np.ones(len(killed)))
    cadvisor = [_cadvisor(next(iter(groups.values()))[0])] if not groups else [_cadvisor(runs[-1]) for runs in groups.values()]
    yield _family("container_oom_events_total", "counter", [cadvisor[i] for i in killed], lives[killed], added)


def _added(starts: list[NDArray[np.int64]], cell_seconds: int, rows: Rows, cells: Cells) -> Floats:
    """Return how many events per second each cell has, shape (rows, cells)."""
    out = np.zeros((len(rows), len(cells)))
    for i, row in enumerate(rows):
        at = starts[row] // cell_seconds - cells[0]
        at = at[(at >= 0) & (at < len(cells))]
        np.add.at(out[i], at, 1.0 / cell_seconds)
    return out


def _objects(plan: Plan) -> Iterator[Family]:
    lives = np.array([(pod.start, pod.end) for pod in plan.pods], np.int64).reshape(-1, 2)
    own = [KSM | {"namespace": p.workload.spec.namespace, "pod": p.name, "uid": p.uid} for p in plan.pods]
    none = ("<none>", "<none>", "")
    owners = [base | _owner(*(pod.owner or none)[:2]) for base, pod in zip(own, plan.pods, strict=True)]
    yield _constant("kube_pod_owner", owners, lives, np.ones(len(own)))
    infos = [
        base
        | {
            "node": pod.node.name,
            "pod_ip": pod.address,
            "created_by_kind": (pod.owner or none)[0],
            "created_by_name": (pod.owner or none)[1],
        }
        for base, pod in zip(own, plan.pods, strict=True)
    ]
    yield _constant("kube_pod_info", infos, lives, np.ones(len(own)))
    yield _constant("kube_pod_status_phase", [base | {"phase": "Running"} for base in own], lives, np.ones(len(own)))
    for kind, field, name in (("Deployment", "replicaset", "kube_replicaset_owner"), ("CronJob", "job_name", "kube_job_owner")):
        links = [(w, r) for w in plan.workloads if w.spec.kind == kind for r in w.revisions]
        labels = [KSM | {"namespace": w.spec.namespace, field: r.name} | _owner(kind, w.spec.name) for w, r in links]
        spans = np.array([(r.start, r.end + 3600) for _, r in links], np.int64).reshape(-1, 2)
        yield _constant(name, labels, spans, np.ones(len(links)))
    yield from _resources(plan)


def _resources(plan: Plan) -> Iterator[Family]:
    for kind in ("requests", "limits"):
        labels, lives, values = [], [], []
        for run in plan.runs:
            spec = run.pod.workload.spec.containers[run.position]
            asked = (spec.cpu_request, spec.memory_request) if kind == "requests" else (spec.cpu_limit, spec.memory_limit)
            for (resource, unit), quantity in zip((("cpu", "core"), ("memory", "byte")), asked, strict=True):
                if quantity and run.number == 0:
                    labels.append(_ksm_container(run) | {"node": run.pod.node.name, "resource": resource, "unit": unit})
                    lives.append((run.pod.start, run.pod.end))
                    values.append(parse_quantity(quantity))
        yield _constant(f"kube_pod_container_resource_{kind}", labels, np.array(lives, np.int64).reshape(-1, 2), np.array(values))


def _machines(plan: Plan) -> Iterator[Family]:
    always = np.tile(np.array([0, 1 << 40], np.int64), (len(plan.nodes), 1))
    labels = [{"instance": f"{node.address}:10250", "job": "kubelet", "node": node.name} for node in plan.nodes]
    yield _constant("machine_cpu_cores", labels, always, np.array([float(node.cpu_cores) for node in plan.nodes]))
    yield _constant("machine_memory_bytes", labels, always, np.array([float(node.memory_bytes) for node in plan.nodes]))
    yield _constant("up", [{"instance": "localhost:9090", "job": "prometheus"}], always[:1], np.ones(1))


def _family(
    name: str,
    kind: Literal["gauge", "counter"],
    labels: list[dict[str, str]],
    lives: NDArray[np.int64],
    cells: Callable[[Rows, Cells], Floats],
) -> Family:
    return Family(name, kind, [{"__name__": name} | own for own in labels], lives, cells=cells)


def _constant(name: str, labels: list[dict[str, str]], lives: NDArray[np.int64], values: Floats) -> Family:
    return Family(name, "constant", [{"__name__": name} | own for own in labels], lives, values=values)


def _owner(kind: str, name: str) -> dict[str, str]:
    controlled = "<none>" if kind == "<none>" else "true"
    return {"owner_kind": kind, "owner_name": name, "owner_is_controller": controlled}


def _cadvisor(run: Run) -> dict[str, str]:
    pod = run.pod
    name = pod.workload.spec.containers[run.position].name
    return {
        "container": name, "id": f"/kubepods.slice/kubepods-pod{pod.uid.replace('-', '_')}.slice/cri-containerd-{run.id}.scope",
        "image": f"registry.example.com/{pod.workload.spec.namespace}/{name}:1.0.0", "instance": f"{pod.node.address}:10250", "job": "kubelet",
        "metrics_path": "/metrics/cadvisor", "name": run.id, "namespace": pod.workload.spec.namespace, "node": pod.node.name, "pod": pod.name,
    }  # fmt: skip


def _ksm_container(run: Run) -> dict[str, str]:
    pod = run.pod
    return KSM | {
        "namespace": pod.workload.spec.namespace, "pod": pod.name, "uid": pod.uid, "container": pod.workload.spec.containers[run.position].name,
    }  # fmt: skip
