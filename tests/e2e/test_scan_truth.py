"""`upid scan`, a process, against a real Prometheus whose truth is known."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from e2e import known_truth
from outside.real_prometheus import is_installed, prometheus
from outside.serving import serving

pytestmark = [pytest.mark.prometheus, pytest.mark.skipif(not is_installed(), reason="Prometheus is not installed")]

APPS = known_truth.apps()
BUSY = [app for app in APPS if app.pods]
POINTS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}


class Scanned(NamedTuple):
    run: Callable[..., subprocess.CompletedProcess[bytes]]
    document: dict[str, Any]
    text: bytes
    prometheus_url: str

    def entry(self, app: known_truth.App) -> dict[str, Any]:
        """The one entry of a Deployment."""
        key = (app.namespace, "Deployment", app.name, "app")
        (found,) = [e for e in self.document["recommendations"] if (e["namespace"], e["kind"], e["name"], e["container"]) == key]
        return dict(found)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanned]:
    place: Path = tmp_path_factory.mktemp("scan")
    listed = known_truth.cluster(APPS)
    with serving(listed.answer) as api, prometheus(place, known_truth.write(APPS)) as url:
        config = place / "kubeconfig"
        config.write_text(listed.kubeconfig(api))

        def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
            command = [sys.executable, "-m", "upid.cli.main", "scan", "--kubeconfig", str(config), "--prometheus-url", url]
            return subprocess.run(
                [*command, "--at", str(known_truth.END + 17), "--history", "1d", *arguments], capture_output=True, check=False, timeout=60
            )

        first = run("--output", "json")
        assert (first.returncode, first.stderr) == (0, b"")
        yield Scanned(run, json.loads(first.stdout), first.stdout, url)


@pytest.mark.parametrize("family", ["cpu_cores", "memory_bytes"])
@pytest.mark.parametrize("app", BUSY, ids=lambda app: f"{app.namespace}/{app.name}")
def test_evidence_is_the_truth_of_all_pods_that_ran(scanned: Scanned, app: known_truth.App, family: str) -> None:
    truth = app.truth(family)

    evidence = scanned.entry(app)["evidence"]

    for point, q in POINTS.items():
        assert evidence[family][point] == pytest.approx(np.quantile(truth, q), rel=1e-6), point
    assert evidence[family]["mean"] == pytest.approx(truth.mean(), rel=1e-6)
    assert (evidence["pods"], evidence[family.replace("_cores", "_samples").replace("_bytes", "_samples")]) == (len(app.pods), len(truth))


def test_every_container_has_one_entry_in_order(scanned: Scanned) -> None:
    keys = [(e["namespace"], e["kind"], e["name"]) for e in scanned.document["recommendations"]]

    assert keys == sorted((app.namespace, "Deployment", app.name) for app in APPS)


def test_a_workload_without_samples_is_withheld_with_empty_figures(scanned: Scanned) -> None:
    entry = scanned.entry(APPS[-1])

    assert entry["status"] == "withheld"
    assert entry["withheld_code"]
    assert set(entry["evidence"]["cpu_cores"].values()) == {None}


def test_kills_restarts_and_throttling_are_evidence(scanned: Scanned) -> None:
    # The pod ran three times, each but the first after an OOM kill; a quarter of all periods was throttled.
    evidence = scanned.entry(APPS[3])["evidence"]

    assert (evidence["oom_kills"], evidence["restarts"]) == (2, 2)
    assert evidence["throttled_fraction"] == pytest.approx(0.25, abs=0.01)


def test_memory_is_sized_by_what_was_resident_where_that_is_told(scanned: Scanned) -> None:
    app = BUSY[0]
    told, untold = scanned.entry(app), scanned.entry(BUSY[2])

    (cache,) = [reason["values"] for reason in told["reasons"] if reason["code"] == "memory_page_cache"]
    peak = app.truth("memory_bytes").max()
    assert cache["memory_peak_bytes"] == pytest.approx(peak)
    assert cache["resident_bytes"] == pytest.approx(peak * known_truth.RESIDENT_SHARE)
    assert peak * known_truth.RESIDENT_SHARE < told["recommended"]["memory_request_bytes"] < peak
    assert "memory_cache_unknown" in {reason["code"] for reason in untold["reasons"]}
    assert untold["recommended"]["memory_request_bytes"] > BUSY[2].truth("memory_bytes").max()


def test_the_window_ends_at_the_step_before_the_moment(scanned: Scanned) -> None:
    assert scanned.document["window"] == {"start": "2023-11-14T00:00:00Z", "end": "2023-11-15T00:00:00Z", "step_seconds": 300}
    assert scanned.document["generated_at"] == "2023-11-15T00:00:00Z"
    assert scanned.document["cluster"] == "test"


def test_the_same_scan_gives_the_same_bytes(scanned: Scanned) -> None:
    assert scanned.run("--output", "json").stdout == scanned.text


def test_one_namespace_gives_its_part_of_the_whole(scanned: Scanned, tmp_path: Path) -> None:
    scanned.run("--namespace", "shop", "--output", "json", "--file", str(tmp_path / "shop.json"))

    part = json.loads((tmp_path / "shop.json").read_bytes())["recommendations"]
    whole = [e for e in scanned.document["recommendations"] if e["namespace"] == "shop"]
    # What is reckoned beside other rows may differ in its last digits; what was measured and what is to be done may not.
    for name in ("name", "status", "evidence", "recommended"):
        assert [e[name] for e in part] == [e[name] for e in whole]


def test_the_table_has_every_workload_and_no_control_characters(scanned: Scanned) -> None:
    text = scanned.run().stdout.decode()

    assert all(app.name in text for app in APPS)
    assert "\x1b" not in text


def requests(url: str) -> float:
    """How many range queries a Prometheus has answered."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        lines = [line for line in answer.read().decode().splitlines() if 'handler="/api/v1/query_range"' in line]
    return sum(float(line.split()[-1]) for line in lines if line.startswith("prometheus_http_requests_total"))


def test_a_family_costs_at_most_two_queries(scanned: Scanned) -> None:
    before = requests(scanned.prometheus_url)

    scanned.run("--output", "json")

    # CPU, memory and resident memory one each, throttling two, OOM kills two: all three namespaces are one group.
    assert requests(scanned.prometheus_url) - before <= 7
