"""A real Prometheus behind an ingress, killed in the middle of a scan and started again: the scan ends with what it would have found."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
from e2e import known_truth
from outside.real_prometheus import Prometheus, is_installed, prometheus_process
from outside.serving import Reply, Request, serving

from upid.cli.main import main

pytestmark = [pytest.mark.prometheus, pytest.mark.skipif(not is_installed(), reason="Prometheus is not installed")]


@dataclass
class Ingress:
    """Hands requests on, says 502 while nobody answers, and kills the server at one of its queries. `failed`: the answers that were none."""

    server: Prometheus
    kill_at: int = 0
    queries: int = 0
    failed: list[int] = field(default_factory=list)
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def answer(self, request: Request) -> Reply:
        self.queries += request.path.endswith("query_range")
        if self.kill_at and self.queries == self.kill_at:
            self.kill_at = 0
            self.server.kill()
            self.server.start()
        elif len(self.failed) == 2:  # as long as a start may take here: how patient the scan is, is not what is tested
            self.server.await_ready()
        reply = self._handed_on(request)
        if reply.status != 200:
            self.failed.append(reply.status)
        return reply

    def _handed_on(self, request: Request) -> Reply:
        method = "POST" if request.body else "GET"
        headers = {"Content-Type": request.headers.get("content-type", "")}
        fields = {} if request.body else {"fields": [(name, value) for name, values in request.params.items() for value in values]}
        try:
            answer = self.pool.request(method, self.server.url + request.path, body=request.body or None, headers=headers, **fields)
        except urllib3.exceptions.HTTPError:
            return Reply(b"<html>502 Bad Gateway</html>", 502, {"Content-Type": "text/html"})
        return Reply(answer.data, answer.status)


def scan(config: Path, url: str, capture: pytest.CaptureFixture[str]) -> dict[str, Any]:
    arguments = [
        "--kubeconfig",
        str(config),
        "--prometheus-url",
        url,
        "--at",
        str(known_truth.END + 17),
        "--history",
        "1d",
        "--output",
        "json",
    ]
    status = main(["scan", *arguments])
    told = capture.readouterr()
    assert status == 0, told.err
    found: dict[str, Any] = json.loads(told.out)
    return found


def test_a_scan_outlives_a_restart_of_its_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    some = known_truth.apps()
    listed = known_truth.cluster(some)
    config = tmp_path / "kubeconfig"
    with serving(listed.answer) as api, prometheus_process(tmp_path, known_truth.write(some)) as server:
        config.write_text(listed.kubeconfig(api))
        calm, stormy = Ingress(server), Ingress(server, kill_at=2)
        with serving(calm.answer) as url:
            expected = scan(config, url, capsys)
        with serving(stormy.answer) as url:
            found = scan(config, url, capsys)

    assert (calm.failed, len(stormy.failed) >= 1) == ([], True)
    assert set(stormy.failed) <= {502, 503}
    assert found == expected
    assert len(found["recommendations"]) > 3
