"""What a list of recommendations is filtered and sorted by."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, FiniteFloat

from functions.optimization.schemas.recommendations import RecommendationOut
from upid.domain.recommendations import Review as ReviewState
from upid.services.recommendation_queries import MOST_PER_PAGE, Sort


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


Analysis = Annotated[str | None, Query(max_length=64, description="Of this analysis instead of the cluster's latest whole one.")]
Fields = Annotated[str | None, Query(max_length=500, description="Members wanted, separated by commas."), AfterValidator(_names_members)]
Kind = Annotated[str | None, Query(max_length=63, description="Only workloads of this kind.")]
ListLimit = Annotated[int, Query(ge=1, le=MOST_PER_PAGE, description="How many items a page has at most.")]
MinSavings = Annotated[FiniteFloat | None, Query(description="Only those that save this much or more. [USD per month]")]
Name = Annotated[str | None, Query(max_length=253, description="Only the workloads of this whole name.")]
Namespace = Annotated[str | None, Query(max_length=253, description="Only workloads of this namespace.")]
Review = Annotated[ReviewState | None, Query(description="Only those whose review is this.")]
Sorting = Annotated[Sort, Query(description="With `-` in front: the highest first. What has no such figure comes last.")]
Status = Annotated[Literal["recommended", "unchanged", "withheld"] | None, Query(description="Only those of this verdict.")]
