"""Which node the pods of stored series were on, step by step.

A pod's series has its name, and under one name a StatefulSet's pod may move: a series is cut where it does. A step goes to the node that had most of it.
What was before the first stay that is known of a pod is on no node that anybody knows: UNKNOWN, told in the answer, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from upid.engine.usage.placing import Pieces, Stays, pieces_of
from upid.ports.usage_history import SeriesKey
from upid.services.rosters import Stay

UNKNOWN: Final = "?"  # no node's name: those are DNS names
MOST_NAMED: Final = 5


class Placed(NamedTuple):
    """Pieces of series, and the node of each: "" = of no pod, UNKNOWN = of a pod that nobody knows the node of."""

    pieces: Pieces
    nodes: list[str]

    @classmethod
    def whole(cls, nodes: Sequence[str], steps: int) -> Placed:
        """Return every series as one piece of all its steps, on the node that is given for it."""
        series = np.arange(len(nodes))
        return cls(Pieces(series, np.zeros_like(series), np.full_like(series, steps)), list(nodes))


@dataclass(frozen=True, slots=True)
class Places:
    """Where pods were, for one question; `unknown` gathers the pods (as a person names them) that had samples at a time when nobody knows where."""

    stays: Mapping[tuple[str, str], Sequence[Stay]]
    unknown: set[str] = field(default_factory=set)

    def of(self, keys: Sequence[SeriesKey], start: int, step_seconds: int, steps: int) -> Placed:
        """Return the series cut by node, on the grid of `steps` from `start` on [s since the epoch, s]."""
        names = {"": 0, UNKNOWN: 1}
        known = [(row, stay) for row, key in enumerate(keys) if key.pod for stay in self.stays.get((key.workload_uid, key.pod), ())]
        stays = Stays(
            np.array([row for row, _ in known], np.int64), np.array([stay.since for _, stay in known], np.float64),
            np.array([names.setdefault(stay.node, len(names)) for _, stay in known], np.int64),
        )  # fmt: skip
        before = np.array([names[UNKNOWN if key.pod else ""] for key in keys], np.int64)
        pieces, places = pieces_of(stays, before, start, step_seconds, steps)
        named = list(names)
        return Placed(pieces, [named[place] for place in places.tolist()])

    def warnings(self) -> list[str]:
        """Return what an answer says of pods whose node is not known, nothing without any."""
        if not self.unknown:
            return []
        named = ", ".join(sorted(self.unknown)[:MOST_NAMED]) + (", ..." if len(self.unknown) > MOST_NAMED else "")
        return [f"Of {len(self.unknown)} pods it is not known for all samples which node they ran on ({named}): those are of node null."]
