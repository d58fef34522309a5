"""Recommendations as they are shown, listed, reviewed and simulated. Quantities are in base units: cores, bytes, USD, shares from 0 to 1."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from pydantic import ConfigDict, Field

from upid.domain.recommendations import Review
from upid.engine.rules.catalogue import Target
from upid.http.paging import Page, encode_cursor
from upid.http.schemas import Answer, Body, PickedOut
from upid.services.recommendation_queries import Found, Listed
from upid.services.rules.model import Severity, ThenKind

Cores = Annotated[float, Field(ge=0, le=1_000_000, description="[cores]")]
Bytes = Annotated[float, Field(ge=0, le=1e18, description="[bytes]")]


class ResourceValues(Answer):
    """Requests and limits of one container; null = not set. [cores, bytes]"""

    cpu_request_cores: float | None
    cpu_limit_cores: float | None
    memory_request_bytes: float | None
    memory_limit_bytes: float | None


class UsageSpread(Answer):
    """Quantiles of usage over all pods of the workload; null = no sample."""

    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    max: float | None


class EvidenceWindow(Answer):
    """What the evidence is of."""

    start: str
    end: str
    step_seconds: int


class EvidenceOut(Answer):
    """What was seen. `source` tells whether quantiles are exact (from samples) or within 1.5 % (from a profile)."""

    model_config = ConfigDict(extra="allow")

    source: str
    window: EvidenceWindow
    pods: int
    samples: int
    effective_samples: float
    coverage: float
    cpu_cores: UsageSpread
    memory_bytes: UsageSpread
    throttled_fraction: float | None
    oom_kills: int
    restarts: int


class ReasonOut(Answer):
    """A rule that fired, in order, with its numbers."""

    code: str
    text: str
    values: dict[str, Any]


class AmountChangeOut(Answer):
    """A recommended request or limit that a rule changed; null = not set. [cores, bytes]"""

    target: Target
    before: float | None
    after: float | None


class RuleVersionOut(Answer):
    """A rule, as it was when it was applied."""

    id: str
    version: int
    name: str
    category: str
    severity: Severity
    kind: ThenKind


class VerdictOut(RuleVersionOut):
    """What a rule found here, and did. A veto whose condition can not be told is `inconclusive`, and keeps what is set now."""

    outcome: Literal["fired", "inconclusive"]
    action: str | None = Field(description="What a recommendation says to do.")
    tag: str | None
    explanation: str
    features: dict[str, Any] = Field(description="What the rule read; null = missing.")
    changes: list[AmountChangeOut] = Field(description="Before and after this rule; adjustments act first, vetoes last.")


class RiskOut(Answer):
    """How risky the change is."""

    score: float | None = Field(description="0 to 100")
    level: str | None


class ReplicaBounds(Answer):
    """Pods at least and at most; equal where no autoscaler moves between them."""

    min_replicas: int | None
    max_replicas: int | None


class SummedUse(Answer):
    """What all pods of the workload use together; null = not enough data. [cores, bytes]"""

    cpu_cores: float | None
    memory_bytes: float | None


class SummedDemand(Answer):
    """Summed demand: `low` for 5 % of the time, `high` passed for a tenth of the allowed share of the time."""

    low: SummedUse
    high: SummedUse


class MeanPods(Answer):
    """Pods that run in the mean: within an autoscaler's bounds by the measured demand, else the count; null = not known."""

    current: float | None
    recommended: float | None


class ScalingOut(Answer):
    """How many pods the workload needs. `autoscaler`: bounds of what scales it; `advice`: a count, instead of a smaller request; null: not to choose."""

    kind: Literal["autoscaler", "advice"] | None
    status: Literal["recommended", "unchanged", "withheld"]
    withheld_code: str | None
    autoscaler: str | None = Field(description="Name of the HorizontalPodAutoscaler.")
    managed_by: str | None = Field(description="What made the autoscaler and would set it back, such as `ScaledObject/web`.")
    current: ReplicaBounds
    recommended: ReplicaBounds
    pods: MeanPods
    demand: SummedDemand
    savings_usd_per_month: float | None = Field(
        description="Of bounds: on top of what smaller requests save. Of advice: instead of it. Null: not known. [USD per month]"
    )
    reasons: list[ReasonOut]


