"""A running platform, from outside: its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Platform(Protocol):
    """One platform, as one of its users."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return what a path below `/api/v1` answers.

        UnauthenticatedError, ForbiddenError, NotFoundError, ConflictError and InvalidError as the platform says; UnavailableError where it does not
        answer after retries, or not as it does.
        """
        ...

    def post(self, path: str, body: Mapping[str, Any], *, repeatable_as: str = "") -> dict[str, Any]:
        """Return what it answers to a POST; errors as `get`. `repeatable_as`: an idempotency key, without which it is not sent again."""
        ...
