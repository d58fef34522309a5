"""What a list of recommendations is filtered and sorted by."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, Field, FiniteFloat

from functions.optimization.schemas.recommendations import RecommendationOut
from upid.domain.recommendations import Review as ReviewState
from upid.http.paging import Cursor
from upid.http.schemas import Answer
from upid.services.recommendation_queries import MOST_PER_PAGE, Change, RecommendationQuery, Sort


def known_members(text: str | None) -> frozenset[str]:
    """Return the members of a recommendation that `a,b,c` names, with `id`, empty = all; ValueError for one that there is not."""
    names = frozenset(filter(None, (text or "").split(",")))
    unknown = sorted(names - set(RecommendationOut.model_fields))
    if unknown:
        raise ValueError(f"there is no {', '.join(unknown)} in a recommendation")
    return names | {"id"} if names else names


def _names_members(text: str | None) -> str | None:
    known_members(text)
    return text


class RecommendationFilters(Answer):
    """What a list of recommendations is narrowed to, its order, its members and its page."""

    namespace: str | None = Field(None, max_length=253, description="Only workloads of this namespace.")
    kind: str | None = Field(None, max_length=63, description="Only workloads of this kind.")
    name: str | None = Field(None, max_length=253, description="Only the workloads of this whole name.")
    status: Literal["recommended", "unchanged", "withheld"] | None = Field(None, description="Only those of this verdict.")
    changes: Change | None = Field(
        None,
        description="Only those whose requests or limits change, whose workload's autoscaler needs other bounds, or a volume of it another size.",
    )
    review: ReviewState | None = Field(None, description="Only those whose review is this.")
    min_savings: FiniteFloat | None = Field(None, description="Only those that save this much or more. [USD per month]")
    sort: Sort = Field("-savings", description="With `-` in front: the highest first. What has no such figure comes last.")
    fields: Annotated[str | None, AfterValidator(_names_members)] = Field(
        None, max_length=500, description="Members wanted, separated by commas."
    )
    analysis_id: str | None = Field(None, max_length=64, description="Of this analysis instead of the cluster's latest whole one.")
    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE, description="How many items a page has at most.")] = 100
    cursor: Cursor = None

    def query(self) -> RecommendationQuery:
        """Return what the service takes."""
        return RecommendationQuery(
            self.namespace, self.kind, self.name, self.status, self.review, self.min_savings, self.sort, self.limit, self.cursor, self.analysis_id,
            self.changes,
        )  # fmt: skip


Filters = Annotated[RecommendationFilters, Query()]
