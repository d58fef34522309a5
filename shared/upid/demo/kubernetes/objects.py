"""Objects as the API server shows them at a moment, made when they are asked for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from upid.demo.fleet import REGION
from upid.demo.plan import FOREVER, Planned, PlannedNode, PlannedPod, Revision, claim_of
from upid.demo.specs import ContainerSpec, VolumeSpec, WorkloadSpec

Json = dict[str, Any]


class Used(NamedTuple):
    """What is in use at a moment."""

    cpu_cores: float
    memory_bytes: int


OF_SYSTEM: Final = Used(0.12, 700 << 20)  # the kubelet, the container runtime and the kernel of each node


def stamp(seconds: float) -> str:
    """Return a moment as Kubernetes writes it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def namespace_object(name: str, created: int) -> Json:
    """Return a namespace."""
    labels = {"kubernetes.io/metadata.name": name}
    return {
        "metadata": {"name": name, "uid": f"ns-{name}", "creationTimestamp": stamp(created), "labels": labels},
        "status": {"phase": "Active"},
    }


def node_object(node: PlannedNode, created: int) -> Json:
    """Return a node, with what its cloud labels it."""
    labels = {
        "kubernetes.io/hostname": node.name, "kubernetes.io/arch": "amd64", "node.kubernetes.io/instance-type": node.instance_type,
        "topology.kubernetes.io/region": REGION, "topology.kubernetes.io/zone": node.zone, "karpenter.sh/capacity-type": node.capacity_type,
    }  # fmt: skip
    capacity = {"cpu": str(node.cpu_cores), "memory": f"{node.memory_bytes >> 10}Ki", "pods": "110"}
    allocatable = {"cpu": f"{node.cpu_cores * 1000 - 90}m", "memory": f"{int(node.memory_bytes * 0.96) >> 10}Ki", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {
        "metadata": {"name": node.name, "uid": node.uid, "creationTimestamp": stamp(created), "labels": labels},
        "spec": {"providerID": f"aws:///{node.zone}/{node.uid[:8]}"},
        "status": {
            "capacity": capacity, "allocatable": allocatable, "conditions": [ready], "nodeInfo": _machine(node),
            "addresses": [{"type": "InternalIP", "address": node.address}],
        },
    }  # fmt: skip


def _machine(node: PlannedNode) -> Json:
    version = "v1.31.2-eks-demo"
    return {
        "architecture": "amd64", "operatingSystem": "linux", "osImage": "Amazon Linux 2023", "kernelVersion": "6.1.0", "kubeletVersion": version,
        "kubeProxyVersion": version, "containerRuntimeVersion": "containerd://1.7.22", "machineID": node.uid, "systemUUID": node.uid, "bootID": node.uid,
    }  # fmt: skip


def workload_object(workload: Planned, now: float, live: int) -> Json:
    """Return a workload of its kind; `live`: how many of its pods run."""
    spec = workload.spec
    body = {"metadata": _meta(spec, spec.name, workload.uid, workload.created), "spec": _spec(spec, live)}
    status: Json = {"replicas": live, "readyReplicas": live, "availableReplicas": live, "updatedReplicas": live}
    if spec.kind == "DaemonSet":
        status = {
            "desiredNumberScheduled": live,
            "currentNumberScheduled": live,
            "numberReady": live,
            "numberAvailable": live,
            "numberMisscheduled": 0,
        }
    elif spec.kind == "CronJob":
        status = {"lastScheduleTime": stamp(now // spec.every_seconds * spec.every_seconds)}
    elif spec.kind == "Job":
        status = _job_status(workload.created, workload.created + spec.lasting_seconds, now)
    return body | {"status": status}


def replica_set_object(workload: Planned, revision: Revision, live: int) -> Json:
    """Return a ReplicaSet of a Deployment; those that were rolled over have no pods left."""
    spec = workload.spec
    owner = _reference("apps/v1", "Deployment", spec.name, workload.uid)
    meta = _meta(spec, revision.name, revision.uid, revision.start, owner)
    return {"metadata": meta, "spec": _spec(spec, live), "status": {"replicas": live, "readyReplicas": live}}


def job_object(workload: Planned, revision: Revision, now: float) -> Json:
    """Return a Job of a CronJob."""
    spec = workload.spec
    owner = _reference("batch/v1", "CronJob", spec.name, workload.uid)
    meta = _meta(spec, revision.name, revision.uid, revision.start, owner)
    body = {"parallelism": 1, "completions": 1, "backoffLimit": 6, "template": _template(spec)}
    return {"metadata": meta, "spec": body, "status": _job_status(revision.start, revision.end, now)}


def pod_object(pod: PlannedPod, now: float, restarts: Mapping[int, int]) -> Json:
    """Return a pod; `restarts`: by position of the container, where there were any."""
    spec, ended = pod.workload.spec, pod.end <= now
    apis = {"ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1"}
    owner = _reference(apis.get(pod.owner[0], "postgresql.cnpg.io/v1"), *pod.owner) if pod.owner else None
    told = [
        (c.role, _container_status(pod, at, ended=ended or c.role == "init", restarts=restarts)) for at, c in enumerate(spec.containers)
    ]
    statuses, before = [state for role, state in told if role == "main"], [state for role, state in told if role != "main"]
    volumes = [{"name": spec.volume.name, "persistentVolumeClaim": {"claimName": claim_of(pod)}}] if spec.volume else []
    return {
        "metadata": _meta(spec, pod.name, pod.uid, pod.start, owner),
        "spec": _template(spec)["spec"] | {"nodeName": pod.node.name} | ({"volumes": volumes} if volumes else {}),
        "status": {
            "phase": "Succeeded" if ended else "Running", "podIP": pod.address, "hostIP": pod.node.address, "startTime": stamp(pod.start),
            "qosClass": "Burstable", "containerStatuses": statuses, **({"initContainerStatuses": before} if before else {}),
        },
    }  # fmt: skip


def autoscaler_object(workload: Planned, live: int) -> Json:
    """Return the HorizontalPodAutoscaler of a workload that has one."""
    spec = workload.spec
    least, most, target = spec.hpa or (1, 1, 100)
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}}
    return {
        "metadata": _meta(spec, spec.name, f"hpa-{workload.uid}", workload.created),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": spec.kind, "name": spec.name}, "minReplicas": least, "maxReplicas": most,
            "metrics": [metric],
        },
        "status": {"currentReplicas": live, "desiredReplicas": live},
    }  # fmt: skip


