"""Makes the plan of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

from upid.demo.catalogue import catalogue
from upid.demo.chance import hexadecimal, letters, number, share, uid
from upid.demo.fleet import node_count, nodes
from upid.demo.plan import DAY, FOREVER, Plan, Planned, PlannedNode, PlannedPod, Revision, Run, Scale
from upid.demo.specs import ContainerSpec, WorkloadSpec

HISTORY_DAYS: Final = 15  # how far back pods that come and go are planned
MANY_HISTORY_DAYS: Final = 8  # the same where there are very many
USUAL_PODS: Final = 150
MANY_PODS: Final = 2000
NODE_PODS_PER_POD: Final = 0.3  # three DaemonSets, about ten pods a node
DAEMONS_MOST: Final = 400


def plan(scale: Scale) -> Plan:
    """Return the cluster of a scale. A later `until` adds pods and changes nothing of what was there."""
    specs = _sized(scale)
    machines = nodes(scale.seed, node_count(specs))
    workloads = tuple(_planned(scale, index, spec) for index, spec in enumerate(specs))
    pods = tuple(_pods(scale, workloads, machines))
    runs = tuple(run for pod in pods for run in _runs(scale, pod))
    return Plan(scale, machines, workloads, pods, runs)


def _history_days(scale: Scale) -> int:
    return MANY_HISTORY_DAYS if scale.pods >= MANY_PODS else HISTORY_DAYS


def _sized(scale: Scale) -> list[WorkloadSpec]:
    """Return as many workloads as make about the wanted number of pods: part of the catalogue, or copies of it in namespaces of their own."""
    factor = 3 if scale.pods >= MANY_PODS else 1
    specs: list[WorkloadSpec] = []
    pods = 0.0
    for copy in count():
        for spec in catalogue():
            enough = scale.pods <= USUAL_PODS if copy and scale.pods == USUAL_PODS else pods >= scale.pods
            if enough and (copy or scale.pods < USUAL_PODS):
                return specs
            if copy and spec.kind == "DaemonSet":
                continue
            made = spec if copy == 0 else _copy(spec, copy, factor)
            specs.append(made)
            pods += _live_pods(made)
    return specs


def _live_pods(spec: WorkloadSpec) -> float:
    """Return about how many pods a workload brings: its own, and its share of those that run on every node."""
    return 0.0 if spec.kind in {"DaemonSet", "CronJob", "Job"} else spec.replicas * (1.0 + NODE_PODS_PER_POD)


def _copy(spec: WorkloadSpec, copy: int, factor: int) -> WorkloadSpec:
    namespace = f"{spec.namespace}-{copy + 1}"
    scaled = 0.6 + share(f"{namespace}/{spec.name}")
    many = spec.replicas * factor if spec.kind == "Deployment" else spec.replicas
    return replace(spec, namespace=namespace, replicas=many, containers=tuple(_scaled(c, scaled) for c in spec.containers))


def _scaled(container: ContainerSpec, factor: float) -> ContainerSpec:
    memory = container.memory_mib if container.memory in {"heap", "sawtooth", "leak"} else container.memory_mib * min(factor, 1.1)
    return replace(container, cpu_cores=container.cpu_cores * factor, memory_mib=memory)


def _planned(scale: Scale, index: int, spec: WorkloadSpec) -> Planned:
    key = f"{scale.seed}/{spec.namespace}/{spec.kind}/{spec.name}"
    created = scale.anchor - round(spec.age_days * DAY) - number(key) % 1800
    return Planned(index, spec, uid(key), created, tuple(_revisions(scale, spec, key, created)))


def _revisions(scale: Scale, spec: WorkloadSpec, key: str, created: int) -> Iterator[Revision]:
    if spec.kind == "CronJob":
        first = -(-(scale.anchor - _history_days(scale) * DAY) // spec.every_seconds) * spec.every_seconds
        for tick in range(first, scale.until, spec.every_seconds):
            # The job controller names a CronJob's Job after the minute that it was due.
            lasting = round(spec.lasting_seconds * (0.8 + 0.4 * share(f"{key}/{tick}")))
            yield Revision(f"{spec.name}-{tick // 60}", uid(f"{key}/{tick}"), tick, tick + lasting)
    elif spec.kind == "Deployment":
        starts = [created, *(scale.anchor - round(days * DAY) for days in spec.rollouts)]
        for i, (start, end) in enumerate(zip(starts, [*starts[1:], FOREVER], strict=True)):
            yield Revision(f"{spec.name}-{letters(f'{key}/rs/{i}', 10)}", uid(f"{key}/rs/{i}"), start, end)


def _pods(scale: Scale, workloads: tuple[Planned, ...], machines: tuple[PlannedNode, ...]) -> Iterator[PlannedPod]:
    numbers = count()
    for workload in workloads:
        for position, (name, identity, start, end, owner) in enumerate(_lives(scale, workload, machines)):
            index = next(numbers)
            node = machines[(position if workload.spec.kind == "DaemonSet" else number(identity)) % len(machines)]
            address = f"10.{100 + index // 65025 % 100}.{index // 255 % 255}.{index % 255}"
            yield PlannedPod(index, workload, name, uid(identity), start, end, node, owner, address)


_Life = tuple[str, str, int, int, tuple[str, str, str] | None]


def _lives(scale: Scale, workload: Planned, machines: tuple[PlannedNode, ...]) -> Iterator[_Life]:
    """Yield (name, identity, start, end, owner) of every pod that a workload ever has."""
    spec, own = workload.spec, (workload.spec.kind, workload.spec.name, workload.uid)
    match spec.kind:
        case "Deployment":
            yield from _deployed(scale, workload)
        case "CronJob":
            for job in workload.revisions:
                yield f"{job.name}-{letters(job.uid, 5)}", job.uid, job.start, job.end, ("Job", job.name, job.uid)
        case "Job":
            name = f"{spec.name}-{letters(workload.uid, 5)}"
            yield name, name, workload.created, workload.created + spec.lasting_seconds, own
        case "Pod":
            yield spec.name, workload.uid, workload.created, FOREVER, None
        case _:
            yield from _standing(workload, own, machines)


def _standing(workload: Planned, own: tuple[str, str, str], machines: tuple[PlannedNode, ...]) -> Iterator[_Life]:
    """Yield pods that stand as long as their workload does: with random names, one per node, or numbered."""
    spec = workload.spec
    places = [machine.name for machine in machines[:DAEMONS_MOST]] if spec.kind == "DaemonSet" else [str(i) for i in range(spec.replicas)]
    for i, place in enumerate(places):
        ending = str(i) if spec.kind in {"StatefulSet", "Cluster"} else letters(f"{workload.uid}/{place}", 5)
        yield f"{spec.name}-{ending}", f"{workload.uid}/{place}", workload.created + 40 * min(i, 20), FOREVER, own


def _deployed(scale: Scale, workload: Planned) -> Iterator[_Life]:
    spec = workload.spec
    for revision in workload.revisions:
        owner = ("ReplicaSet", revision.name, revision.uid)
        for i in range(spec.replicas):
            name = f"{revision.name}-{letters(f'{revision.uid}/{i}', 5)}"
            end = revision.end if revision.end == FOREVER else revision.end + 45 * i
            yield name, f"{revision.uid}/{i}", revision.start + 45 * i, end, owner
    if spec.hpa:
        yield from _by_day(scale, workload, spec.hpa[1] - spec.replicas)


def _by_day(scale: Scale, workload: Planned, most: int) -> Iterator[_Life]:
    """Yield the pods that an autoscaler adds by day: of as many revisions as there were, each pod for one day's busy hours."""
    for day in range(scale.anchor // DAY - _history_days(scale), scale.until // DAY + 1):
        for i in range(round(most * (0.5 + 0.3 * share(f"{workload.uid}/{day}")))):
            start, end = day * DAY + (8 * 3600 + 900 * i), day * DAY + (20 * 3600 - 900 * i)
            revision = next((r for r in workload.revisions if r.start <= start < r.end), None)
            if revision and start < end:
                identity = f"{revision.uid}/{day}/{i}"
                yield (
                    f"{revision.name}-{letters(identity, 5)}",
                    identity,
                    start,
                    min(end, revision.end),
                    ("ReplicaSet", revision.name, revision.uid),
                )


def _runs(scale: Scale, pod: PlannedPod) -> Iterator[Run]:
    every = round(pod.workload.spec.killed_every_hours * 3600)
    for position, container in enumerate(pod.workload.spec.containers):
        if container.role == "init":
            yield Run(pod, position, 0, pod.start, min(pod.start + 60, pod.end), hexadecimal(f"{pod.uid}/{position}/0"))
            continue
        kills = container.memory == "sawtooth" and every > 0
        length = round(every * (0.8 + 0.4 * share(pod.uid))) if kills else FOREVER
        end = min(pod.end, scale.until + DAY) if kills else pod.end
        for restarts, start in enumerate(range(pod.start, end, length)):
            stop = min(start + length, pod.end)
            yield Run(pod, position, restarts, start, stop, hexadecimal(f"{pod.uid}/{position}/{restarts}"))
