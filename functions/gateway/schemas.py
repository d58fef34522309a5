"""What the gateway group takes and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from upid.domain.times import format_time
from upid.http.api import PREFIX, Endpoint
from upid.http.schemas import Answer
from upid.services.caches import Counts


class HealthOut(Answer):
    """Whether the platform can serve."""

    status: Literal["ok"]
    version: str
    time: str


class CacheOut(Answer):
    """One kind of what a process keeps for a while."""

    name: str = Field(description="What is kept.", examples=["user_sessions"])
    lifetime_seconds: int = Field(description="How long at most. [s]")
    entries: int
    size_bytes: int = Field(description="What they take in memory, about. [bytes]")
    hits: int = Field(description="How often something need not be made again, since the process began.")
    misses: int = Field(description="How often it had to be made.")
    evictions: int = Field(description="How many had to make room for others.")


class MetricsOut(Answer):
    """What the process that answers keeps."""

    time: str
    caches: list[CacheOut] = Field(description="Those that were asked for anything yet.")

    @classmethod
    def of(cls, now: float, caches: Sequence[Counts]) -> MetricsOut:
        """Return the answer for what each cache did."""
        return cls(time=format_time(now), caches=[CacheOut(**counts._asdict()) for counts in caches])


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
