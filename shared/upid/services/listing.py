"""All recommendations of an analysis at once: filtered and sorted as columns, read as entries only where they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import NotFoundError
from upid.domain.ids import RecommendationPlace, recommendation_id, recommendation_place
from upid.engine.rightsizing.columns import RECOMMENDED, SCALING_KINDS, STATUSES
from upid.services.recommendation_queries import Change, RecommendationQuery
from upid.services.shelf import Shelf, Shelves
from upid.services.sizing import Table

COLUMN_OF: Final = {"savings": "savings_usd_per_month", "confidence": "confidence", "risk": "risk_score"}


class Choice(NamedTuple):
    """A recommendation by the place that its table has in the library, and its row there."""

    table: int
    row: int


@dataclass(frozen=True, slots=True)
class Library:
    """The tables of an analysis, by shard. `first`: position of each table's first row among all rows."""

    analysis_id: str
    shards: tuple[int, ...]
    shelves: tuple[Shelf, ...]
    first: NDArray[np.int64]

    @classmethod
    def open(cls, shelves: Shelves, tenant: str, analysis_id: str, shards: int) -> Library:
        """Return the tables of all shards that were analyzed; one that failed has none, the analysis' errors name it."""
        found: dict[int, Shelf] = {}
        for shard in range(shards):
            try:
                found[shard] = shelves.open(tenant, analysis_id, shard)
            except NotFoundError:
                continue
        sizes = [shelf.rows for shelf in found.values()]
        return cls(analysis_id, tuple(found), tuple(found.values()), np.cumsum([0, *sizes], dtype=np.int64))

    def id(self, choice: Choice) -> str:
        """Return the id of a recommendation."""
        return recommendation_id(self.analysis_id, self.shards[choice.table], choice.row)

    def entries(self, choices: Sequence[Choice]) -> list[dict[str, Any]]:
        """Return recommendations as `upid scan` shows them, in the order of `choices`."""
        found: dict[Choice, dict[str, Any]] = {}
        for table in {choice.table for choice in choices}:
            own = [choice for choice in choices if choice.table == table]
            found.update(zip(own, self.shelves[table].entries([choice.row for choice in own]), strict=True))
        return [found[choice] for choice in choices]

    def choose(
        self, query: RecommendationQuery, reviews: Mapping[str, str], unreviewed: str, after: RecommendationPlace | None
    ) -> list[Choice]:
        """Return what a query asks for behind `after`, in its order, one more than its limit where there are more.

        `reviews`: by recommendation id, those that somebody reviewed; `unreviewed`: how all others read.
        """
        order = self._order(query.sort)
        if after is not None:
            order = order[int(np.flatnonzero(order == self._position(after))[0]) + 1 :]
        chosen = order[self._matching(query, reviews, unreviewed)[order]][: query.limit + 1]
        tables = np.searchsorted(self.first, chosen, side="right") - 1
        return [Choice(int(table), int(position - self.first[table])) for table, position in zip(tables, chosen, strict=True)]

    def _position(self, place: RecommendationPlace) -> int:
        if place.shard not in self.shards or place.row >= self.shelves[self.shards.index(place.shard)].rows:
            raise NotFoundError("This cursor is of no recommendation.")
        return int(self.first[self.shards.index(place.shard)]) + place.row

    def _order(self, sort: str) -> NDArray[np.int64]:
        name, falling = sort.removeprefix("-"), sort.startswith("-")
        keys = self._names() if name == "name" else self._column(COLUMN_OF[name])
        # NaN sorts last either way, and equals keep the order of their ids.
        return np.argsort(-keys if falling else keys, kind="stable")

    def _names(self) -> NDArray[np.float64]:
        identities = [identity for shelf in self.shelves for identity in shelf.identities]
        ranks = np.empty(len(identities))
        ranks[sorted(range(len(identities)), key=identities.__getitem__)] = np.arange(len(identities))
        return ranks

    def _column(self, name: str) -> NDArray[np.float64]:
        return np.concatenate([np.asarray(shelf.table.columns[name], np.float64) for shelf in self.shelves] or [np.empty(0)])

    def _matching(self, query: RecommendationQuery, reviews: Mapping[str, str], unreviewed: str) -> NDArray[np.bool_]:
        mask = np.ones(int(self.first[-1]), bool)
        for name in ("namespace", "kind", "name"):
            wanted = getattr(query, name)
            if wanted is not None:
                mask &= np.fromiter((getattr(each, name) == wanted for shelf in self.shelves for each in shelf.identities), bool, mask.size)
        if query.status is not None:
            mask &= self._column("status") == STATUSES.index(query.status)
        if query.min_savings is not None:
            mask &= np.nan_to_num(self._column(COLUMN_OF["savings"])) >= query.min_savings
        if query.changes is not None:
            mask &= self._changing(query.changes)
        return mask if query.review is None else mask & self._reviewed(query.review, reviews, unreviewed)

    def _changing(self, what: Change) -> NDArray[np.bool_]:
        if what == "requests":
            return np.asarray(self._column("status") == RECOMMENDED)
        return np.concatenate(
            [_scaled(shelf.table) if what == "scaling" else _growing(shelf.table) for shelf in self.shelves] or [np.empty(0, bool)]
        )

    def _reviewed(self, wanted: str, reviews: Mapping[str, str], unreviewed: str) -> NDArray[np.bool_]:
        mask = np.full(int(self.first[-1]), wanted == unreviewed)
        for identifier, review in reviews.items():
            place = recommendation_place(identifier)
            if place is not None and place.shard in self.shards:
                mask[self._position(place)] = review == wanted
        return mask


def _scaled(table: Table) -> NDArray[np.bool_]:
    """Return the rows of workloads whose autoscaler needs other bounds; none in a table from before this was told."""
    nothing = np.zeros(len(table.rows))
    kind, status = (np.asarray(table.columns.get(f"scaling_{name}", nothing)) for name in ("kind", "status"))
    result: NDArray[np.bool_] = (kind == SCALING_KINDS.index("autoscaler")) & (status == RECOMMENDED)
    return result


def _growing(table: Table) -> NDArray[np.bool_]:
    """Return the rows of workloads with a volume that must be larger."""
    growing = {uid for uid, volumes in table.volumes.items() if any(volume["status"] == "recommended" for volume in volumes)}
    return np.fromiter((row.uid in growing for row in table.rows), bool, len(table.rows))