def claim_object(pod: PlannedPod, volume: VolumeSpec) -> Json:
    """Return the PersistentVolumeClaim of a pod, bound to as much as it asks for."""
    spec, name = pod.workload.spec, claim_of(pod)
    body = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": volume.request}},
        "storageClassName": "gp3",
        "volumeName": f"pvc-{pod.uid}",
    }
    status = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": volume.request}}
    return {"metadata": _meta(spec, name, f"pvc-{pod.uid}", pod.start), "spec": body, "status": status}


def limit_range_object(namespace: str, created: int) -> Json:
    """Return the LimitRange of a namespace."""
    limits = [{"type": "Container", "default": {"memory": "1Gi"}, "max": {"memory": "32Gi", "cpu": "16"}}]
    return {
        "metadata": {"name": "defaults", "namespace": namespace, "uid": f"lr-{namespace}", "creationTimestamp": stamp(created)},
        "spec": {"limits": limits},
    }


def service_object(workload: Planned) -> Json:
    """Return the Service of a workload."""
    spec = workload.spec
    port = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    body = {
        "type": "ClusterIP",
        "clusterIP": f"10.100.{workload.index // 250}.{workload.index % 250 + 1}",
        "ports": [port],
        "selector": _labels(spec),
    }
    return {"metadata": _meta(spec, spec.name, f"svc-{workload.uid}", workload.created), "spec": body}


def config_map_object(workload: Planned) -> Json:
    """Return the ConfigMap of a workload."""
    spec = workload.spec
    data = {"application.yaml": f"name: {spec.name}\nlog: info\n", "LOG_LEVEL": "info"}
    return {"metadata": _meta(spec, f"{spec.name}-config", f"cm-{workload.uid}", workload.created), "data": data}


def secret_object(workload: Planned) -> Json:
    """Return the Secret of a workload; its values are made up, and are what no client of the platform may ever see."""
    spec = workload.spec
    data = {key: b64encode(f"demo-{key}-of-{spec.name}".encode()).decode() for key in ("username", "password")}
    meta = _meta(spec, f"{spec.name}-credentials", f"sec-{workload.uid}", workload.created)
    return {"metadata": meta, "type": "Opaque", "data": data}


def node_metrics_object(node: PlannedNode, used: Iterable[Used], now: float) -> Json:
    """Return what metrics-server tells of a node's use: what its containers use, and the node's own processes."""
    total = [sum(column) for column in zip(OF_SYSTEM, *used, strict=True)]
    meta = {"name": node.name, "creationTimestamp": stamp(now)}
    return {"metadata": meta, "timestamp": stamp(now), "window": "20s", "usage": _quantities(Used(total[0], int(total[1])))}


