"""A small demo cluster with a fixed clock, built once per test run, and ways to ask it."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlencode

import orjson

from upid.demo.server import DemoCluster, Identity

ANCHOR = 1_790_000_400 // 3600 * 3600
NOW = float(ANCHOR + 1800)
DAY = 86400
TOKEN = "a-token"


@cache
def cluster(pods: int = 150) -> DemoCluster:
    return DemoCluster(Identity(TOKEN, ANCHOR, pods=pods), clock=lambda: NOW)


def kubernetes(path: str, token: str = TOKEN, of: DemoCluster | None = None, **query: Any) -> tuple[int, Any]:
    reply = (of or cluster()).answer(f"/kubernetes{path}?{urlencode(query)}", b"", f"Bearer {token}")
    return reply.status, orjson.loads(reply.body)


def prometheus(path: str, of: DemoCluster | None = None, **query: Any) -> tuple[int, Any]:
    reply = (of or cluster()).answer(f"/prometheus{path}", urlencode(query, doseq=True).encode(), "")
    return reply.status, orjson.loads(reply.body)


def vector(query: str, time: float = NOW, of: DemoCluster | None = None) -> dict[tuple[tuple[str, str], ...], float]:
    """Return the series of an instant query by their labels."""
    status, answer = prometheus("/api/v1/query", of, query=query, time=time)
    assert status == 200, answer
    return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in answer["data"]["result"]}


def matrix(
    query: str, start: float, end: float, step: float, of: DemoCluster | None = None
) -> list[tuple[dict[str, str], dict[int, float]]]:
    """Return the series of a range query: labels, and values by time."""
    status, answer = prometheus("/api/v1/query_range", of, query=query, start=start, end=end, step=step)
    assert status == 200, answer
    return [(one["metric"], {int(moment): float(value) for moment, value in one["values"]}) for one in answer["data"]["result"]]
