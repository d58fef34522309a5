"""Which series of a chunk are wanted, which parts of them, and in which group: what is read of chunks for a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.placing import within
from upid.engine.usage.queries import across
from upid.ports.usage_history import MetricChunk, SeriesKey, UsageChunk
from upid.services.rosters import Names
from upid.services.usage_frames import Frame, Group, Values, Wanted
from upid.services.usage_places import UNKNOWN, Placed, Places
from upid.services.usage_requests import Selection

Integers = NDArray[np.int64]


class Picked(NamedTuple):
    """The pieces of series that are wanted. group: the place of each in `names`, -1 = none: such a piece is looked at only. pods: whose node is not known, "" = known."""

    series: Integers
    begin: Integers
    end: Integers
    group: Integers
    names: Sequence[Group]
    pods: Sequence[str]


_NONE: Final = np.empty(0, np.int64)
NOTHING: Final = Picked(_NONE, _NONE, _NONE, _NONE, (), ())


def pick(keys: Sequence[SeriesKey], owners: Mapping[str, Names], wanted: Wanted, placed: Placed) -> Picked:
    """Return the pieces of a chunk's series (`keys`, cut as `placed`) that a question wants, or that it may want, did anybody know their node."""
    taken, group, pods = list[int](), list[int](), list[str]()
    names: dict[Group, int] = {}
    for number, (position, node) in enumerate(zip(placed.pieces.series.tolist(), placed.nodes, strict=True)):
        key = keys[position]
        owner = owners.get(key.workload_uid)
        if owner is None:
            continue
        labels = {
            "namespace": owner.namespace, "kind": owner.kind, "workload": owner.name, "uid": owner.uid, "container": key.container, "pod": key.pod,
            "volume": key.volume, "node": node,
        }  # fmt: skip
        is_wanted, is_lost = selects(wanted.selection, labels), node == UNKNOWN
        if is_wanted or (is_lost and selects(wanted.selection, labels | {"node": wanted.selection.node})):
            taken.append(number)
            group.append(names.setdefault(tuple(labels[name] for name in wanted.group_by), len(names)) if is_wanted else -1)
            pods.append(f"{owner.namespace}/{key.pod}" if is_lost else "")
    rows = np.array(taken, np.int64)
    series, begin, end = (column[rows] for column in placed.pieces)
    return Picked(series, begin, end, np.array(group, np.int64), list(names), pods)


def selects(selection: Selection, labels: Mapping[str, str]) -> bool:
    """Return whether what has these labels, one for each dimension, is selected."""
    return (
        selection.namespace in {"", labels["namespace"]}
        and selection.workload in {"", labels["workload"]}
        and selection.kind in {"", labels["kind"]}
        and selection.uid in {"", labels["uid"]}
        and selection.container in {"", labels["container"]}
        and selection.pod in {"", labels["pod"]}
        and selection.volume in {"", labels["volume"]}
        and selection.node in {"", labels["node"]}
    )


def take(chunk: UsageChunk | MetricChunk, metrics: Sequence[str], picked: Picked, into: Frame, places: Places | None) -> None:
    """Put what is picked of a chunk into a frame, joined by group; with `places`, pods whose node is not known are noted there."""
    wanted, step = into.wanted, into.wanted.step_seconds
    low, high = max(0, (wanted.start - chunk.start) // step), (min(chunk.end, wanted.end) - chunk.start) // step
    at = (chunk.start - wanted.start) // step + low
    there = np.flatnonzero((picked.begin < at + high - low) & (picked.end > at))
    tables = chunk.samples if isinstance(chunk, MetricChunk) else {metric: getattr(chunk, metric) for metric in metrics}
    rows, begin, end = picked.series[there], picked.begin[there] - at, picked.end[there] - at
    values = {metric: within(tables[metric][rows, low:high], begin, end) for metric in metrics if metric in tables}
    if places is not None:
        kept = _told_apart(values, picked, there, places)
        there, values = there[kept], {metric: found[kept] for metric, found in values.items()}
    used, group = np.unique(picked.group[there], return_inverse=True)
    names = [picked.names[number] for number in used]
    if names:
        into.add(at, names, {metric: across(found, group, len(names), wanted.how) for metric, found in values.items()})


def _told_apart(values: Values, picked: Picked, there: Integers, places: Places) -> NDArray[np.bool_]:
    """Return which of the pieces `there` have samples and are in a group; pods that have samples on a node that is not known are noted."""
    seen = np.zeros(len(there), bool)
    for found in values.values():
        seen |= ~np.isnan(found).all(axis=1)
    places.unknown.update(pod for number in there[seen].tolist() if (pod := picked.pods[number]))
    return seen & (picked.group[there] >= 0)
