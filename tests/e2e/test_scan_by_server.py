"""`upid scan --server` against a platform that runs, beside a scan of the same cluster without it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from outside.platform import Platform, platform, register

from upid.demo.server import PROMETHEUS, DemoCluster, DemoServer, Identity
from upid.domain.times import parse_time

HOURS = 36


class Both(NamedTuple):
    """A platform that has collected a cluster, and what both ways of scanning it say."""

    running: Platform
    by_server: dict[str, Any]
    by_itself: dict[str, Any]


def scan(*arguments: str, running: Platform | None = None) -> subprocess.CompletedProcess[bytes]:
    at = ["--server", running.url, "--token", running.token] if running else []
    return subprocess.run([sys.executable, "-m", "upid.cli.main", "scan", *at, *arguments], capture_output=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    home = tmp_path_factory.mktemp("server")
    anchor = int(time.time()) // 86400 * 86400 - 30 * 86400
    with DemoServer(DemoCluster(Identity("demo-token", anchor, pods=40))) as demo, platform(home / "data") as running:
        threading.Thread(target=demo.serve_forever, daemon=True).start()
        collection = running.call("POST", "/metrics/collect", {"cluster_id": register(running, demo), "history": f"{HOURS}h"})
        running.ended([collection["id"]], 120)
        by_server = scan("--output", "json", running=running)
        assert (by_server.returncode, by_server.stderr) == (0, b"")
        document = json.loads(by_server.stdout)
        (home / "kubeconfig").write_text(demo.kubeconfig())
        window = document["window"]
        history = parse_time(window["end"]) - parse_time(window["start"])
        by_itself = scan(
            "--kubeconfig", str(home / "kubeconfig"), "--prometheus-url", f"{demo.url}{PROMETHEUS}", "--at", window["end"],
            "--history", f"{history:.0f}s", "--step", f"{window['step_seconds']}s", "--output", "json",
        )  # fmt: skip
        assert (by_itself.returncode, by_itself.stderr) == (0, b"")
        yield Both(running, document, json.loads(by_itself.stdout))
        demo.shutdown()


def keyed(document: dict[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(e[name] for name in ("namespace", "kind", "name", "uid", "container")): e for e in document["recommendations"]}


def test_it_is_the_same_document(both: Both) -> None:
    mine, others = both.by_server, both.by_itself

    assert list(mine) == list(others)
    totals = {name: value for name, value in others["summary"].items() if name != "rules"}  # a platform tells of those where they are kept
    assert mine["summary"] == totals
    assert list(keyed(mine)) == list(keyed(others))
    assert {tuple(entry) for entry in mine["recommendations"]} == {tuple(entry) for entry in others["recommendations"]}


def test_evidence_and_recommendations_are_the_same(both: Both) -> None:
    mine, others = keyed(both.by_server), keyed(both.by_itself)

    for key, entry in mine.items():
        for name in ("status", "withheld_code", "current", "recommended"):
            assert entry[name] == others[key][name], (key, name)
        for metric in ("cpu_cores", "memory_bytes"):
            assert entry["evidence"][metric] == others[key]["evidence"][metric], key


def test_the_page_has_plots_of_the_stored_history(both: Both) -> None:
    page = scan("--output", "html", running=both.running)

    seen = sum(entry["evidence"]["samples"] > 0 for entry in both.by_server["recommendations"])
    assert page.returncode == 0
    assert page.stdout.decode().count('<svg class="plot"') >= seen


def test_a_cluster_is_named_and_one_that_is_not_there_refused(both: Both) -> None:
    assert scan("--context", "demo", "--namespace", "shop", "--output", "csv", running=both.running).returncode == 0

    gone = scan("--context", "nowhere", running=both.running)
    assert (gone.returncode, gone.stdout) == (1, b"")
    assert b"no cluster 'nowhere'" in gone.stderr


def test_all_clusters_are_one_document(both: Both) -> None:
    document = json.loads(scan("--all-contexts", "--output", "json", running=both.running).stdout)

    assert [part["cluster"] for part in document["clusters"]] == ["demo"]
    assert keyed(document["clusters"][0]).keys() == keyed(both.by_server).keys()


@pytest.mark.parametrize(
    ("token", "arguments", "status", "word"),
    [
        ("wrong", [], 1, b""),
        ("", [], 2, b"--token"),
        ("x", ["--history", "3d"], 2, b"--history"),
        ("x", ["-p", "http://x"], 2, b"--prometheus-url"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(both: Both, token: str, arguments: list[str], status: int, word: bytes) -> None:
    refused = scan("--server", both.running.url, "--token", token, *arguments)

    assert (refused.returncode, refused.stdout) == (status, b"")
    assert word in refused.stderr
    assert 1 <= len(refused.stderr.splitlines()) <= 6