def pod_metrics_object(pod: PlannedPod, used: Mapping[str, Used], now: float) -> Json:
    """Return what metrics-server tells of a pod's use, by container."""
    spec = pod.workload.spec
    containers = [{"name": name, "usage": _quantities(use)} for name, use in used.items()]
    meta = {"namespace": spec.namespace, "name": pod.name, "creationTimestamp": stamp(now), "labels": _labels(spec)}
    return {"metadata": meta, "timestamp": stamp(now), "window": "15s", "containers": containers}


def _quantities(used: Used) -> dict[str, str]:
    return {"cpu": f"{round(used.cpu_cores * 1e9)}n", "memory": f"{used.memory_bytes >> 10}Ki"}


def _meta(spec: WorkloadSpec, name: str, uid: str, created: int, owner: Json | None = None) -> Json:
    meta: Json = {
        "name": name,
        "namespace": spec.namespace,
        "uid": uid,
        "resourceVersion": "1",
        "creationTimestamp": stamp(created),
        "labels": _labels(spec),
    }
    return meta | {"ownerReferences": [owner]} if owner else meta


def _reference(version: str, kind: str, name: str, uid: str) -> Json:
    return {"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": True, "blockOwnerDeletion": True}


def _labels(spec: WorkloadSpec) -> dict[str, str]:
    return {"app.kubernetes.io/name": spec.name, "app.kubernetes.io/part-of": spec.namespace}


def _spec(spec: WorkloadSpec, live: int) -> Json:
    selector = {"matchLabels": _labels(spec)}
    if spec.kind == "CronJob":
        return {"schedule": spec.schedule, "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {"template": _template(spec)}}}
    if spec.kind == "Job":
        return {"parallelism": 1, "completions": 1, "template": _template(spec)}
    replicas = {} if spec.kind == "DaemonSet" else {"replicas": live}
    return replicas | {"selector": selector, "template": _template(spec)}


def _template(spec: WorkloadSpec) -> Json:
    mains = [_container(spec, container) for container in spec.containers if container.role == "main"]
    inits = [
        _container(spec, c) | ({"restartPolicy": "Always"} if c.role == "sidecar" else {}) for c in spec.containers if c.role != "main"
    ]
    policy = "OnFailure" if spec.kind in {"Job", "CronJob"} else "Always"
    body: Json = {"containers": mains, "restartPolicy": policy, "serviceAccountName": spec.name, "terminationGracePeriodSeconds": 30}
    return {"metadata": {"labels": _labels(spec)}, "spec": body | ({"initContainers": inits} if inits else {})}


def _container(spec: WorkloadSpec, container: ContainerSpec) -> Json:
    requests = {"cpu": container.cpu_request, "memory": container.memory_request}
    limits = {"cpu": container.cpu_limit, "memory": container.memory_limit}
    given = {"requests": {k: v for k, v in requests.items() if v}, "limits": {k: v for k, v in limits.items() if v}}
    body: Json = {
        "name": container.name, "image": _image(spec, container.name), "imagePullPolicy": "IfNotPresent",
        "resources": {key: figures for key, figures in given.items() if figures},
    }  # fmt: skip
    if container.command:
        body["command"] = list(container.command)
    if container.environment:
        body["env"] = [{"name": name, "value": value} for name, value in container.environment]
    return body


def _image(spec: WorkloadSpec, name: str) -> str:
    return f"registry.example.com/{spec.namespace}/{name}:1.0.0"


def _container_status(pod: PlannedPod, position: int, *, ended: bool, restarts: Mapping[int, int]) -> Json:
    name, count = pod.workload.spec.containers[position].name, restarts.get(position, 0)
    image = _image(pod.workload.spec, name)
    last = {"terminated": {"reason": "OOMKilled", "exitCode": 137}} if count else {}
    state = (
        {"terminated": {"reason": "Completed", "exitCode": 0, "finishedAt": stamp(pod.start if pod.end == FOREVER else pod.end)}}
        if ended
        else {"running": {"startedAt": stamp(pod.start)}}
    )
    return {"name": name, "image": image, "imageID": image, "ready": not ended, "restartCount": count, "state": state, "lastState": last}


def _job_status(start: int, end: int, now: float) -> Json:
    if end > now or end == FOREVER:
        return {"active": 1, "ready": 1, "startTime": stamp(start)}
    return {"succeeded": 1, "startTime": stamp(start), "completionTime": stamp(end), "conditions": [{"type": "Complete", "status": "True"}]}
