"""What the optimization group takes and gives. Quantities are in base units: cores, bytes, USD, shares from 0 to 1."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from functions.optimization.schemas.recommendations import RuleVersionOut
from upid.http.schemas import Answer, Body
from upid.services.analyses import MOST_IN_BATCH, AnalysisRequest, WorkloadRef

ClusterId = Annotated[
    str, Field(min_length=1, max_length=64, description="Id of a registered cluster.", examples=["cl_01KB0000000000000000000000"])
]
Namespace = Annotated[str, Field(min_length=1, max_length=253)]
Share = Annotated[float, Field(ge=1e-6, le=0.5, description="Share of time that usage may lie above a CPU request. [1]")]
Strategy = Literal["max-savings", "balanced", "high-availability", "development"]


class AnalyzeIn(Body):
    """What to analyze: a cluster, or some of its namespaces."""

    cluster_id: ClusterId
    namespaces: list[Namespace] = Field(default=[], max_length=200, description="Only these namespaces; all where none is named.")
    strategy: Strategy = "balanced"
    allowed_time_above: Share | None = Field(
        default=None, description="Overrides the strategy's share of time that usage may lie above a CPU request. [1]"
    )

    def request(self) -> AnalysisRequest:
        """Return what the service takes."""
        return AnalysisRequest(self.cluster_id, tuple(self.namespaces), (), self.strategy, self.allowed_time_above)


class AnalyzeBatchIn(Body):
    """Several analyses at once."""

    requests: list[AnalyzeIn] = Field(min_length=1, max_length=MOST_IN_BATCH)

    def all_requests(self) -> list[AnalysisRequest]:
        """Return what the service takes."""
        return [each.request() for each in self.requests]


class WorkloadIn(Body):
    """A workload by name."""

    namespace: Namespace
    kind: str = Field(min_length=1, max_length=63)
    name: str = Field(min_length=1, max_length=253)

    def ref(self) -> WorkloadRef:
        """Return what the service takes."""
        return WorkloadRef(self.namespace, self.kind, self.name)


class DeepAnalysisIn(AnalyzeIn):
    """What to analyze from the stored samples instead of from their summary."""

    workloads: list[WorkloadIn] = Field(default=[], max_length=200, description="Only these workloads; all where none is named.")
    compare: list[Share] = Field(
        default=[0.0001, 0.001, 0.005, 0.01, 0.02, 0.05],
        max_length=20,
        description="Values of `allowed_time_above` to compare in `trade_offs`.",
    )

    def request(self) -> AnalysisRequest:
        """Return what the service takes."""
        workloads = tuple(each.ref() for each in self.workloads)
        knobs = tuple(sorted(set(self.compare)))
        return AnalysisRequest(self.cluster_id, tuple(self.namespaces), workloads, self.strategy, self.allowed_time_above, "history", knobs)


class GenerateIn(AnalyzeIn):
    """Whose recommendations to make anew."""

    workloads: list[WorkloadIn] = Field(default=[], max_length=200, description="Only these workloads; all where none is named.")

    def request(self) -> AnalysisRequest:
        """Return what the service takes."""
        workloads = tuple(each.ref() for each in self.workloads)
        return AnalysisRequest(self.cluster_id, tuple(self.namespaces), workloads, self.strategy, self.allowed_time_above)


class BulkGenerateIn(Body):
    """Clusters whose recommendations to make anew, all in the same way."""

    cluster_ids: list[ClusterId] = Field(min_length=1, max_length=MOST_IN_BATCH)
    strategy: Strategy = "balanced"
    allowed_time_above: Share | None = None

    def all_requests(self) -> list[AnalysisRequest]:
        """Return what the service takes, each cluster once."""
        return [AnalysisRequest(each, (), (), self.strategy, self.allowed_time_above) for each in dict.fromkeys(self.cluster_ids)]


class AnalysisErrorOut(Answer):
    """One thing that went wrong: a code for machines, a text for people, and what it hit."""

    code: str
    detail: str
    subject: str


class RequestTotals(Answer):
    """Sums of requests times replicas; what is not set counts as 0. [cores, bytes]"""

    cpu_request_cores: float
    memory_request_bytes: float


class RequestsOut(Answer):
    """What is requested now, and what would be if everything recommended were applied."""

    current: RequestTotals
    recommended: RequestTotals


class TopSaving(Answer):
    """One of the recommendations that save most."""

    id: str
    namespace: str
    kind: str
    name: str
    container: str
    savings_usd_per_month: float


class ScalingTotals(Answer):
    """Autoscalers by what their bounds need, and what that saves on top of smaller requests. `advised`: counts advised elsewhere, which save instead."""

    recommended: int
    unchanged: int
    withheld: int
    advised: int
    savings_usd_per_month: float
    savings_unknown: int = Field(description="Autoscalers whose savings are not known; they count as 0.")


class StorageTotals(Answer):
    """PersistentVolumeClaims by what they need, their sizes [bytes], and what that saves: larger volumes cost more, so below 0."""

    claims: int
    recommended: int
    unchanged: int
    withheld: int
    current_bytes: float
    recommended_bytes: float
    savings_usd_per_month: float
    savings_unknown: int = Field(description="Claims that need another size at a price that is not known; they count as 0.")


class AnalysisTotals(Answer):
    """Totals over every container of the analysis, and over its workloads' autoscalers and volumes (null: of an older version, which did not tell)."""

    workloads: int
    containers: int
    recommended: int
    unchanged: int
    withheld: int
    withheld_by_code: dict[str, int]
    savings_usd_per_month: float
    savings_unknown: int = Field(description="Containers whose savings are not known; they count as 0.")
    requests: RequestsOut
    scaling: ScalingTotals | None = None
    storage: StorageTotals | None = None
    total_savings_usd_per_month: float | None = Field(default=None, description="Of requests, autoscalers and volumes. [USD per month]")
    top_savings: list[TopSaving]


