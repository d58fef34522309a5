"""Routes of rules. `new` in place of an id checks or tries a rule that is not stored."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.rules.schemas.rules import RuleFilters, RuleIn, RuleOut, RuleTestOut, TestRuleIn, ValidateRuleIn, ValidationOut
from upid.domain.errors import NotFoundError, VersionConflictError
from upid.http.answers import created, no_content, version_of, versioned
from upid.http.api import PREFIX, Router
from upid.http.paging import Cursor, Limit, Page, slice_after
from upid.http.params import CurrentCaller, IfMatch, Injected
from upid.services.analyses import NothingCollectedError
from upid.services.rules.model import BuiltInRuleError, TooManyRulesError

router = Router("/rules", tag="Rule Management")

Version = Annotated[int | None, Query(ge=1, le=10**8 - 1, description="An earlier version instead of the latest.")]


class RuleListQuery(RuleFilters):
    """Which rules to list, and which page of them."""

    limit: Limit = 100
    cursor: Cursor = None


@router.get("", permission="rules:read")
def list_rules(filters: Annotated[RuleListQuery, Query()], services: Injected, caller: CurrentCaller) -> Page[RuleOut]:
    """List rules in the order of their ids, the built-in ones included."""
    views = services.rules.list(caller.tenant, filters.wanted())
    page, following = slice_after(views, lambda view: str(view["id"]), after=filters.cursor, limit=filters.limit)
    return Page[RuleOut](items=[RuleOut.of(view) for view in page], next_cursor=following)


@router.post("", permission="rules:write", status=201, errors=(TooManyRulesError,))
def create_rule(body: RuleIn, services: Injected, caller: CurrentCaller) -> Response[RuleOut]:
    """Add a rule. A condition or explanation that can not be evaluated is refused with the position of every fault."""
    rule = RuleOut.of(services.rules.create(caller, body.draft()))
    return created(rule, location=f"{PREFIX}/rules/{rule.id}", version=rule.version)


@router.get("/<rule_id>", permission="rules:read", errors=(NotFoundError,))
def get_rule(rule_id: str, services: Injected, caller: CurrentCaller, version: Version = None) -> Response[RuleOut]:
    """Return a rule with its version as ETag, or an earlier version of it."""
    rule = RuleOut.of(services.rules.get(caller.tenant, rule_id, version))
    return versioned(rule, rule.version)


@router.put("/<rule_id>", permission="rules:write", errors=(NotFoundError, BuiltInRuleError, VersionConflictError))
def replace_rule(rule_id: str, body: RuleIn, services: Injected, caller: CurrentCaller, if_match: IfMatch = None) -> Response[RuleOut]:
    """Write a rule's next version; the ones before stay readable. Of a built-in rule only `enabled` can change."""
    rule = RuleOut.of(services.rules.replace(caller, rule_id, body.draft(), if_match=version_of(if_match)))
    return versioned(rule, rule.version)


@router.delete("/<rule_id>", permission="rules:write", status=204, errors=(NotFoundError, BuiltInRuleError, VersionConflictError))
def delete_rule(rule_id: str, services: Injected, caller: CurrentCaller, if_match: IfMatch = None) -> Response[None]:
    """Remove a rule. A built-in one can be disabled instead."""
    services.rules.delete(caller, rule_id, if_match=version_of(if_match))
    return no_content()


@router.post("/<rule_id>/validate", permission="rules:read", errors=(NotFoundError,))
def validate_rule(rule_id: str, body: ValidateRuleIn, services: Injected, caller: CurrentCaller) -> ValidationOut:
    """Tell what is wrong with a rule's condition and explanation, and where: unknown features, wrong types, units that do not fit.

    With `new` as id, `when` is a condition that is not stored yet.
    """
    return ValidationOut.model_validate(services.rules.validate(caller.tenant, rule_id, body.changes()))


@router.post("/<rule_id>/test", permission="rules:read", errors=(NotFoundError, NothingCollectedError))
def test_rule(rule_id: str, body: TestRuleIn, services: Injected, caller: CurrentCaller) -> RuleTestOut:
    """Run a rule against a cluster's current features or given rows, and tell on what it fires and what would change. Nothing is stored.

    Where a feature is missing or an operation goes wrong, it does not fire and the row is inconclusive. With `new` as id, `when` is the rule.
    """
    return RuleTestOut.model_validate(services.rules.test(caller.tenant, rule_id, body.trial(), body.changes()))
