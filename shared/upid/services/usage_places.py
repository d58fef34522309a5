"""Which node the pods of stored series were on, step by step.

A pod's series has its name, and under one name a StatefulSet's pod may move: a series is cut where it does. A step goes to the node that had most of it.
What was before the first stay that is known of a pod is on no node that anybody knows: UNKNOWN, told in the answer, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from upid.engine.usage.placing import Pieces, longest_within
from upid.ports.usage_history import SeriesKey
from upid.services.rosters import Stay

UNKNOWN: Final = "?"  # no node's name: those are DNS names
MOST_NAMED: Final = 5


class Placed(NamedTuple):
    """Pieces of series, and the node of each: "" = of no pod, UNKNOWN = of a pod that nobody knows the node of."""

    pieces: Pieces
    nodes: list[str]


class _Stretch(NamedTuple):
    """Steps [begin, end) on one node."""

    begin: int
    end: int
    node: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where pods were, for one question; `unknown` gathers the pods (as a person names them) that had samples at a time when nobody knows where."""

    stays: Mapping[tuple[str, str], Sequence[Stay]]
    unknown: set[str] = field(default_factory=set)

    def of(self, keys: Sequence[SeriesKey], start: int, step_seconds: int, steps: int) -> Placed:
        """Return the series cut by node, on the grid of `steps` from `start` on [s since the epoch, s]."""
        found = [(row, each) for row, key in enumerate(keys) for each in self._stretches(key, start, step_seconds, steps)]
        series, begin, end = (
            np.array(column, np.int64) for column in ([row for row, _ in found], [each.begin for _, each in found], [each.end for _, each in found])
        )  # fmt: skip
        return Placed(Pieces(series, begin, end), [each.node for _, each in found])

    def warnings(self) -> list[str]:
        """Return what an answer says of pods whose node is not known, nothing without any."""
        if not self.unknown:
            return []
        named = ", ".join(sorted(self.unknown)[:MOST_NAMED]) + (", ..." if len(self.unknown) > MOST_NAMED else "")
        return [f"Of {len(self.unknown)} pods it is not known for all samples which node they ran on ({named}): those are of node null."]

    def _stretches(self, key: SeriesKey, start: int, step_seconds: int, steps: int) -> list[_Stretch]:
        if not key.pod:
            return [_Stretch(0, steps, "")]
        stays = self.stays.get((key.workload_uid, key.pod), ())
        if len(stays) != 1:
            return _runs(stays, start, step_seconds, steps)
        # By far the most pods: on one node, from when they were made.
        begin = min(max(int((stays[0].since - start) // step_seconds), 0), steps)
        return [each for each in (_Stretch(0, begin, UNKNOWN), _Stretch(begin, steps, stays[0].node)) if each.begin < each.end]


def _runs(stays: Sequence[Stay], start: int, step_seconds: int, steps: int) -> list[_Stretch]:
    """Return the stretches of a pod that several stays are known of, or none."""
    at = longest_within([stay.since for stay in stays], start, step_seconds, steps)
    names = np.array([*(stay.node for stay in stays), UNKNOWN])  # NOWHERE is the last
    nodes = names[at]
    begins = np.flatnonzero(nodes[1:] != nodes[:-1]) + 1
    edges = [0, *begins.tolist(), steps]
    return [_Stretch(begin, end, str(nodes[begin])) for begin, end in pairwise(edges) if begin < end]
