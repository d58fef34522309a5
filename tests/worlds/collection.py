"""A platform on a temporary folder, with a cluster and a metrics source that a test decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from upid.bootstrap import Services
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import AppError, InvalidRequestError, NotFoundError, UnavailableError
from upid.domain.identity import Caller
from upid.domain.inventory import Container, Inventory, Node, Pod, Resources, Workload
from upid.domain.metrics import metrics_of
from upid.domain.objects import Survey
from upid.ports.kubernetes import Observation
from upid.ports.metrics_source import (
    ContainerEvents,
    Evaluated,
    FamilyUsage,
    Metered,
    NamespaceUsage,
    PodContainer,
    PodOwner,
    PodPlace,
    UsageBlock,
    Window,
)
from upid.ports.workflows import Execution
from upid.services.clusters import Registration
from upid.services.collections import CollectionRequest
from upid.settings import Settings

START = 1_700_000_000 // 86400 * 86400 + 3600  # one in the morning, UTC
STEP = 300
CAPACITY = 200_000.0  # of every volume that is mounted [bytes]
ALICE = Caller("usr_alice", "alice", "default", ("*",))
MALLORY = Caller("usr_mallory", "mallory", "other", ("*",))


@dataclass
class SetClock:
    """A clock that a test sets."""

    moment: float = START

    def now(self) -> float:
        return self.moment


def workload(
    namespace: str, name: str, *, kind: str = "Deployment", replicas: int = 1, containers: Sequence[str] = ("main",), uid: str = ""
) -> Workload:
    """A workload whose pods are named `<name>-<number>`."""
    parts = tuple(Container(container, Resources(cpu_request_cores=1.0, memory_request_bytes=2.0**30)) for container in containers)
    return Workload(namespace, kind, name, uid or f"uid-{namespace}-{kind}-{name}", replicas, parts)


def inventory(*workloads: Workload) -> Inventory:
    """A cluster of these workloads, all their pods alive."""
    pods = tuple(
        Pod(w.namespace, f"{w.name}-{n}", f"{w.uid}-{n}", w.uid, "node-1", "Running") for w in workloads for n in range(w.replicas)
    )
    node = Node("node-1", "uid-node", 8.0, 32 * 2.0**30, "m5.2xlarge", "eu-central-1", "on-demand")
    return Inventory(workloads, pods, (node,), tuple(sorted({w.namespace for w in workloads})))


@dataclass
class FakeCluster:
    """Both sides of a cluster: what its API lists and what its metrics say. It is the port of clients, of clusters and of sources at once."""

    listed: Inventory
    down: set[str] = field(default_factory=set)
    unreachable: bool = False
    fault: type[AppError] = UnavailableError
    warnings: tuple[str, ...] = ()
    asked: list[tuple[tuple[str, ...], int, int]] = field(default_factory=list)
    opened: list[ClusterAccess | MetricsAccess] = field(default_factory=list)
    measured: list[tuple[str, int, int]] = field(default_factory=list)
    deaf_to: str = ""
    begun_again: int = 0
    detailed: bool = False
    context: str = "test"
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    places: tuple[PodPlace, ...] = ()
    owned: tuple[PodOwner, ...] = ()

    def open(self, access: Any) -> Any:
        self.opened.append(access)
        if getattr(access, "kubeconfig", None) == "no kubeconfig":
            raise InvalidRequestError([{"pointer": "#/kubeconfig", "detail": "It is not YAML."}])
        if not getattr(access, "url", "http://x").startswith("http"):
            raise InvalidRequestError([{"pointer": "#/url", "detail": "It is no URL."}])
        return self

    def inventory(self, *, namespaces: Sequence[str] = (), selector: str = "") -> Inventory:
        if self.unreachable:
            raise self.fault("The API server does not answer.")
        return self.listed

    def forget(self, prefix: str) -> None:
        """Nothing is open."""

    def observe(self) -> Observation:
        return Observation(self.inventory(), Survey(self.rows, {}))

    def usage(self, groups: Sequence[Sequence[str]], window: Window, *, resident: bool = False) -> Iterator[NamespaceUsage]:
        for group in groups:
            self.asked.append((tuple(group), window.start, window.end))
            if self.down & set(group):
                raise self.fault(f"Prometheus does not answer for {', '.join(group)}.")
            yield self._usage(tuple(group), window)

    def evaluate(self, queries: Sequence[str], window: Window) -> Iterator[Evaluated]:
        """Answer a query that begins with `level` by the formula of its own text; any other is refused."""
        for query in queries:
            values = level(query, window.start + STEP * np.arange(window.steps)).astype(np.float32)
            yield Evaluated(values) if query.startswith("level") else Evaluated(values * np.nan, f"Prometheus refuses {query}.")

    def resets(self, namespaces: Sequence[str], window: Window) -> int:
        return self.begun_again

    def families(self, namespaces: Sequence[str], families: Sequence[str], window: Window) -> Iterator[FamilyUsage]:
        for family in families:
            self.measured.append((family, window.start, window.end))
            if self.deaf_to == family:
                yield FamilyUsage(family, (), {}, refused=f"Prometheus refuses {family}.")
            else:
                yield self._family(family, frozenset(namespaces), window)

    def _family(self, family: str, namespaces: frozenset[str], window: Window) -> FamilyUsage:
        """Return the bytes that pods receive, and what claims hold and can hold."""
        things = {
            "network": [Metered(p.namespace, p.name) for p in self.listed.pods],
            "memory_detail": [Metered(p.namespace, p.name, "main") for p in self.listed.pods] if self.detailed else [],
            "storage": [Metered(claim.namespace, volume=claim.name) for claim in self.listed.claims],
        }.get(family, [])
        kept = [thing for thing in things if thing.namespace in namespaces]
        if not kept:
            return FamilyUsage(family, (), {})
        moments = window.start + STEP * np.arange(window.steps)
        values = np.stack([level(one.pod or one.volume, moments) for one in kept])
        samples = {metrics_of(family)[0]: values.astype(np.float32)}
        if family == "storage":
            samples["volume_capacity_bytes"] = np.full_like(samples["volume_used_bytes"], CAPACITY)
        return FamilyUsage(family, kept, samples)

    def _usage(self, group: tuple[str, ...], window: Window) -> NamespaceUsage:
        containers = {w.uid: [c.name for c in w.containers] for w in self.listed.workloads}
        keys = [PodContainer(p.namespace, p.name, c) for p in self.listed.pods if p.namespace in group for c in containers[p.workload_uid]]
        moments = window.start + STEP * np.arange(window.steps)
        cpu = np.stack([sample(key, moments) for key in keys]) if keys else np.empty((0, window.steps))
        nothing = UsageBlock((), np.empty((0, window.steps)))
        return NamespaceUsage(
            group,
            window,
            UsageBlock(keys, cpu),
            UsageBlock(keys, cpu * 2**30),
            nothing,
            ContainerEvents({}, {}, {}),
            self.owned,
            self.warnings,
            places=self.places,
        )


def sample(key: PodContainer, moments: Any) -> Any:
    """CPU of a container at moments: different for each container and each step, the same whenever it is asked for. [cores]"""
    return (1 + sum(map(ord, "".join(key))) % 97) / 100 + (moments // STEP % 12) / 1000


def level(name: str, moments: Any) -> Any:
    """A level of a pod or claim at moments: different for each and each step, the same whenever it is asked for."""
    return 1000.0 * (1 + sum(map(ord, name)) % 97) + moments // STEP % 12


@dataclass
class FakeWorkflows:
    """Executions that a test runs by hand."""

    executions: dict[str, Execution] = field(default_factory=dict)
    payloads: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    deaf: bool = False

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> None:
        if self.deaf:
            raise KeyboardInterrupt  # the process dies right here
        self.executions.setdefault(name, Execution(machine, name, "RUNNING"))
        self.payloads.setdefault(name, payload)

    def describe(self, machine: str, name: str) -> Execution:
        if name not in self.executions:
            raise NotFoundError(f"There is no execution {name}.")
        return self.executions[name]

    def stop(self, machine: str, name: str, *, cause: str) -> None:
        self.executions[name] = Execution(machine, name, "ABORTED", cause=cause)


@dataclass
class World:
    """The platform, its clock, the cluster behind it."""

    services: Services
    clock: SetClock
    cluster: FakeCluster
    workflows: FakeWorkflows

    @classmethod
    def at(cls, home: Path, *workloads: Workload) -> World:
        return cls.on(Services(Settings(home=home)), *workloads)

    @classmethod
    def on(cls, services: Services, *workloads: Workload) -> World:
        """The world on services of any home."""
        clock, workflows = SetClock(), FakeWorkflows()
        cluster = FakeCluster(inventory(*workloads))
        replaced = {"clock": clock, "kubernetes": cluster, "metrics_sources": cluster, "workflows": workflows}
        for name, port in replaced.items():
            setattr(services, name, port)
        return cls(services, clock, cluster, workflows)

    def register(self, name: str = "production", caller: Caller = ALICE, **told: Any) -> str:
        """Register a cluster and return its id."""
        return str(self.services.clusters.register(caller, registration(name, **told))["id"])

    def start(self, cluster_id: str, **asked: Any) -> str:
        """Start a collection and return its id."""
        return str(self.services.collections.start(ALICE, CollectionRequest(cluster_id, **asked))["id"])

    def collect(self, cluster_id: str, **asked: Any) -> dict[str, Any]:
        """Start a collection, do all its tasks as the state machine does, and return how it ended."""
        collection_id = self.start(cluster_id, **asked)
        self.run(collection_id)
        return self.services.collections.view("default", collection_id)

    def run(self, collection_id: str, *, times: int = 1) -> None:
        """Do the tasks of a collection, each so many times."""
        tasks = self.services.collecting
        for _ in range(times):
            plan = tasks.plan("default", collection_id)
        collected = [self._caught("item", n, times, lambda n: tasks.collect("default", collection_id, n)) for n in plan["items"]]
        folded = [self._caught("shard", n, times, lambda n: tasks.fold("default", collection_id, n)) for n in plan["shards"]]
        for _ in range(times):
            self.services.completing.complete("default", collection_id, collected, folded)
        execution = self.workflows.executions[collection_id]
        self.workflows.executions[collection_id] = Execution(execution.machine, collection_id, "SUCCEEDED")

    def _caught(self, name: str, number: int, times: int, task: Any) -> dict[str, Any]:
        try:
            for _ in range(times):
                answer = task(number)
        except Exception as error:  # noqa: BLE001 Catch of States.ALL does the same
            return {name: number, "error": {"Error": type(error).__name__, "Cause": str(error)}}
        return dict(answer)


def registration(name: str = "production", **told: Any) -> Registration:
    """A registration as a client may send it."""
    access = told.pop("access", ClusterAccess(server="https://k8s.example", token="t0ken-secret"))
    metrics = told.pop("metrics", MetricsAccess("https://prometheus.example", bearer_token="bearer-secret"))
    return Registration(name, access, metrics, **told)
