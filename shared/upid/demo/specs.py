"""What the demo cluster is planned from: workloads and their containers, as a person would describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

CpuShape = Literal["steady", "daily", "weekly", "bursty", "growing", "idle", "startup", "batch"]
MemoryShape = Literal["steady", "follow", "cache", "heap", "growing", "leak", "sawtooth"]
CPU_SHAPES: Final[tuple[CpuShape, ...]] = ("steady", "daily", "weekly", "bursty", "growing", "idle", "startup", "batch")
MEMORY_SHAPES: Final[tuple[MemoryShape, ...]] = ("steady", "follow", "cache", "heap", "growing", "leak", "sawtooth")


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container: how it uses CPU (about `cpu_cores`) and memory (about `memory_mib`), and what it asks for (quantities as text, "" = not set)."""

    name: str
    cpu: CpuShape
    cpu_cores: float
    memory: MemoryShape
    memory_mib: float
    cpu_request: str = ""
    memory_request: str = ""
    cpu_limit: str = ""
    memory_limit: str = ""
    role: Literal["main", "sidecar", "init"] = "main"
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """The volume that each pod of a StatefulSet claims: what is asked for (a quantity), how full it was at the anchor, and by how much of itself it fills a day."""

    request: str
    full: float
    per_day: float = 0.0
    name: str = "data"


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    """A workload. Days count back from the anchor.

    `rollouts`: when its pods were replaced. `hpa`: (least, most, target share of the CPU request in %); pods above `replicas` run by day only.
    `every_seconds`, `lasting_seconds`: of a CronJob's runs, and how long a Job's pod ran. `killed_every_hours`: between two OOM kills, 0 = none.
    `volume`: what each pod of a StatefulSet claims.
    """

    namespace: str
    kind: str
    name: str
    replicas: int
    containers: tuple[ContainerSpec, ...]
    age_days: float = 75.0
    rollouts: tuple[float, ...] = ()
    hpa: tuple[int, int, int] | None = None
    every_seconds: int = 0
    lasting_seconds: int = 0
    killed_every_hours: float = 0.0
    schedule: str = ""
    volume: VolumeSpec | None = None


def container(  # noqa: PLR0917 a call is a line of the catalogue, read by column
    name: str, cpu: CpuShape, cores: float, memory: MemoryShape, mib: float, requests: str = "/", limits: str = "/"
) -> ContainerSpec:
    """Return a main container; `requests` and `limits` are `cpu/memory`, either side empty for not set."""
    asked, capped = requests.split("/"), limits.split("/")
    return ContainerSpec(name, cpu, cores, memory, mib, asked[0], asked[1], capped[0], capped[1])
