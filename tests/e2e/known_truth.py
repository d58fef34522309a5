"""A small cluster whose usage is known to the last digit: what runs when, its scrapes for a real Prometheus, its objects for the Kubernetes API.

CPU is steady within a step, so that the rate over a step's scrapes is exactly its mean; memory has its peak in one scrape of each step, where an instant
sample at the step's end would miss it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from outside.cluster import Cluster, container
from outside.metrics import CPU, MEMORY
from outside.real_prometheus import Sample, Written

STEP = 300
SCRAPE = 60
STEPS = 288
END = 1_700_006_400
START = END - STEPS * STEP
MIB = 2**20
OLD_SET = "6f6f6f"
RESIDENT_SHARE = 0.5  # of the working set in namespace shop; the others' kubelets do not tell


@dataclass(frozen=True)
class Run:
    """One run of a pod's container over the steps [first, last); `seed` makes its usage."""

    seed: int
    first: int = 0
    last: int = STEPS

    @cached_property
    def cpu_cores(self) -> np.ndarray:  # type: ignore[type-arg] # floats by step
        return np.random.default_rng([self.seed, 1]).gamma(2.0, 0.05, STEPS)

    @cached_property
    def memory_bytes(self) -> np.ndarray:  # type: ignore[type-arg] # floats by step: the peaks
        return np.round(np.random.default_rng([self.seed, 2]).uniform(100, 300, STEPS)) * MIB

    def scrapes(self) -> tuple[list[Sample], list[Sample]]:
        """Return the samples of the CPU counter and of memory, 17 s behind each full minute."""
        cpu: list[Sample] = []
        memory: list[Sample] = []
        total = 0.0
        for step in range(self.first, self.last):
            for i in range(STEP // SCRAPE):
                moment = START + step * STEP + i * SCRAPE + 17
                cpu.append((moment, repr(float(total + self.cpu_cores[step] * (i * SCRAPE + 17)))))
                memory.append((moment, repr(float(self.memory_bytes[step] * (1.0 if i == 1 else 0.7)))))
            total += self.cpu_cores[step] * STEP
        return cpu, memory


@dataclass(frozen=True)
class Pod:
    name: str
    replica_set: str
    runs: tuple[Run, ...]
    live: bool = True
    replicas_of_prometheus: int = 1


@dataclass
class App:
    """A Deployment and its pods, those gone by now too."""

    namespace: str
    name: str
    pods: list[Pod] = field(default_factory=list)

    def pod(self, name: str, *runs: Run, live: bool = True, replicas_of_prometheus: int = 1) -> App:
        owner = f"{self.name}-{'5d4f9c' if live else OLD_SET}"
        self.pods.append(Pod(name, owner, runs, live, replicas_of_prometheus))
        return self

    def truth(self, family: str) -> np.ndarray:  # type: ignore[type-arg] # floats
        """Return every sample of the app's pods, pooled."""
        return np.concatenate([getattr(run, family)[run.first : run.last] for pod in self.pods for run in pod.runs])


def apps() -> list[App]:
    """Return the cluster: twins by name in two namespaces, a name that begins like another, earlier ReplicaSets, a pod that was killed twice."""
    return [
        App("shop", "api").pod("api-1", Run(1)).pod("api-2", Run(2)).pod("api-old", Run(3, 0, 100), live=False),
        App("shop", "api-gateway").pod("api-gateway-1", Run(4), replicas_of_prometheus=2),
        App("shop-test", "api").pod("api-1", Run(5, 30)),
        App("jobs", "leak").pod("leak-1", Run(6, 0, 96), Run(7, 96, 200), Run(8, 200)),
        App("jobs", "silent"),
    ]


def write(some: list[App]) -> Written:
    """Return what Prometheus has scraped of them."""
    written = Written()
    minutes = range(START, END, SCRAPE)
    for app in some:
        for pod in app.pods:
            for number, run in enumerate(pod.runs):
                _write_run(written, app, pod, number, run)
            spans = [(t, "1") for t in minutes if pod.runs[0].first <= (t - START) // STEP < pod.runs[-1].last]
            names = {"namespace": app.namespace, "pod": pod.name}
            owner = {"owner_kind": "ReplicaSet", "owner_name": pod.replica_set, "owner_is_controller": "true"}
            written.add("kube_pod_owner", names | owner, spans)
            chain = {"namespace": app.namespace, "replicaset": pod.replica_set, "owner_kind": "Deployment", "owner_name": app.name}
            if pod in (app.pods[0], app.pods[-1]):
                written.add("kube_replicaset_owner", chain | {"owner_is_controller": "true"}, spans)
            _write_kills(written, names | {"container": "app"}, pod, minutes)
    return written


def _write_run(written: Written, app: App, pod: Pod, number: int, run: Run) -> None:
    cpu, memory = run.scrapes()
    for replica in range(pod.replicas_of_prometheus):
        own = {
            "namespace": app.namespace,
            "pod": pod.name,
            "container": "app",
            "id": f"/kubepods/{pod.name}/{number}",
            "replica": str(replica),
        }
        written.add(CPU, own | {"cpu": "total"}, cpu)
        written.add(MEMORY, own, memory)
        if app.namespace == "shop":
            written.add("container_memory_rss", own, [(t, repr(float(value) * RESIDENT_SHARE)) for t, value in memory])
        written.add(CPU, {"namespace": app.namespace, "pod": pod.name, "id": f"/kubepods/{pod.name}", "replica": str(replica)}, cpu)
        written.add("container_cpu_cfs_periods_total", own, [(t, str((t - START) * 10)) for t, _ in cpu])
        written.add("container_cpu_cfs_throttled_periods_total", own, [(t, str((t - START) * 10 // 4)) for t, _ in cpu])


def _write_kills(written: Written, names: dict[str, str], pod: Pod, minutes: range) -> None:
    """Write a restart and an OOM kill for each run but the first, and the memory limit."""
    begins = [START + run.first * STEP for run in pod.runs]
    written.add(
        "kube_pod_container_status_restarts_total", names, [(t, str(sum(b <= t for b in begins[1:]))) for t in minutes if t >= begins[0]]
    )
    limit = names | {"resource": "memory", "unit": "byte"}
    written.add("kube_pod_container_resource_limits", limit, [(t, str(512 * MIB)) for t in minutes if t >= begins[0]])
    if len(begins) > 1:
        reason = names | {"reason": "OOMKilled"}
        written.add("kube_pod_container_status_last_terminated_reason", reason, [(t, "1") for t in minutes if t >= begins[1]])


def cluster(some: list[App]) -> Cluster:
    """Return the objects that the Kubernetes API lists."""
    listed = Cluster().namespace(*sorted({app.namespace for app in some}))
    for app in some:
        live = [pod.name for pod in app.pods if pod.live]
        listed.deployment(
            app.namespace, app.name, [container(resources={"limits": {"cpu": "1", "memory": "512Mi"}})], replicas=len(live) or 1, pods=live
        )
    return listed
