"""Rules as they are written, shown, checked and tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    FiniteFloat,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from upid.engine.rules.catalogue import Target, VetoOf
from upid.http.schemas import Answer, Body
from upid.services.rules.model import RuleDraft, Scope, Severity, Then
from upid.services.rules.service import RuleFilter, Trial

CategoryId = Literal["cpu-optimization", "memory-optimization", "cost-reduction", "performance-tuning", "availability"]
When = Annotated[
    str,
    Field(
        min_length=1, max_length=2000, description="A CEL condition over the documented features.", examples=["cpu.p95 / cpu.request < 0.2"]
    ),
]
Explanation = Annotated[
    str, Field(max_length=2000, description="A text with features in braces.", examples=["{cpu.p95} of {cpu.request} cores are used."])
]
Name = Annotated[str, Field(min_length=1, max_length=253)]


class RecommendationThen(Body):
    """Recommends to do something."""

    kind: Literal["recommendation"]
    action: str = Field(min_length=1, max_length=500)


class AdjustmentThen(Body):
    """Adjusts a recommended value: times `factor`, then held within the bounds; or takes it away."""

    kind: Literal["adjustment"]
    target: Target
    factor: FiniteFloat = Field(default=1.0, gt=0, le=100, description="[1]")
    minimum: FiniteFloat | None = Field(default=None, ge=0, description="[unit of the target]")
    maximum: FiniteFloat | None = Field(default=None, ge=0, description="[unit of the target]")
    unset: bool = Field(default=False, description="Take the limit away. A request is never taken away.")

    @field_validator("unset")
    @classmethod
    def _of_a_limit(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 pydantic passes it by position
        if value and str(info.data.get("target")).endswith(("request_cores", "request_bytes")):
            raise ValueError("only a limit can be taken away")
        return value

    @field_validator("maximum")
    @classmethod
    def _above_minimum(cls, value: float | None, info: ValidationInfo) -> float | None:
        minimum = info.data.get("minimum")
        if value is not None and minimum is not None and value < minimum:
            raise ValueError("maximum must not be below minimum")
        return value


class VetoThen(Body):
    """Keeps what is set now."""

    kind: Literal["veto"]
    of: VetoOf = "all"


class TagThen(Body):
    """Tags the container."""

    kind: Literal["tag"]
    tag: str = Field(min_length=1, max_length=63)


AnyThen = Annotated[RecommendationThen | AdjustmentThen | VetoThen | TagThen, Field(discriminator="kind")]


class RuleScope(Body):
    """Where a rule applies; what is empty applies everywhere in the tenant."""

    clusters: list[Name] = Field(default=[], max_length=100, description="Ids of clusters.")
    namespaces: list[Name] = Field(default=[], max_length=100)
    labels: dict[str, str] = Field(default={}, max_length=20, description="Labels that the workload has, all of them.")
    selector: str = Field(
        default="",
        max_length=2000,
        description="Selector of the workload's labels, as kubectl takes it.",
        examples=["tier in (front, back),!canary"],
    )


class RuleIn(Body):
    """A rule as it is written."""

    name: str = Field(min_length=1, max_length=200)
    category: CategoryId
    severity: Severity = "medium"
    when: When
    then: AnyThen
    explanation: Explanation = ""
    scope: RuleScope = RuleScope()
    enabled: bool = True

    def draft(self) -> RuleDraft:
        """Return what the service takes."""
        scope = Scope(tuple(self.scope.clusters), tuple(self.scope.namespaces), dict(self.scope.labels), self.scope.selector)
        then = Then(**self.then.model_dump())
        return RuleDraft(self.name, self.category, self.severity, self.when, then, self.explanation, scope, self.enabled)


class RuleOut(Answer):
    """A rule."""

    id: str
    version: int = Field(description="One more with every change; the ETag.")
    built_in: bool
    line: str | None = Field(description="The line of its category that a built-in rule covers.")
    name: str
    category: CategoryId
    severity: Severity
    when: str
    then: AnyThen
    explanation: str
    scope: RuleScope
    enabled: bool
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> RuleOut:
        """Return the answer for a rule's view."""
        members = {
            "recommendation": ("action",),
            "adjustment": ("target", "factor", "minimum", "maximum", "unset"),
            "veto": ("of",),
            "tag": ("tag",),
        }
        then = {name: view["then"][name] for name in ("kind", *members[view["then"]["kind"]])}
        return cls.model_validate({**view, "then": then})


class RuleFilters(Answer):
    """Which rules to list."""

    category: CategoryId | None = None
    severity: Severity | None = None
    enabled: bool | None = None
    built_in: bool | None = Field(default=None, description="Those of the product, or those of users.")

    def wanted(self) -> RuleFilter:
        """Return what the service takes."""
        return RuleFilter(self.category, self.severity, self.enabled, self.built_in)


class ValidateRuleIn(Body):
    """Other texts to check in place of those of the rule."""

    when: str | None = Field(default=None, max_length=100_000)
    explanation: Explanation | None = None

    def changes(self) -> dict[str, Any]:
        """Return what was given."""
        return self.model_dump(exclude_none=True)


