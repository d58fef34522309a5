"""What kubelets, cAdvisor and runtimes tell beside CPU and memory: network, files, volumes, heaps. All of it follows from the use of CPU and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from upid.demo.plan import DAY, Plan, Run, claim_of
from upid.demo.prometheus.family import Cells, Family, Floats, OfRuns, Rows, cadvisor, constant, varying
from upid.demo.usage import MIB, PAGE, Usage
from upid.domain.quantities import parse_quantity

RSS: Final = 0.78  # of the working set
CACHE: Final = 0.3
RECEIVED: Final = 3.0 * MIB  # per second and core
SENT: Final = 5.0 * MIB
READ: Final = 0.1 * MIB
WRITTEN: Final = 0.4 * MIB
TO_VOLUME: Final = 12.0  # times as much by what has a volume
BYTES_PER_OPERATION: Final = 16384.0
LOGS: Final = 60.0 * MIB
HEAP: Final = 0.7  # of the working set, in the mean
FULLEST: Final = 0.97


def detail_families(plan: Plan, usage: Usage) -> Iterator[Family]:
    """Yield the families beside CPU and memory."""
    labels = [cadvisor(run) for run in plan.runs]
    lives = np.stack([usage.start, usage.end], axis=1)
    for name, share in (("container_memory_rss", RSS), ("container_memory_cache", CACHE)):
        yield varying(name, "gauge", labels, lives, _share_of_memory(usage, share))
    yield from _files(plan, usage, labels)
    yield from _network(plan, usage)
    yield from _volumes(plan, usage.cell_seconds)
    yield from _heaps(plan, usage)


def _share_of_memory(usage: Usage, share: float) -> OfRuns:
    everyone = np.arange(len(usage.start), dtype=np.intp)
    return OfRuns(everyone, lambda rows, cells: np.floor(usage.memory_bytes(rows, cells) * share / PAGE) * PAGE)


def _share_of_cpu(usage: Usage, runs: Rows, share: Floats) -> OfRuns:
    return OfRuns(runs, lambda rows, cells: usage.cpu_cores(rows, cells) * share[rows, None])


def _files(plan: Plan, usage: Usage, labels: list[dict[str, str]]) -> Iterator[Family]:
    on_disk = [own | {"device": "/dev/nvme0n1"} for own in labels]
    lives, everyone = np.stack([usage.start, usage.end], axis=1), np.arange(len(labels), dtype=np.intp)
    busy = np.array([TO_VOLUME if run.pod.workload.spec.volume else 1.0 for run in plan.runs])

    def logs(rows: Rows, cells: Cells) -> Floats:
        """Return what a container's logs hold: they grow by day and are cut at night."""
        grown = (cells * usage.cell_seconds % DAY) / DAY
        return np.floor(LOGS * (0.2 + grown[None, :]) * (1.0 + (usage.seed[rows] % np.uint64(7)).astype(float)[:, None]) / PAGE) * PAGE

    yield varying("container_fs_usage_bytes", "gauge", on_disk, lives, logs)
    for name, per_core in (("reads", READ), ("writes", WRITTEN)):
        yield varying(f"container_fs_{name}_bytes_total", "counter", on_disk, lives, _share_of_cpu(usage, everyone, busy * per_core))
        yield varying(
            f"container_fs_{name}_total", "counter", on_disk, lives, _share_of_cpu(usage, everyone, busy * per_core / BYTES_PER_OPERATION)
        )


def _network(plan: Plan, usage: Usage) -> Iterator[Family]:
    first = {run.pod.index: row for row, run in reversed(list(enumerate(plan.runs))) if run.position == 0}
    pods = [pod for pod in plan.pods if pod.index in first]
    labels = [_sandbox(plan.runs[first[pod.index]]) for pod in pods]
    lives = np.array([(pod.start, pod.end) for pod in pods], np.int64).reshape(-1, 2)
    runs, all_of_it = np.array([first[pod.index] for pod in pods], np.intp), np.ones(len(plan.runs))
    for direction, per_core in (("receive", RECEIVED), ("transmit", SENT)):
        name = f"container_network_{direction}"
        yield varying(f"{name}_bytes_total", "counter", labels, lives, _share_of_cpu(usage, runs, all_of_it * per_core))
        for fault in ("packets_dropped", "errors"):
            yield constant(f"{name}_{fault}_total", labels, lives, np.zeros(len(pods)))


