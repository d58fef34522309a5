"""One way through a platform, each step taken once and kept for all tests that look at it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from e2e.homes.home import Answer, Home

ENDED = {"succeeded", "partial", "failed", "cancelled"}
LONGEST_SECONDS = 120


@dataclass
class Journey:
    """Steps of the admin against the demo cluster that answers at `cluster_url` to `cluster_token`.

    `mark` stands in every name, so that a stack that lasts can be gone through again.
    """

    home: Home
    cluster_url: str
    cluster_token: str
    mark: str = field(default_factory=lambda: secrets.token_hex(3))

    @cached_property
    def token(self) -> str:
        return self.home.login("admin")

    @cached_property
    def viewer(self) -> str:
        """A token of somebody who may read clusters and nothing else."""
        self.home.add_user(self.viewer_name, "clusters:read")
        return self.home.login(self.viewer_name)

    @property
    def viewer_name(self) -> str:
        return f"viewer-{self.mark}"

    @cached_property
    def registration(self) -> dict[str, Any]:
        return {
            "name": f"demo-{self.mark}", "server": f"{self.cluster_url}/kubernetes", "token": self.cluster_token, "region": "eu-west-1",
            "metrics": {"kind": "prometheus", "url": f"{self.cluster_url}/prometheus"},
        }  # fmt: skip

    @cached_property
    def registered(self) -> Answer:
        return self.register()

    def register(self) -> Answer:
        """Register the cluster, with the same key whenever it is done."""
        return self.post("/clusters", self.registration, **{"Idempotency-Key": f"registration-{self.mark}"})

    @cached_property
    def cluster_id(self) -> str:
        return str(self.registered.expect(201)["id"])

    @cached_property
    def collection(self) -> Mapping[str, Any]:
        return self.ended(self.post("/metrics/collect", {"cluster_id": self.cluster_id}))

    @cached_property
    def analysis(self) -> Mapping[str, Any]:
        assert self.collection["status"] == "succeeded", self.collection
        return self.ended(self.post("/optimization/analyze", {"cluster_id": self.cluster_id}))

    @cached_property
    def recommendations(self) -> list[dict[str, Any]]:
        assert self.analysis["status"] == "succeeded", self.analysis
        return list(self.items(f"/optimization/recommendations/{self.cluster_id}", limit=7))

    def get(self, path: str) -> Answer:
        return self.home.request("GET", path, token=self.token)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.home.request("POST", path, body, token=self.token, **headers)

    def items(self, path: str, *, limit: int) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, a page at a time."""
        page = self.get(f"{path}?limit={limit}").expect(200)
        while True:
            assert len(page["items"]) <= limit
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            page = self.get(f"{path}?limit={limit}&cursor={page['next_cursor']}").expect(200)

    def ended(self, started: Answer) -> Mapping[str, Any]:
        """Return work that was accepted once it has ended, read where `Location` says."""
        work, location, deadline = started.expect(202), started.headers["location"], time.monotonic() + LONGEST_SECONDS
        while work["status"] not in ENDED:
            assert time.monotonic() < deadline, work
            time.sleep(0.2)
            work = self.home.follow(location, token=self.token).expect(200)
        return dict(work)