class AppliedRuleOut(RuleVersionOut):
    """A rule that was applied, as it was when the analysis began, and how many containers it is about."""

    in_scope: int = Field(description="Containers of its namespaces and labels.")
    fired: int
    inconclusive: int = Field(description="Containers on which it can not be told; a veto acts there, no other rule does.")
    changed: int = Field(description="Containers of which it changed what is recommended.")


class TradeOff(Answer):
    """What another value of `allowed_time_above` would give, before any rule; `on_frontier`: no other saves more at as little time above."""

    allowed_time_above: float
    cpu_request_cores: float
    memory_request_bytes: float
    savings_usd_per_month: float
    time_above_request: float | None = Field(description="Share of back-tested time above the CPU request, over all containers. [1]")
    on_frontier: bool


class StageSeconds(Answer):
    """Seconds that shards spent in each stage, summed over shards."""

    load: float
    analyze: float
    persist: float


class AnalysisPart(Answer):
    """One analysis of a batch."""

    id: str
    cluster_id: str
    status: str
    progress: float
    summary: AnalysisTotals | None


class AnalysisOut(Answer):
    """An analysis, or a batch of them."""

    id: str
    kind: Literal["analysis", "batch"]
    cluster_id: str | None
    status: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    errors: list[AnalysisErrorOut]
    created_at: str
    started_at: str | None
    ended_at: str | None
    request: dict[str, Any]
    summary: AnalysisTotals | None
    rules: list[AppliedRuleOut] | None
    trade_offs: list[TradeOff] | None
    seconds: StageSeconds | None
    analyses: list[AnalysisPart] | None


class ClusterSummaryOut(AnalysisTotals):
    """Totals of a cluster's latest whole analysis."""

    cluster_id: str
    analysis_id: str
    status: Literal["succeeded", "partial", "failed"]
    ended_at: str
    errors: list[AnalysisErrorOut]
