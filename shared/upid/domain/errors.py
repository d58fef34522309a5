"""Every expected error of the product, and its tree.

AppError
├── InvalidError            what was asked can never be right as it stands (422, exit 2)
│   └── InvalidRequestError   with `errors: [{"pointer", "detail"}]`
├── UnauthenticatedError    nobody is known by these credentials (401, exit 1)
├── ForbiddenError          the caller is known and may not (403, exit 1)
├── NotFoundError           no such thing for this tenant (404, exit 1)
├── ConflictError           the thing is not in a state that allows it (409, exit 1)
│   └── VersionConflictError  somebody else changed it in between (412, exit 1)
├── TooManyRequestsError    it was asked too often; `retry_after_seconds` tells when to ask again (429, exit 1)
└── UnavailableError        an outside system does not answer as it should (503, exit 1)
    └── RefusedError          it will not do this as it stands, however often it is asked (503, exit 1)

Knows nothing of HTTP: `upid.http.problems` maps kinds to statuses once, `upid.cli` to exit codes once.
"""

from __future__ import annotations

from typing import ClassVar


class AppError(Exception):
    """Base of every expected error; `members` reach the client as they are."""

    title: ClassVar[str] = "Error"

    def __init__(self, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class InvalidError(AppError):
    """What was asked can never be right as it stands."""

    title = "Invalid request"


class InvalidRequestError(InvalidError):
    """A request that does not match its schema: every fault with a JSON pointer."""

    title = "Invalid request"

    def __init__(self, errors: list[dict[str, str]], detail: str = "The request does not match its schema.") -> None:
        super().__init__(detail, errors=errors)


class UnauthenticatedError(AppError):
    """Nobody is known by these credentials."""

    title = "Not authenticated"


class ForbiddenError(AppError):
    """The caller is known and may not do this."""

    title = "Not allowed"


class NotFoundError(AppError):
    """There is no such thing, or not for this tenant."""

    title = "Not found"


class ConflictError(AppError):
    """The thing is not in a state that allows this."""

    title = "Conflict"


class VersionConflictError(ConflictError):
    """Somebody else changed the thing since it was read."""

    title = "Changed in between"


class TooManyRequestsError(AppError):
    """It was asked too often: `retry_after_seconds` tells when to ask again."""

    title = "Too many requests"


class UnavailableError(AppError):
    """An outside system does not answer as it should."""

    title = "Unavailable"


class RefusedError(UnavailableError):
    """An outside system will not do this as it stands, however often it is asked: something smaller or something else may do."""

    title = "Refused by another system"
