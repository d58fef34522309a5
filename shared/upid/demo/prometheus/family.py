"""A metric family of the demo cluster: series of one name, worked out when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from upid.demo.plan import Run

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Cells = NDArray[np.int64]


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


@dataclass(frozen=True, slots=True)
class OfRuns:
    """A function of a family's rows in terms of the plan's runs."""

    runs: Rows
    function: Callable[[Rows, Cells], Floats]

    def __call__(self, rows: Rows, cells: Cells) -> Floats:
        """Return the function of these rows at these cells."""
        return self.function(self.runs[rows], cells)


def varying(
    name: str,
    kind: Literal["gauge", "counter"],
    labels: list[dict[str, str]],
    lives: NDArray[np.int64],
    cells: Callable[[Rows, Cells], Floats],
) -> Family:
    """Return a family whose series go with time."""
    return Family(name, kind, [{"__name__": name} | own for own in labels], lives, cells=cells)


def constant(name: str, labels: list[dict[str, str]], lives: NDArray[np.int64], values: Floats) -> Family:
    """Return a family whose series stay as they are."""
    return Family(name, "constant", [{"__name__": name} | own for own in labels], lives, values=values)


def cadvisor(run: Run) -> dict[str, str]:
    """Return the labels of a container's run."""
    pod = run.pod
    name = pod.workload.spec.containers[run.position].name
    return {
        "container": name, "id": f"/kubepods.slice/kubepods-pod{pod.uid.replace('-', '_')}.slice/cri-containerd-{run.id}.scope",
        "image": f"registry.example.com/{pod.workload.spec.namespace}/{name}:1.0.0", "instance": f"{pod.node.address}:10250", "job": "kubelet",
        "metrics_path": "/metrics/cadvisor", "name": run.id, "namespace": pod.workload.spec.namespace, "node": pod.node.name, "pod": pod.name,
    }  # fmt: skip
