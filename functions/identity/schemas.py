"""What the identity group takes and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from upid.domain.identity import Caller
from upid.domain.times import format_time
from upid.http.schemas import Answer, Body
from upid.services.identity import Grant


class LoginIn(Body):
    """Who wants to log in."""

    username: Annotated[str, Field(min_length=1, max_length=256)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]


class TokenOut(Answer):
    """An access token: send it as `Authorization: Bearer`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the kind of token, no secret
    expires_in: int = Field(description="Seconds until the token ends.")
    user_id: str
    username: str
    permissions: list[str]

    @classmethod
    def of(cls, grant: Grant) -> TokenOut:
        """Return the answer to a login."""
        caller = grant.caller
        return cls(
            access_token=grant.access_token, expires_in=grant.expires_in,
            user_id=caller.user_id, username=caller.username, permissions=list(caller.permissions),
        )  # fmt: skip


class TokenIn(Body):
    """A token to ask about."""

    token: Annotated[str, Field(min_length=1, max_length=8192)]


class TokenStateOut(Answer):
    """Whether a token is valid now, and if so whose it is."""

    active: bool
    user_id: str | None = None
    username: str | None = None
    tenant: str | None = None
    permissions: list[str] = []
    expires_at: str | None = None

    @classmethod
    def of(cls, found: tuple[Caller, float] | None) -> TokenStateOut:
        """Return the state of a token; None stands for one that is not valid, of which nothing is told."""
        if found is None:
            return cls(active=False)
        caller, ends = found
        return cls(
            active=True, user_id=caller.user_id, username=caller.username, tenant=caller.tenant,
            permissions=list(caller.permissions), expires_at=format_time(ends),
        )  # fmt: skip


class ProfileOut(Answer):
    """The caller as a user of the platform."""

    id: str
    username: str
    tenant: str
    permissions: list[str]
    created_at: str

    @classmethod
    def of(cls, profile: Mapping[str, Any]) -> ProfileOut:
        """Return the answer for a user."""
        return cls(**profile)
