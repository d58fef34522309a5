"""What the gateway group takes and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from upid.http.api import PREFIX, Endpoint
from upid.http.schemas import Answer


class HealthOut(Answer):
    """Whether the platform can serve."""

    status: Literal["ok"]
    version: str
    time: str


class RouteOut(Answer):
    """One route of the API."""

    method: str
    path: str
    operation_id: str
    summary: str
    group: str = Field(description="The function that answers it.")
    permission: str | None = Field(description="What a caller needs; null = the route is open.")

    @classmethod
    def of(cls, found: tuple[str, Endpoint]) -> RouteOut:
        """Return the answer for an endpoint of a group."""
        group, endpoint = found
        path = (PREFIX + endpoint.rule).replace("<", "{").replace(">", "}")
        return cls(
            method=endpoint.method, path=path, operation_id=endpoint.operation_id, summary=endpoint.summary, group=group, permission=endpoint.permission
        )  # fmt: skip
