"""What happened to containers (restarts, OOM kills with their limit) and who owns pods, by few and cheap queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from upid.adapters.prometheus.client import PrometheusClient
from upid.adapters.prometheus.matrix import Grid
from upid.adapters.prometheus.queries import LIMITS, OWNERS, PLACES, RESTARTS, TERMINATED, one_of, selector
from upid.adapters.prometheus.ranges import Answers, ask_range, incomplete
from upid.adapters.prometheus.series import Row, rows_of_parts
from upid.domain.errors import RefusedError
from upid.ports.metrics_source import ContainerEvents, PodContainer, PodOwner, PodPlace, Window

MOST_PODS_NAMED: Final = 200  # more pods than this in a matcher cost more than they save


class Told(NamedTuple):
    """What kube-state-metrics tells of pods: who owns them, and where they were."""

    owners: list[PodOwner]
    places: list[PodPlace]


@dataclass(frozen=True, slots=True)
class Happenings:
    """Asks about one group of namespaces in one window; `matcher` is the cluster's."""

    client: PrometheusClient
    namespaces: Sequence[str]
    window: Window
    matcher: str

    def events(self, warnings: list[str]) -> ContainerEvents:
        """Return restarts and OOM kills; what was incomplete goes to `warnings`."""
        counters = self._over_time(self._select(RESTARTS) + " > 0", warnings)
        killed = self._over_time(self._select(TERMINATED, 'reason="OOMKilled"') + " == 1", warnings) if counters else {}
        restarts = counted({key: restarts_of(row) for key, row in counters.items()})
        kills = counted({key: kills_of(counters[key], row) for key, row in killed.items() if key in counters})
        if not kills:
            return ContainerEvents({}, restarts, {})
        pods = sorted({key.pod for key in kills})
        limit = self._select(LIMITS, 'resource="memory"', one_of("pod", pods) if len(pods) <= MOST_PODS_NAMED else "")
        limits = self._at_end(f"max_over_time({limit}[{self._seconds}s])", warnings)
        return ContainerEvents(kills, restarts, {key: value for key, value in limits.items() if key in kills and value > 0})

    def told(self, warnings: list[str]) -> Told:
        """Return the links of owner chains in the window, and the nodes of its pods, each sorted; from the index alone where the source has it."""
        wanted = (*OWNERS, PLACES)
        params: dict[str, str | list[str]] = {
            "match[]": [self._select(metric) for metric in wanted],
            "start": str(self.window.start),
            "end": str(self.window.end),
        }
        try:
            found = self.client.document("/api/v1/series", params).get("data") or []
        except RefusedError:
            found = []
            for metric in wanted:
                result, document = self.client.instant(f"last_over_time({self._select(metric)}[{self._seconds}s])", self.window.end)
                warnings.extend(incomplete(document))
                found += [one["metric"] | {"__name__": metric} for one in result]
        there = [labels for labels in found if isinstance(labels, dict)]
        return Told(sorted(set(filter(None, map(_link, there)))), sorted(set(filter(None, map(_place, there)))))

    @property
    def _seconds(self) -> int:
        return self.window.end - self.window.start

    def _select(self, metric: str, *matchers: str) -> str:
        return selector(metric, self.namespaces, *matchers, self.matcher)

    def _at_end(self, query: str, warnings: list[str]) -> dict[PodContainer, float]:
        result, document = self.client.instant(query, self.window.end)
        warnings.extend(incomplete(document))
        found: dict[PodContainer, float] = {}
        for one in result:
            key, value = key_of(one["metric"]), float(one["value"][1])
            if all(key) and np.isfinite(value):
                found[key] = max(value, found.get(key, value))
        return found

    def _over_time(self, query: str, warnings: list[str]) -> dict[PodContainer, Row]:
        answers: Answers[PodContainer] = Answers()
        coarse = coarse_grid(self.window)
        # One moment more than steps: what was so when the window began.
        ask_range(self.client, query, Grid(self.window.start, coarse.step, coarse.count + 1), adds=False, into=answers)
        warnings.extend(answers.warnings)
        return dict(zip(*rows_of_parts(answers.parts, answers.widths), strict=True))


def key_of(labels: dict[str, str]) -> PodContainer:
    """Return whose series this is, with "" for a label that it does not have."""
    return PodContainer(labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))


def coarse_grid(window: Window, least_seconds: int = 3600) -> Grid:
    """Return the grid of the longest steps up to `least_seconds` that are whole multiples of the window's and divide it."""
    fits = [k for k in range(1, least_seconds // window.step_seconds + 1) if window.steps % k == 0]
    step = window.step_seconds * max(fits, default=1)
    return Grid(window.start + step, step, (window.end - window.start) // step)


def counted(counts: dict[PodContainer, int]) -> dict[PodContainer, int]:
    """Return the counts that are above zero."""
    return {key: count for key, count in counts.items() if count > 0}


def restarts_of(counter: Row) -> int:
    """Return how often a container was restarted behind the first moment.

    `counter`: its restarts so far at each moment, NaN = none yet, or not known, which counts as the last that was known. A counter that falls began again.
    """
    return round(float(_rises(counter).sum()))


def kills_of(counter: Row, killed: Row) -> int:
    """Return how often a container was OOM-killed behind the first moment: its restarts while OOM is what ended it last.

    `counter`: as in `restarts_of`; `killed`: 1 where the last termination was an OOM kill, NaN elsewhere.
    """
    return round(float(_rises(counter)[np.isfinite(killed)].sum()))


def _rises(counter: Row) -> Row:
    known = np.isfinite(counter)
    last = np.maximum.accumulate(np.where(known, np.arange(len(counter)), -1))
    filled = np.where(last >= 0, counter[last], 0.0)
    rise = np.diff(filled, prepend=filled[:1])
    return np.where(rise < 0, filled, rise)


def _link(labels: dict[str, str]) -> PodOwner | None:
    metric = labels.get("__name__", "")
    kind, label = {
        "kube_pod_owner": ("Pod", "pod"),
        "kube_replicaset_owner": ("ReplicaSet", "replicaset"),
        "kube_job_owner": ("Job", "job_name"),
    }.get(metric, ("", ""))
    owner_kind, owner = labels.get("owner_kind", ""), labels.get("owner_name", "")
    namespace, name = labels.get("namespace", ""), labels.get(label, "")
    # kube-state-metrics writes `<none>` for what nobody owns; a link that is no controller's does not say whose pods these are.
    if not (kind and namespace and name) or owner in ("", "<none>") or labels.get("owner_is_controller", "true") == "false":
        return None
    return PodOwner(namespace, kind, name, owner_kind, owner)


def _place(labels: dict[str, str]) -> PodPlace | None:
    """Return where a pod was; None for a pod that waits for a node, or another metric."""
    if labels.get("__name__") != PLACES:
        return None
    place = PodPlace(*(labels.get(name, "") for name in ("namespace", "pod", "uid", "node")))
    return place if place.namespace and place.pod and place.node else None
