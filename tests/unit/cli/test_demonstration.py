from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from outside.serving import Reply, Request, serving

from upid.cli.demonstration.child import ClusterProcess
from upid.cli.demonstration.client import PlatformClient
from upid.cli.demonstration.tour import PlainStages, StoppedError, Tour
from upid.demo.state import DemoState, read_state, write_state
from upid.domain.errors import UnavailableError
from upid.runtime.signals import Ending


@dataclass
class Platform:
    """Answers by method-less path, one after the other, the last for ever; 401 to any token but the good one."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        if request.headers["authorization"] != "Bearer good":
            return Reply({"title": "Not authenticated"}, 401)
        waiting = self.replies[request.path.removeprefix("/api/v1")]
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def client(self, *tokens: str) -> PlatformClient:
        left = list(tokens or ("good",))
        return PlatformClient(self.url, lambda: self.logins.append(left[0]) or left.pop(0))  # type: ignore[func-returns-value] # append is for the record

    def tour(self, stopping: Ending | None = None) -> Tour:
        return Tour(self.client(), PlainStages(), stopping or Ending())


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()
    with serving(made.answer) as url:
        made.url = url
        yield made


def work(status: str, progress: float = 0.0, **more: Any) -> Reply:
    return Reply({"id": "x_1", "status": status, "progress": progress, "errors": [], "result": None, "summary": None} | more)


def test_an_expired_token_is_renewed_once(platform: Platform) -> None:
    platform.replies["/clusters"] = [Reply({"items": []})]
    client = platform.client("old", "good")

    assert client.get("/clusters") == {"items": []}
    assert platform.logins == ["old", "good"]
    client.close()


def test_items_of_all_pages_come_one_after_the_other(platform: Platform) -> None:
    platform.replies["/clusters"] = [
        Reply({"items": [{"n": 1}, {"n": 2}], "next_cursor": "c"}),
        Reply({"items": [{"n": 3}], "next_cursor": None}),
    ]
    client = platform.client()

    assert [item["n"] for item in client.items("/clusters", limit=2)] == [1, 2, 3]
    assert platform.asked[-1].param("cursor") == "c"
    client.close()


def test_a_problem_is_told_in_its_words(platform: Platform) -> None:
    platform.replies["/clusters"] = [Reply({"detail": "No.", "errors": [{"pointer": "#/name", "detail": "too long"}]}, 422)]
    client = platform.client()

    with pytest.raises(UnavailableError, match=r"POST /clusters answered 422: No\. #/name: too long"):
        client.post("/clusters", {})
    client.close()


def test_an_answer_that_is_no_json_is_told_by_its_status(platform: Platform) -> None:
    platform.replies["/clusters"] = [Reply(b"<html>", 502)]
    client = platform.client()

    with pytest.raises(UnavailableError, match="GET /clusters answered 502"):
        client.get("/clusters")
    client.close()


def test_a_platform_that_is_gone_is_told() -> None:
    client = PlatformClient("http://127.0.0.1:9", lambda: "t")

    with pytest.raises(UnavailableError, match=r"The platform at http://127\.0\.0\.1:9 does not answer"):
        client.get("/clusters")
    client.close()


@pytest.mark.parametrize(("server", "changed"), [("http://here/kubernetes", False), ("http://there/kubernetes", True)])
def test_a_cluster_that_is_known_is_told_where_it_is_only_when_it_moved(platform: Platform, server: str, changed: bool) -> None:
    known = {"id": "cl_1", "server": server, "metrics": {"url": server.replace("kubernetes", "prometheus")}}
    platform.replies = {"/clusters": [Reply({"items": [known], "next_cursor": None})], "/clusters/cl_1": [Reply(known)]}
    tour = platform.tour()

    assert tour.register("demo", "http://here", "t") == "cl_1"
    assert [request.path for request in platform.asked].count("/api/v1/clusters/cl_1") == changed
    tour.client.close()


def test_work_is_followed_to_its_end(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    result = {"samples": 1234567, "containers": 4, "workloads": 3}
    platform.replies = {
        "/metrics/collect": [work("queued")],
        "/metrics/collect/x_1": [work("running", 0.5), work("succeeded", 1.0, result=result)],
    }
    tour = platform.tour()

    tour.collect("cl_1")
    tour.client.close()

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Collecting usage ..."
    assert lines[1].startswith("  1,234,567 samples, 4 containers of 3 workloads in ")


def test_work_that_failed_is_an_error_with_its_reason(platform: Platform) -> None:
    errors = [{"code": "x", "detail": "the source is down", "subject": ""}]
    platform.replies = {"/optimization/analyze": [work("failed", errors=errors)]}
    tour = platform.tour()

    with pytest.raises(UnavailableError, match="x_1 failed: the source is down"):
        tour.analyze("cl_1")
    tour.client.close()


def test_who_wants_to_stop_does_not_wait_for_work(platform: Platform) -> None:
    stopping = Ending()
    stopping.ask()
    platform.replies = {"/optimization/analyze": [work("running")]}
    tour = platform.tour(stopping)

    with pytest.raises(StoppedError):
        tour.analyze("cl_1")
    tour.client.close()


def test_a_state_is_read_as_it_was_written_and_is_nobody_elses(tmp_path: Path) -> None:
    file, state = tmp_path / "demo.json", DemoState("secret", 3600, 80, pods=7)
    write_state(file, state)

    assert read_state(file) == state
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert "secret" not in repr(state)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"token": "t"}', b'{"token":"t","anchor":"soon","port":1,"seed":1,"pods":1}'])
def test_a_state_that_cannot_be_used_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "demo.json").write_bytes(content)

    assert read_state(tmp_path / "demo.json") is None
    assert read_state(tmp_path / "none") is None


def test_a_cluster_that_does_not_start_tells_why(tmp_path: Path) -> None:
    process = ClusterProcess(tmp_path / "none.json", Ending())

    with pytest.raises(UnavailableError, match=r"The demo cluster did not start: .*none\.json holds no demo cluster"):
        process.start()
    assert not process.running
    process.stop()