def _sandbox(run: Run) -> dict[str, str]:
    """Return the labels of a pod's own cgroup, which its network is counted by."""
    own = cadvisor(run)
    place = own["id"].rpartition("/")[0]
    return {key: text for key, text in own.items() if key not in {"container", "image", "name"}} | {"id": place, "interface": "eth0"}


def _volumes(plan: Plan, cell_seconds: int) -> Iterator[Family]:
    mounted = [(pod, pod.workload.spec.volume) for pod in plan.pods if pod.workload.spec.volume]
    labels = [
        {"namespace": pod.workload.spec.namespace, "persistentvolumeclaim": claim_of(pod), "node": pod.node.name, "job": "kubelet",
         "instance": f"{pod.node.address}:10250", "metrics_path": "/metrics"}
        for pod, _ in mounted
    ]  # fmt: skip
    lives = np.array([(pod.start, pod.end) for pod, _ in mounted], np.int64).reshape(-1, 2)
    size = np.array([parse_quantity(volume.request) for _, volume in mounted if volume])
    full, per_day = (np.array([getattr(volume, name) for _, volume in mounted]) for name in ("full", "per_day"))

    def used(rows: Rows, cells: Cells) -> Floats:
        days = (cells * cell_seconds - plan.scale.anchor) / DAY
        breathing = 0.01 * np.sin(2 * np.pi * days)[None, :] * full[rows, None]
        held = np.clip(full[rows, None] + per_day[rows, None] * days[None, :] + breathing, 0.001, FULLEST)
        whole: Floats = np.floor(held * size[rows, None] / PAGE) * PAGE
        return whole

    yield varying("kubelet_volume_stats_used_bytes", "gauge", labels, lives, used)
    yield constant("kubelet_volume_stats_capacity_bytes", labels, lives, size)


def _heaps(plan: Plan, usage: Usage) -> Iterator[Family]:
    specs = [run.pod.workload.spec.containers[run.position] for run in plan.runs]
    java = np.array([row for row, spec in enumerate(specs) if spec.command and spec.command[0] == "java"], np.intp)
    go = np.array([row for row, spec in enumerate(specs) if any(name == "GOMEMLIMIT" for name, _ in spec.environment)], np.intp)
    most = np.array([parse_quantity(specs[row].command[1].removeprefix("-Xmx").removesuffix("m") + "Mi") for row in java])

    def of(runs: Rows, share: float) -> OfRuns:
        return OfRuns(runs, lambda rows, cells: np.floor(usage.memory_bytes(rows, cells) * share))

    for name, runs, family in (("jvm_memory_used_bytes", java, "heap"), ("go_memstats_heap_inuse_bytes", go, "")):
        labels = [_scraped(plan.runs[row]) | ({"area": family} if family else {}) for row in runs]
        lives = np.array([(plan.runs[row].start, plan.runs[row].end) for row in runs], np.int64).reshape(-1, 2)
        pools = [("G1 Eden Space", HEAP / 2), ("G1 Old Gen", HEAP / 2)] if family else [("", HEAP)]
        for pool, share in pools:
            yield varying(name, "gauge", [own | ({"id": pool} if pool else {}) for own in labels], lives, of(runs, share))
            if pool:
                values = np.full(len(runs), -1.0) if "Eden" in pool else most
                yield constant("jvm_memory_max_bytes", [own | {"id": pool} for own in labels], lives, values)


def _scraped(run: Run) -> dict[str, str]:
    """Return the labels that a PodMonitor gives a process' own metrics."""
    own = cadvisor(run)
    return {key: own[key] for key in ("namespace", "pod", "container")} | {
        "instance": f"{run.pod.address}:8080",
        "job": run.pod.workload.spec.name,
    }
