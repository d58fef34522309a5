"""Who is calling: a Lambda authorizer (REQUEST) of API Gateway.

Whether the caller may use a route is the group's own question: this answers only who it is, so its answer never depends on the path. API Gateway may
therefore keep it for the token, and for nothing but the token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from upid.bootstrap import build_services
from upid.domain.errors import UnauthenticatedError
from upid.http.callers import caller_context

REFUSAL: Final = "Unauthorized"  # the one message that API Gateway turns into 401


class UnauthorizedError(Exception):
    """API Gateway answers 401 where an authorizer fails with exactly this message."""

    def __init__(self) -> None:
        super().__init__(REFUSAL)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return the policy that lets the caller in, with who it is; UnauthorizedError where the token is missing or not valid."""
    try:
        caller = build_services().identity.authenticate(bearer_token(event))
    except UnauthenticatedError:
        raise UnauthorizedError from None
    return {
        "principalId": caller.user_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": whole_stage(event["methodArn"])}],
        },
        "context": caller_context(caller),
    }


def whole_stage(method_arn: str) -> str:
    """Return what stands for every route of the API's stage: a kept answer is used for other routes than the one that it was asked for."""
    return "/".join([*method_arn.split("/")[:2], "*"])


def bearer_token(event: Mapping[str, Any]) -> str:
    """Return the token of the one `Authorization: Bearer` header; UnauthenticatedError where there is none or there are several."""
    values = [
        value
        for name, all_values in (event.get("multiValueHeaders") or {}).items()
        if name.lower() == "authorization"
        for value in all_values
    ]  # fmt: skip
    scheme, _, token = values[0].strip().partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("There is no bearer token.")
    return token.strip()
