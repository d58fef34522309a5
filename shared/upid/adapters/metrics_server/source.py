"""Usage as metrics-server has it: one sample of each pod, of about the last half minute. It keeps no history and knows no throttling, kill or restart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import NotFoundError, UnavailableError
from upid.domain.times import parse_time
from upid.ports.kubernetes import Kubernetes, KubernetesClients
from upid.ports.metrics_source import (
    ContainerEvents,
    Evaluated,
    FamilyUsage,
    MetricsSource,
    MetricsSources,
    NamespaceUsage,
    PodContainer,
    Window,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from upid.ports.metrics_source import UsageBlock

ONE_SAMPLE: Final = "metrics-server keeps one sample of each pod and no history: confidence is low until much more was collected."
OUTSIDE: Final = "{count} samples of metrics-server are not of the window's last step and were left out."
LATE_STEPS: Final = 2  # a window ends at a whole step, and what is measured while it is read is of behind its end

_Samples = dict[PodContainer, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class SourcesByKind:
    """Opens metrics-server through the cluster's API server, and every other kind of source over HTTP."""

    http: MetricsSources
    kubernetes: KubernetesClients

    def open(self, access: MetricsAccess) -> MetricsSource:
        """Return a client; InvalidRequestError for a URL or header that can't be used."""
        return MetricsServerSource(self.kubernetes, access.cluster) if access.kind == "metrics-server" else self.http.open(access)


@dataclass(frozen=True, slots=True)
class MetricsServerSource:
    """metrics-server of one cluster."""

    kubernetes: KubernetesClients
    cluster: ClusterAccess | None

    def check(self) -> None:
        """Hold that the cluster serves metrics of pods; errors as the port says."""
        if not self._api().serves("metrics.k8s.io/v1beta1", "pods"):
            raise UnavailableError("The cluster has no metrics-server: its API does not serve pods of metrics.k8s.io/v1beta1.")

    def usage(self, groups: Sequence[Sequence[str]], window: Window, *, resident: bool = False) -> Iterator[NamespaceUsage]:  # noqa: ARG002 it has none
        """Yield the usage of each group of namespaces, in order: of each container at most one sample, in the window's last step."""
        api = self._api()
        for group in groups:
            found: _Samples = {}
            outside = 0
            for namespace in group:
                for row in _rows(api, namespace):
                    if _is_within(row, window):
                        found.update(_samples(namespace, row))
                    else:
                        outside += 1
            warnings = (ONE_SAMPLE, OUTSIDE.format(count=outside)) if outside else (ONE_SAMPLE,)
            yield _usage(tuple(group), window, found, warnings)

    def families(self, namespaces: Sequence[str], families: Sequence[str], window: Window) -> Iterator[FamilyUsage]:  # noqa: ARG002 the port's
        """Yield each of these families without keys: metrics-server has none of them."""
        for family in families:
            yield FamilyUsage(family, (), {})

    def evaluate(self, queries: Sequence[str], window: Window) -> Iterator[Evaluated]:
        """Yield for each query that metrics-server answers none."""
        import numpy as np  # noqa: PLC0415 as below

        for _ in queries:
            yield Evaluated(np.full(window.steps, np.nan, np.float32), "metrics-server answers no queries.")

    def resets(self, namespaces: Sequence[str], window: Window) -> int:  # noqa: ARG002 the port's
        """Return 0: what metrics-server tells is no counter."""
        return 0

    def _api(self) -> Kubernetes:
        if self.cluster is None:
            raise UnavailableError("metrics-server is reached through a cluster, and none is named.")
        return self.kubernetes.open(self.cluster)


def _rows(api: Kubernetes, namespace: str) -> Iterator[Mapping[str, Any]]:
    after: str | None = None
    while True:
        try:
            page = api.objects("podmetrics", namespace=namespace, after=after)
        except NotFoundError as error:
            raise UnavailableError(f"metrics-server does not answer: {error.detail}") from error
        yield from page.rows
        after = page.after
        if after is None:
            return


def _is_within(row: Mapping[str, Any], window: Window) -> bool:
    try:
        moment = parse_time(str(row["measured_at"]))
    except ValueError:
        return False
    step = window.step_seconds
    return window.end - step <= moment < window.end + LATE_STEPS * step


def _samples(namespace: str, row: Mapping[str, Any]) -> Iterator[tuple[PodContainer, tuple[float, float]]]:
    for container in row["containers"]:
        cpu, memory = (math.nan if container[name] is None else container[name] for name in ("cpu_cores", "memory_bytes"))
        yield PodContainer(namespace, row["name"], container["name"]), (cpu, memory)


def _usage(names: tuple[str, ...], window: Window, found: _Samples, warnings: tuple[str, ...]) -> NamespaceUsage:
    import numpy as np  # noqa: PLC0415 API groups open sources and must start without numpy

    keys = sorted(found)
    figures = np.array([found[key] for key in keys], dtype=np.float32).reshape(-1, 2)
    cpu, memory = (_block(keys, figures[:, i], window) for i in (0, 1))
    return NamespaceUsage(names, window, cpu, memory, _block([], figures[:0, 0], window), ContainerEvents({}, {}, {}), (), warnings)


def _block(keys: Sequence[PodContainer], last: NDArray[np.float32], window: Window) -> UsageBlock:
    import numpy as np  # noqa: PLC0415 as above

    from upid.ports.metrics_source import UsageBlock  # noqa: PLC0415 as above

    values = np.full((len(keys), window.steps), np.nan, dtype=np.float32)
    values[:, -1] = np.where(last >= 0, last, np.nan)
    return UsageBlock(keys, values)
