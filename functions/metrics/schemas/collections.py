"""What collections take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from upid.domain.times import parse_duration
from upid.http.schemas import Answer, Body
from upid.services.collections import CollectionRequest


def duration_text(text: str) -> str:
    """Return a duration's text as it is; ValueError where it is none."""
    parse_duration(text)
    return text


class CollectIn(Body):
    """Whose usage to collect."""

    cluster_id: str = Field(min_length=1, max_length=64, examples=["cl_01KB0000000000000000000000"])
    history: Annotated[str, AfterValidator(duration_text)] | None = Field(
        default=None, max_length=32, examples=["7d"],
        description="How far back the first collection of a cluster goes (default 7d, at most 93d); later ones go on where the last one ended.",
    )  # fmt: skip
    step_seconds: int | None = Field(
        default=None, description="Step of the samples, a divisor of an hour from 15 on (default 300); the first collection decides it."
    )

    def request(self) -> CollectionRequest:
        """Return what the service takes."""
        history = None if self.history is None else int(parse_duration(self.history))
        return CollectionRequest(self.cluster_id, history, self.step_seconds)


class CollectionErrorOut(Answer):
    """One thing that went wrong in a collection."""

    code: str
    detail: str
    subject: str


class CollectionAskedOut(Answer):
    """What was asked for, defaults filled in."""

    cluster_id: str
    history_seconds: int
    step_seconds: int


class CollectionQualityOut(Answer):
    """What was wrong with the samples of a collection, by reason, and what was done about it: dropped, repaired, or left as it is and told."""

    missing: int = Field(description="Steps without a sample between a series' first and last one of a window; they stay empty.")
    impossible: int = Field(
        description="CPU or memory a quarter beyond what its node has, a volume fuller than full, a number without end; dropped."
    )
    negative: int = Field(description="Samples below zero; dropped.")
    duplicates: int = Field(
        description="Series of a container that others repeat, by scrape target or replica; each counts once: repaired."
    )
    not_a_number: int = Field(default=0, description="Samples that are NaN; dropped.")
    off_grid: int = Field(default=0, description="Samples at moments that were not asked for; dropped.")
    repeated: int = Field(default=0, description="Samples of one series at one moment, of which the last counts: repaired.")
    out_of_order: int = Field(default=0, description="Samples that came behind a later one; put in order: repaired.")
    counter_resets: int = Field(default=0, description="Counters that began again; what was counted before is kept: repaired.")
    ended_early: int = Field(
        default=0, description="Series that ended in the window though their pod runs on: no longer scraped, or marked stale."
    )
    dropped: int = Field(default=0, description="All that was dropped.")
    repaired: int = Field(default=0, description="All that was repaired.")
    clock_skew: int = Field(default=0, description="Answers of a source whose clock is more than five seconds from ours.")


class FamilyResultOut(Answer):
    """What came of a family beside CPU and memory."""

    state: Literal["collected", "absent", "refused"] = Field(
        description="`absent`: the source has none of it; `refused`: it did not answer, wholly or in part."
    )
    samples: int


class CollectionResultOut(Answer):
    """What a collection brought."""

    samples: int = Field(description="CPU and memory samples.")
    series: int = Field(description="Containers of pods that had any.")
    workloads: int
    containers: int = Field(description="Containers of workloads, as the cluster's API lists them.")
    namespaces: int
    windows: int = Field(description="Windows of time that were folded.")
    windows_planned: int
    watermark: str = Field(description="End of what is collected for the whole cluster.")
    step_seconds: int
    quality: CollectionQualityOut | None = Field(
        default=None, description="What was missing or dropped; null for a collection of an older version."
    )
    families: dict[str, FamilyResultOut] = Field(
        default_factory=dict, description="What came of each family beside CPU and memory that the collector names."
    )
    warnings: list[str] = Field(description="What the metrics source said of its answers, such as that some were partial.")


class CollectionOut(Answer):
    """A collection and how it stands."""

    id: str
    cluster_id: str
    status: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
    progress: float = Field(description="Share of the parts that are done. [1]")
    errors: list[CollectionErrorOut]
    created_at: str
    started_at: str | None
    ended_at: str | None
    request: CollectionAskedOut
    result: CollectionResultOut | None = Field(description="null until it ended with one.")

    @classmethod
    def of(cls, view: dict[str, Any]) -> CollectionOut:
        """Return the answer for a collection's view."""
        return cls.model_validate(view | {"result": view["result"] or None})


class GapOut(Answer):
    """A window of time in which these namespaces could not be collected."""

    namespaces: list[str]
    start: str
    end: str


class CollectionStatusOut(Answer):
    """How the collection of one cluster stands."""

    cluster_id: str
    name: str
    watermark: str | None = Field(description="End of what has been collected; null before the first collection.")
    lag_seconds: float | None = Field(description="How long ago that was. [s]")
    step_seconds: int | None
    collection_id: str | None = Field(description="The last collection; null before the first.")
    status: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"] | None
    samples: int | None = Field(description="What it brought; null until it ended.")
    errors: list[CollectionErrorOut]
    gaps: list[GapOut]

    @classmethod
    def of(cls, view: dict[str, Any]) -> CollectionStatusOut:
        """Return the answer for a status' view."""
        return cls.model_validate(view)
