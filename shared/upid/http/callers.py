"""The caller as the authorizer told API Gateway: strings only, below `requestContext.authorizer`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from upid.domain.identity import Caller


def caller_context(caller: Caller) -> dict[str, str]:
    """Return the caller as the context of an authorizer's answer."""
    return {
        "user_id": caller.user_id,
        "username": caller.username,
        "tenant": caller.tenant,
        "permissions": orjson.dumps(caller.permissions).decode(),
    }


def caller_of(event: Mapping[str, Any]) -> Caller | None:
    """Return the caller of an API Gateway event, None where no authorizer named one."""
    context = (event.get("requestContext") or {}).get("authorizer") or {}
    if not context.get("user_id") or not context.get("tenant"):
        return None
    permissions = orjson.loads(context.get("permissions") or "[]")
    return Caller(context["user_id"], context.get("username", ""), context["tenant"], tuple(permissions))
