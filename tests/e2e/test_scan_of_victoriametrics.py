"""`upid scan` against a real VictoriaMetrics that holds what is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from e2e import known_truth
from outside.real_victoriametrics import NEEDED, is_installed, victoriametrics
from outside.serving import serving

from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.pricing.table import BundledPrices
from upid.adapters.prometheus.source import PrometheusSources
from upid.adapters.system.clock import SystemClock
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.engine.rightsizing.options import options_of
from upid.services.scan import ScanRequest, ScanService

pytestmark = pytest.mark.skipif(not is_installed(), reason=NEEDED)

APPS = known_truth.apps()


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    listed = known_truth.cluster(APPS)
    with serving(listed.answer) as api, victoriametrics(tmp_path_factory.mktemp("victoria"), known_truth.write(APPS)) as url:
        access = ClusterAccess(kubeconfig=listed.kubeconfig(api), trusted=True)
        request = ScanRequest(
            access, MetricsAccess(url, "victoriametrics"), options_of("balanced"), history_seconds=86400, at=float(known_truth.END)
        )
        result = ScanService(ApiServers(), PrometheusSources(), BundledPrices(), SystemClock()).scan(request)
    assert result.errors == ()
    return {(entry["namespace"], entry["name"]): entry for entry in result.document["recommendations"]}


@pytest.mark.parametrize("app", [app for app in APPS if app.pods], ids=lambda app: f"{app.namespace}/{app.name}")
def test_memory_is_the_truth_and_cpu_near_it(entries: dict[tuple[str, str], dict[str, Any]], app: known_truth.App) -> None:
    evidence = entries[app.namespace, app.name]["evidence"]

    memory, cpu = app.truth("memory_bytes"), app.truth("cpu_cores")
    assert evidence["pods"] == len(app.pods)
    for point, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)):
        assert evidence["memory_bytes"][point] == pytest.approx(np.quantile(memory, q), rel=1e-6), point
    # Its rate begins at the last scrape before the step: a fifth of a step's rise is of the step before, so single steps are off and their spread is less.
    assert evidence["cpu_cores"]["mean"] == pytest.approx(cpu.mean(), rel=0.01)
    assert evidence["cpu_cores"]["p95"] == pytest.approx(np.quantile(cpu, 0.95), rel=0.15)


def test_kills_and_restarts_are_found_too(entries: dict[tuple[str, str], dict[str, Any]]) -> None:
    evidence = entries["jobs", "leak"]["evidence"]

    assert (evidence["oom_kills"], evidence["restarts"]) == (2, 2)
