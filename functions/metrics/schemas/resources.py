"""What is answered of usage now."""

from __future__ import annotations

from pydantic import Field

from upid.http.schemas import Answer


class ShareOut(Answer):
    """Use of one resource beside what is requested of it and what there is. [cores or bytes]"""

    used: float
    requested: float = Field(description="Requests of the pods that the last snapshot shows, without init containers that end.")
    capacity: float = Field(description="What the nodes can give to pods.")
    used_of_capacity: float | None = Field(description="[1]")
    requested_of_capacity: float | None = Field(description="[1]")
    used_of_requested: float | None = Field(description="[1]; null where nothing is requested.")


class ClusterUsageOut(Answer):
    """What a cluster uses now."""

    cluster_id: str
    at: str = Field(description="End of what has been collected: samples are the newest of the quarter of an hour before.")
    age_seconds: float = Field(description="How long ago that was. [s]")
    snapshot_at: str = Field(description="When nodes, pods and requests were read.")
    nodes: int
    pods: int = Field(description="Pods with samples.")
    containers: int = Field(description="Containers of pods with samples.")
    workloads: int
    cpu: ShareOut
    memory: ShareOut


class ContainerNowOut(Answer):
    """The newest samples of a container of a pod."""

    name: str
    cpu_cores: float | None
    memory_bytes: float | None


class PodUsageOut(Answer):
    """What a pod uses now."""

    key: str
    namespace: str
    pod: str
    kind: str
    workload: str
    node: str | None = Field(description="null where the last snapshot does not show the pod.")
    phase: str | None
    at: str
    cpu_cores: float
    memory_bytes: float
    cpu_request_cores: float
    memory_request_bytes: float
    containers: list[ContainerNowOut]


class NodeUsageOut(Answer):
    """What the pods of a node use now."""

    key: str
    name: str
    instance_type: str
    pods: int
    at: str
    cpu: ShareOut
    memory: ShareOut


class ContainerUsageOut(Answer):
    """What the pods of a workload's container use now of one resource. [cores or bytes]"""

    key: str
    namespace: str
    kind: str
    workload: str
    container: str
    pods: int
    at: str
    used: float = Field(description="Summed over the pods.")
    largest_pod: float
    request: float | None = Field(description="Of each pod; null = not set.")
    limit: float | None = Field(description="Of each pod; null = not set.")
    used_of_requested: float | None = Field(description="[1]")
    used_of_limit: float | None = Field(description="[1]")
    resident: float | None = Field(description="Resident memory of the pods together, for memory. [bytes]")
    cache: float | None = Field(description="Page cache of the pods together, for memory. [bytes]")
    throttled: float | None = Field(description="Largest share of CFS periods throttled of any pod, for CPU. [1]")


class DetailOut(Answer):
    """Whose figures these are: null = of more than one."""

    key: str
    namespace: str | None
    kind: str | None
    workload: str | None
    pod: str | None
    node: str | None = Field(description='"" = of pods that the last snapshot does not show.')
    at: str = Field(description="End of what has been collected: samples are the newest of the quarter of an hour before.")
    age_seconds: float = Field(description="How long ago that was. [s]")


class NetworkUsageOut(DetailOut):
    """What pods receive and send now, summed; null = the source does not tell."""

    pods: int = Field(description="Pods with samples.")
    network_receive_bytes_per_second: float | None
    network_transmit_bytes_per_second: float | None
    network_receive_dropped_per_second: float | None = Field(description="[packets/s]")
    network_transmit_dropped_per_second: float | None = Field(description="[packets/s]")
    network_receive_errors_per_second: float | None
    network_transmit_errors_per_second: float | None


class VolumeUsageOut(Answer):
    """What a PersistentVolumeClaim holds now."""

    namespace: str
    name: str
    used_bytes: float | None = Field(description="null where no kubelet tells: nobody mounts it, or volumes are not measured.")
    capacity_bytes: float | None
    request_bytes: float | None = Field(description="null where claims may not be listed.")
    used_of_capacity: float | None = Field(description="[1]")
    storage_class: str
    phase: str
    mounted: bool = Field(description="Whether a pod of the last snapshot mounts it.")


class StorageUsageOut(DetailOut):
    """What containers keep in their own files and what volumes hold now, summed; null = the source does not tell."""

    filesystem_used_bytes: float | None = Field(description="Writable layers and logs of containers, not volumes.")
    filesystem_read_bytes_per_second: float | None
    filesystem_write_bytes_per_second: float | None
    filesystem_reads_per_second: float | None
    filesystem_writes_per_second: float | None
    volume_used_bytes: float | None
    volume_capacity_bytes: float | None
    volume_request_bytes: float | None
    volume_used_of_capacity: float | None = Field(description="[1]")
    volumes: list[VolumeUsageOut] = Field(description="Each claim of the group; none by pod and node.")
