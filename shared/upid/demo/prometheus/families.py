"""The metric families of the demo cluster, as cAdvisor and kube-state-metrics name and label them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.demo.plan import Plan, Run
from upid.demo.prometheus.details import detail_families
from upid.demo.prometheus.family import Cells, Family, Floats, OfRuns, Rows, cadvisor, constant, varying
from upid.demo.usage import Usage
from upid.domain.quantities import parse_quantity

MANY_PODS: Final = 1000
PERIODS_PER_SECOND: Final = 10.0  # CFS periods last 100 ms
KSM: Final = {"instance": "10.100.0.9:8080", "job": "kube-state-metrics", "service": "kube-state-metrics"}


def families(plan: Plan, usage: Usage) -> dict[str, list[Family]]:
    """Return every family of a plan by name; a name may have several. Of very many pods there are CPU and memory alone, so that the start is quick."""
    found: dict[str, list[Family]] = {}
    details = detail_families(plan, usage) if plan.scale.pods <= MANY_PODS else ()
    for family in (*_containers(plan, usage), *_restarts(plan, usage), *_objects(plan), *_machines(plan), *details):
        found.setdefault(family.name, []).append(family)
    return found


def _containers(plan: Plan, usage: Usage) -> Iterator[Family]:
    lives = np.stack([usage.start, usage.end], axis=1)
    labels = [cadvisor(run) for run in plan.runs]
    yield varying("container_cpu_usage_seconds_total", "counter", [own | {"cpu": "total"} for own in labels], lives, usage.cpu_cores)
    yield varying("container_memory_working_set_bytes", "gauge", labels, lives, usage.memory_bytes)
    limited = np.flatnonzero(np.isfinite(usage.cpu_limit))
    held = [labels[row] for row in limited]
    periods = OfRuns(limited, lambda rows, cells: np.full((len(rows), len(cells)), PERIODS_PER_SECOND))
    throttled = OfRuns(limited, lambda rows, cells: np.floor(usage.throttled(rows, cells) * 600.0) / 600.0 * PERIODS_PER_SECOND)
    yield varying("container_cpu_cfs_periods_total", "counter", held, lives[limited], periods)
    yield varying("container_cpu_cfs_throttled_periods_total", "counter", held, lives[limited], throttled)
    limits = np.where(np.isfinite(usage.memory_limit), usage.memory_limit, 0.0)
    yield constant("container_spec_memory_limit_bytes", labels, lives, limits)


def _restarts(plan: Plan, usage: Usage) -> Iterator[Family]:
    groups: dict[tuple[int, int], list[Run]] = {}
    for run in plan.runs:
        groups.setdefault((run.pod.index, run.position), []).append(run)
    labels = [_ksm_container(runs[0]) for runs in groups.values()]
    lives = np.array([(runs[0].start, runs[-1].end) for runs in groups.values()], np.int64).reshape(-1, 2)
    starts = [np.array([run.start for run in runs[1:]], np.int64) for runs in groups.values()]
    killed = np.array([i for i, times in enumerate(starts) if len(times)], np.intp)
    calm = np.array([i for i, times in enumerate(starts) if not len(times)], np.intp)
    added = OfRuns(killed, partial(_added, starts, usage.cell_seconds))
    name = "kube_pod_container_status_restarts_total"
    yield varying(name, "counter", [labels[i] for i in killed], lives[killed], added)
    yield constant(name, [labels[i] for i in calm], lives[calm], np.zeros(len(calm)))
    since = np.array([(starts[i][0], lives[i, 1]) for i in killed], np.int64).reshape(-1, 2)
    why = [labels[i] | {"reason": "OOMKilled"} for i in killed]
    yield constant("kube_pod_container_status_last_terminated_reason", why, since, np.ones(len(killed)))
    own = [cadvisor(next(iter(groups.values()))[0])] if not groups else [cadvisor(runs[-1]) for runs in groups.values()]
    yield varying("container_oom_events_total", "counter", [own[i] for i in killed], lives[killed], added)


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
    yield constant("kube_pod_owner", owners, lives, np.ones(len(own)))
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
    yield constant("kube_pod_info", infos, lives, np.ones(len(own)))
    yield constant("kube_pod_status_phase", [base | {"phase": "Running"} for base in own], lives, np.ones(len(own)))
    for kind, field, name in (("Deployment", "replicaset", "kube_replicaset_owner"), ("CronJob", "job_name", "kube_job_owner")):
        links = [(w, r) for w in plan.workloads if w.spec.kind == kind for r in w.revisions]
        labels = [KSM | {"namespace": w.spec.namespace, field: r.name} | _owner(kind, w.spec.name) for w, r in links]
        spans = np.array([(r.start, r.end + 3600) for _, r in links], np.int64).reshape(-1, 2)
        yield constant(name, labels, spans, np.ones(len(links)))
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
        yield constant(f"kube_pod_container_resource_{kind}", labels, np.array(lives, np.int64).reshape(-1, 2), np.array(values))


def _machines(plan: Plan) -> Iterator[Family]:
    always = np.tile(np.array([0, 1 << 40], np.int64), (len(plan.nodes), 1))
    labels = [{"instance": f"{node.address}:10250", "job": "kubelet", "node": node.name} for node in plan.nodes]
    yield constant("machine_cpu_cores", labels, always, np.array([float(node.cpu_cores) for node in plan.nodes]))
    yield constant("machine_memory_bytes", labels, always, np.array([float(node.memory_bytes) for node in plan.nodes]))
    yield constant("up", [{"instance": "localhost:9090", "job": "prometheus"}], always[:1], np.ones(1))


def _owner(kind: str, name: str) -> dict[str, str]:
    controlled = "<none>" if kind == "<none>" else "true"
    return {"owner_kind": kind, "owner_name": name, "owner_is_controller": controlled}


def _ksm_container(run: Run) -> dict[str, str]:
    pod = run.pod
    return KSM | {
        "namespace": pod.workload.spec.namespace, "pod": pod.name, "uid": pod.uid, "container": pod.workload.spec.containers[run.position].name,
    }  # fmt: skip