class VolumeOut(Answer):
    """A PersistentVolumeClaim of the workload: how large it must be, never smaller than it is. [bytes]"""

    claim: str
    storage_class: str
    status: Literal["recommended", "unchanged", "withheld"]
    withheld_code: str | None
    current_bytes: float | None
    recommended_bytes: float | None
    used_bytes: float | None = Field(description="The largest use in the window. [bytes]")
    growth_bytes_per_day: float | None
    days_until_full: float | None = Field(description="At that growth; null: it does not grow. [d]")
    confidence: float | None
    savings_usd_per_month: float | None = Field(
        default=None, description="A larger volume costs more: below 0. Null: its price is not known."
    )
    reasons: list[ReasonOut]


class RecommendationOut(PickedOut):
    """One container of one workload: what it needs, why, how sure that is and what it saves. With `fields`, only the members asked for."""

    id: str = ""
    cluster_id: str = ""
    analysis_id: str = ""
    created_at: str = ""
    namespace: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    container: str = ""
    role: Literal["main", "sidecar", "init"] = "main"
    replicas: int = 0
    status: Literal["recommended", "unchanged", "withheld"] = "withheld"
    withheld_code: str | None = None
    current: ResourceValues | None = None
    recommended: ResourceValues | None = None
    evidence: EvidenceOut | None = None
    reasons: list[ReasonOut] = []
    rules: list[VerdictOut] = []
    confidence: float | None = None
    backtest: dict[str, Any] | None = None
    risk: RiskOut | None = None
    savings_usd_per_month: float | None = None
    scaling: ScalingOut | None = None
    storage: list[VolumeOut] = []
    review: Review = "open"
    review_comment: str | None = None
    reviewed_by: str | None = None
    reviewed_at: str | None = None


class ReviewIn(Body):
    """A decision about a recommendation."""

    review: Review
    comment: str = Field(default="", max_length=2000)


class SimulateIn(Body):
    """Other values for a container. What is left out stays as it is now; null means not set."""

    cpu_request_cores: Cores | None = None
    cpu_limit_cores: Cores | None = None
    memory_request_bytes: Bytes | None = None
    memory_limit_bytes: Bytes | None = None

    def values(self) -> dict[str, float | None]:
        """Return the values that were given."""
        return self.model_dump(exclude_unset=True)


class OutcomeOut(Answer):
    """What some values would have done over the window. Shares are of measured time, pods pooled (0-1); null: not set, no samples, or not to be told."""

    values: ResourceValues
    cpu_time_above_request: float | None
    throttled_time: float | None = Field(description="Share of time that CPU use lay above the CPU limit. [1]")
    cpu_held_back: float | None = Field(description="Share of all used CPU time that lay above the CPU limit; null from a profile. [1]")
    memory_time_above_request: float | None
    memory_time_above_limit: float | None
    oom_kills: int | None = Field(description="Times that a pod went above the memory limit; null from a profile.")
    pods_oom_killed: int | None
    usd_per_month: float | None = Field(description="What the requests cost, times replicas. [USD per month]")
    savings_usd_per_month: float | None = Field(description="Against the current values. [USD per month]")


class SimulationOut(Answer):
    """The current, the recommended and the asked values, counted the same way over the same window."""

    recommendation_id: str
    cluster_id: str
    source: Literal["history", "profile"]
    window: EvidenceWindow
    pods: int
    samples: int
    current: OutcomeOut
    recommended: OutcomeOut
    simulated: OutcomeOut


def tagged(answer: Found | Listed, fields: frozenset[str] = frozenset()) -> Response[Any]:
    """Return a recommendation with its ETag, or a page of them, with only `fields` of each where some are named."""
    if isinstance(answer, Found):
        return Response(200, APPLICATION_JSON, shown(answer.entry, fields), headers={"ETag": answer.etag})
    items = [shown(each, fields) for each in answer.entries]
    cursor = None if answer.after is None else encode_cursor(answer.after)
    return Response(200, APPLICATION_JSON, Page[RecommendationOut](items=items, next_cursor=cursor))


def shown(entry: dict[str, Any], fields: frozenset[str]) -> RecommendationOut:
    """Return an entry as clients see it."""
    return RecommendationOut.model_validate({name: value for name, value in entry.items() if not fields or name in fields})
