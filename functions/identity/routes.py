"""Routes of authentication."""

from __future__ import annotations

from functions.identity.schemas import LoginIn, ProfileOut, TokenIn, TokenOut, TokenStateOut
from upid.domain.errors import NotFoundError, UnauthenticatedError
from upid.http.api import Router
from upid.http.params import ClientAddress, CurrentCaller, Injected
from upid.services.login_limits import TooManyLoginsError

router = Router("/auth", tag="Authentication")


@router.post("/login", public=True, errors=(UnauthenticatedError, TooManyLoginsError))
def login(body: LoginIn, services: Injected, address: ClientAddress) -> TokenOut:
    """Exchange a user name and a password for an access token. After five failures each further one has to wait, longer every time."""
    return TokenOut.of(services.identity.login(body.username, body.password.get_secret_value(), address=address))


@router.post("/validate", permission="self:read")
def validate_token(body: TokenIn, services: Injected) -> TokenStateOut:
    """Tell whether a token is valid now, and whose it is; of one that is not valid nothing is told."""
    return TokenStateOut.of(services.identity.introspect(body.token))


@router.get("/profile", permission="self:read", errors=(NotFoundError,))
def get_profile(services: Injected, caller: CurrentCaller) -> ProfileOut:
    """Return the caller's own user, with the permissions that it holds."""
    return ProfileOut.of(services.identity.profile(caller))
