"""What a collection will do: which windows of time, which groups of namespaces, how many shards. Decided once, by its first task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import orjson

from upid.domain.inventory import Inventory
from upid.domain.metrics import ServiceQuery
from upid.services.family_gaps import Retry

DAY_SECONDS: Final = 86400
MOST_STEPS: Final = 1440
SERIES_PER_GROUP: Final = 1500
NAMESPACES_PER_GROUP: Final = 50
PATIENCE: Final = 3  # collections in a row that a hole may hold up
MOST_ITEMS: Final = 1000  # an inline Map of Step Functions writes about five of an execution's 25,000 history events per item


@dataclass(frozen=True, slots=True)
class Plan:
    """A collection's plan. Windows are (start, end) in seconds since the epoch, oldest first; items are all pairs of a window and a group.

    watermark, end: from where and up to when there was something to collect when it was made; the windows may end earlier where that is a lot.
    accept_gaps: fold windows that some namespaces are missing from, instead of waiting for them. unreadable: parts of the inventory, as (what, reason).
    families: what is collected beside CPU and memory, and from when on: a first collection does not go as far back for it.
    queries: what the family `service` is measured by. retries: what of families is asked for again; their items come behind all others.
    """

    cluster_id: str
    step_seconds: int
    shards: int
    watermark: int
    end: int
    windows: tuple[tuple[int, int], ...]
    groups: tuple[tuple[str, ...], ...]
    accept_gaps: bool
    unreadable: tuple[tuple[str, str], ...]
    counts: Mapping[str, int]
    families: tuple[str, ...] = ()
    families_since: int = 0
    queries: tuple[ServiceQuery, ...] = ()
    retries: tuple[Retry, ...] = ()

    @property
    def items(self) -> int:
        """How many things there are to ask the source for: (window, group) pairs, then retries."""
        return self.pairs + len(self.retries)

    @property
    def pairs(self) -> int:
        """How many (window, group) pairs there are."""
        return len(self.windows) * len(self.groups)

    def items_of(self, window: int) -> range:
        """Return the items of a window."""
        return range(window * len(self.groups), (window + 1) * len(self.groups))

    def place(self, item: int) -> tuple[int, int]:
        """Return the window's and the group's number of an item that is no retry."""
        return divmod(item, len(self.groups))

    def encode(self) -> bytes:
        """Return the plan as JSON."""
        return orjson.dumps(asdict(self))


def decode(data: bytes) -> Plan:
    """Return the plan that `Plan.encode` gave."""
    body: dict[str, Any] = orjson.loads(data)
    pairs = {name: tuple(tuple(entry) for entry in body[name]) for name in ("windows", "groups", "unreadable")}
    queries = tuple(ServiceQuery(**query) for query in body["queries"])
    retries = tuple(Retry(**retry | {"namespaces": tuple(retry["namespaces"])}) for retry in body.get("retries", ()))
    return Plan(**{**body, **pairs, "families": tuple(body["families"]), "queries": queries, "retries": retries})


def windows_of(start: int, end: int, step_seconds: int) -> list[tuple[int, int]]:
    """Return [start, end) cut at whole days (UTC), or at 1,440 steps where a day has more; all are multiples of the step."""
    length = min(DAY_SECONDS, MOST_STEPS * step_seconds)
    cuts = [start, *range((start // length + 1) * length, end, length), end]
    return [(low, high) for low, high in pairwise(cuts) if low < high]


def groups_of(inventory: Inventory, most_series: int = SERIES_PER_GROUP) -> list[tuple[str, ...]]:
    """Return the namespaces that have workloads, sorted and grouped so that no group expects more than `most_series` or has more than 50 namespaces.

    A namespace that alone expects more is a group by itself.
    """
    expected: dict[str, int] = {}
    for workload in inventory.workloads:
        series = len(workload.containers) * max(workload.replicas, 1)
        expected[workload.namespace] = expected.get(workload.namespace, 0) + series
    return list(_packed(sorted(expected.items()), most_series))


def _packed(expected: Iterable[tuple[str, int]], most: int) -> Iterable[tuple[str, ...]]:
    group: list[str] = []
    total = 0
    for namespace, series in expected:
        if group and (total + series > most or len(group) == NAMESPACES_PER_GROUP):
            yield tuple(group)
            group, total = [], 0
        group.append(namespace)
        total += series
    if group:
        yield tuple(group)


def bounded(windows: Sequence[tuple[int, int]], groups: int) -> tuple[tuple[int, int], ...]:
    """Return the oldest windows that make at most 1,000 items; the next collection goes on behind them."""
    return tuple(windows[: max(1, MOST_ITEMS // max(groups, 1))])
