"""What the demo does with the platform, through its HTTP API alone: register, collect, analyze, read the recommendations."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from upid.cli.demonstration.client import PlatformClient
from upid.domain.errors import UnavailableError
from upid.domain.work import ENDED
from upid.runtime.signals import Ending

POLL_SECONDS: Final = 0.15
TELL_EVERY_SECONDS: Final = 10.0
REGION: Final = "eu-west-1"
MOST_BESIDE: Final = 20  # containers of workloads with other changes than requests


class StoppedError(Exception):
    """Somebody wants the demo to end."""


class Stages(Protocol):
    """Shows how far each stage is."""

    def begin(self, what: str) -> None:
        """Begin a stage."""
        ...

    def show(self, share: float) -> None:
        """Show how far the stage is, from 0 to 1."""
        ...

    def end(self, outcome: str) -> None:
        """End the stage and tell what came out."""
        ...

    def close(self) -> None:
        """Leave nothing on the screen that moves; without a stage nothing happens."""
        ...


@dataclass(frozen=True, slots=True)
class Tour:
    """One way through the platform. `stopping` ends it between two requests with StoppedError."""

    client: PlatformClient
    stages: Stages
    stopping: Ending

    def register(self, name: str, url: str, token: str) -> str:
        """Make the platform know the demo cluster at this URL and return its id; one of this name is told where it is now."""
        body = {
            "name": name, "server": f"{url}/kubernetes", "token": token, "region": REGION, "tags": {"origin": "upid demo"},
            "metrics": {"kind": "prometheus", "url": f"{url}/prometheus"},
        }  # fmt: skip
        found = next(iter(self.client.items("/clusters", name=name)), None)
        if found is None:
            return str(self.client.post("/clusters", body)["id"])
        if (found["server"], found["metrics"]["url"]) != (body["server"], f"{url}/prometheus"):
            self.client.put(f"/clusters/{found['id']}", body)
        return str(found["id"])

    def collect(self, cluster_id: str) -> None:
        """Collect what there is since the last time."""
        self.stages.begin("Collecting usage")
        work = self._done(self.client.post("/metrics/collect", {"cluster_id": cluster_id}), "/metrics/collect")
        result = work["result"] or {}
        samples = f"{result['samples']:,} samples" if result.get("samples") else "nothing new"
        self.stages.end(f"{samples}, {result.get('containers', 0):,} containers of {result.get('workloads', 0):,} workloads")

    def analyze(self, cluster_id: str) -> dict[str, Any]:
        """Analyze the cluster and return the totals."""
        self.stages.begin("Analyzing")
        work = self._done(self.client.post("/optimization/analyze", {"cluster_id": cluster_id}), "/optimization/analysis")
        summary: dict[str, Any] = work["summary"] or {}
        self.stages.end(f"{summary.get('recommended', 0):,} of {summary.get('containers', 0):,} containers need other values")
        return summary

    def recommendations(self, cluster_id: str, most: int) -> list[dict[str, Any]]:
        """Return the recommendations that save most, and those that need more, best first."""
        path = f"/optimization/recommendations/{cluster_id}"
        page = self.client.get(path, limit=most, status="recommended", sort="-savings")
        return list(page["items"])

    def beside(self, cluster_id: str) -> list[dict[str, Any]]:
        """Return recommendations of the workloads whose autoscaler or volumes need other values, as many as a page has of each."""
        path = f"/optimization/recommendations/{cluster_id}"
        return [
            item for what in ("scaling", "storage") for item in self.client.get(path, changes=what, sort="name", limit=MOST_BESIDE)["items"]
        ]

    def _done(self, work: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """Return the work once it has ended; UnavailableError where it failed."""
        while work["status"] not in ENDED:
            self.stages.show(work["progress"])
            if self.stopping.wait(POLL_SECONDS):
                raise StoppedError
            work = self.client.get(f"{path}/{work['id']}")
        self.stages.show(1.0)
        if work["status"] in {"failed", "cancelled"}:
            words = "; ".join(error["detail"] for error in work["errors"]) or "without a reason"
            raise UnavailableError(f"{work['id']} {work['status']}: {words}")
        return work


@dataclass(slots=True)
class PlainStages:
    """Lines, one when a stage begins and one when it ends: for pipes and logs."""

    _begun: float = 0.0
    _told: float = 0.0

    def begin(self, what: str) -> None:
        """Print what begins."""
        self._begun = self._told = time.monotonic()
        print(f"{what} ...", flush=True)

    def show(self, share: float) -> None:
        """Print how far it is, now and then."""
        if time.monotonic() - self._told >= TELL_EVERY_SECONDS:
            self._told = time.monotonic()
            print(f"  {share:.0%}", flush=True)

    def close(self) -> None:
        """Leave nothing unsaid."""
        sys.stdout.flush()

    def end(self, outcome: str) -> None:
        """Print what came out, and how long it took."""
        print(f"  {outcome} in {time.monotonic() - self._begun:.1f} s", flush=True)


@dataclass(slots=True)
class BarStages:
    """Progress bars on a terminal."""

    _bar: Any = None
    _task: Any = None
    _begun: float = 0.0
    _what: str = ""

    def begin(self, what: str) -> None:
        """Draw a bar."""
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<24}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        self._begun, self._what = time.monotonic(), what
        self._bar = Progress(*columns, transient=True)
        self._task = self._bar.add_task(what, total=None)
        self._bar.start()

    def show(self, share: float) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=share, total=1.0)

    def end(self, outcome: str) -> None:
        """Replace the bar by a line."""
        self.close()
        print(f"{self._what:<24} {outcome} in {time.monotonic() - self._begun:.1f} s", flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
