"""What clients ask of recommendations, what they get, and how they are refused. Light: what the API's routes import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from upid.domain.errors import ConflictError
from upid.domain.recommendations import Review

MOST_PER_PAGE: Final = 1000
Change = Literal["requests", "scaling", "storage"]
Sort = Literal["savings", "-savings", "confidence", "-confidence", "risk", "-risk", "name", "-name"]


class TransitionError(ConflictError):
    """A review that may not follow the one that the recommendation has."""

    title = "Not allowed in this state"


class NothingToApproveError(ConflictError):
    """An approval of a recommendation that recommends no change."""

    title = "Nothing to approve"


@dataclass(frozen=True, slots=True)
class RecommendationQuery:
    """Which recommendations to list, and in what order. None = no filter; `sort` with `-` in front: the highest first.

    changes: only those whose requests or limits change, whose workload's autoscaler does, or a volume of it.
    """

    namespace: str | None = None
    kind: str | None = None
    name: str | None = None
    status: str | None = None
    review: Review | None = None
    min_savings: float | None = None
    sort: Sort = "-savings"
    limit: int = 100
    cursor: str | None = None
    analysis_id: str | None = None
    changes: Change | None = None


class Found(NamedTuple):
    """A recommendation as a client sees it, and the tag of this state of it."""

    entry: dict[str, Any]
    etag: str


class Listed(NamedTuple):
    """A page of recommendations, and where the next one begins behind (None = no more)."""

    entries: list[dict[str, Any]]
    after: str | None