class PositionOut(Answer):
    """Where in a text, both from 1."""

    line: int
    column: int


class FaultOut(Answer):
    """What is wrong, where, and what to write instead where that can be told."""

    member: Literal["when", "explanation"]
    code: str
    detail: str
    position: PositionOut
    suggestion: str | None


class FeatureOut(Answer):
    """A feature that a rule reads."""

    name: str
    kind: Literal["bool", "int", "double", "string"]
    unit: str
    meaning: str
    source: Literal["stored", "given"] = Field(description="`given`: only rows that are given with a test have it.")


class ValidationOut(Answer):
    """Whether a rule can be evaluated, every fault, and what could be written better."""

    rule_id: str | None
    when: str
    valid: bool
    faults: list[FaultOut]
    hints: list[FaultOut]
    features: list[FeatureOut]


class GivenRowIn(Body):
    """A row to try a rule on. A feature that is null or not there is missing."""

    features: dict[str, StrictBool | StrictInt | StrictFloat | StrictStr | None] = Field(max_length=200, examples=[{"cpu.p95": 0.1}])
    labels: dict[str, str] = Field(default={}, max_length=100)


class TestRuleIn(Body):
    """What to try the rule on: a cluster, or given rows. Other texts are tried in place of those of the rule."""

    cluster_id: Name | None = None
    namespaces: list[Name] = Field(default=[], max_length=100)
    rows: list[GivenRowIn] | None = Field(default=None, min_length=1, max_length=1000)
    limit: int = Field(default=100, ge=0, le=1000, description="How many rows are shown of each kind; all are counted.")
    when: str | None = Field(default=None, max_length=100_000)
    then: AnyThen | None = None
    explanation: Explanation | None = None

    @model_validator(mode="after")
    def _one_source(self) -> TestRuleIn:
        if (self.cluster_id is None) == (self.rows is None):
            raise ValueError("give either cluster_id or rows")
        return self

    def trial(self) -> Trial:
        """Return what the service takes."""
        return Trial(self.cluster_id, tuple(self.namespaces), tuple(row.model_dump() for row in self.rows or ()), self.limit)

    def changes(self) -> dict[str, Any]:
        """Return the texts that were given."""
        given = self.model_dump(include={"when", "explanation"}, exclude_none=True)
        blank = Then("tag")
        whole = {name: getattr(blank, name) for name in Then.__dataclass_fields__}
        return given | ({"then": whole | self.then.model_dump()} if self.then else {})


class RuleCountsOut(Answer):
    """How many rows there are, how many within the rule's scope, and of these how many fire and how many can not be told."""

    rows: int
    in_scope: int
    fired: int
    inconclusive: int


class TriedRowOut(Answer):
    """A container, or the position of a given row."""

    row: int | None
    namespace: str | None
    kind: str | None
    name: str | None
    uid: str | None
    container: str | None


class RuleChangeOut(Answer):
    """A recommended value that would differ; null = not set or not known. [cores], [bytes]"""

    target: Target
    current: float | None
    recommended: float | None
    after: float | None


class FiredRowOut(TriedRowOut):
    """A row that the rule fires on, and what that does."""

    features: dict[str, Any] = Field(description="What the rule reads there; null = missing.")
    explanation: str
    action: str | None
    tag: str | None
    changes: list[RuleChangeOut]


class InconclusiveRowOut(TriedRowOut):
    """A row on which it can not be told; `missing` may be empty where an operation went wrong, such as a division by zero."""

    missing: list[str]
    changes: list[RuleChangeOut] = Field(description="What a veto keeps where it can not be told: a safety rule in doubt changes nothing.")


class RuleTestOut(Answer):
    """On what a rule fires, and what would change."""

    rule_id: str | None
    cluster_id: str | None
    when: str
    counts: RuleCountsOut
    missing_features: dict[str, int] = Field(description="Of the inconclusive rows, how many miss each feature.")
    fired_rows: list[FiredRowOut]
    inconclusive_rows: list[InconclusiveRowOut]
    is_complete: bool = Field(description="Whether all of them are shown.")


class CategoryLineOut(Answer):
    """A line that a category covers, and the built-in rules that do it."""

    id: str
    title: str
    rules: list[str]


class CategorySummaryOut(Answer):
    """A category of rules."""

    id: CategoryId
    title: str
    lines: list[CategoryLineOut]
    rules: int = Field(description="How many rules it has, those of users included.")
    enabled: int


class CategoriesOut(Answer):
    """All categories."""

    items: list[CategorySummaryOut]


class CategoryOut(CategorySummaryOut):
    """A category with its rules."""

    items: list[RuleOut]

    @classmethod
    def of(cls, view: dict[str, Any]) -> CategoryOut:
        """Return the answer for a category's view."""
        return cls.model_validate(view | {"items": [RuleOut.of(rule) for rule in view["items"]]})
