"""What it saves that a process keeps what it looked up: each kind asked for with nothing kept, and with all of it kept. Prints JSON.

Medians of wall time, on SQLite and a key file: python benchmarks/caches.py [--rules 100] [--shards 16] [--repeat 20]. On AWS a miss also asks KMS
(credentials), and reads 100 records instead of one (rules): both take longer there than anything here.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from upid.bootstrap import Services, build_services
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.identity import Caller
from upid.domain.lifetimes import Lifetimes
from upid.runtime.gateway import Gateway
from upid.runtime.proxy_event import HttpRequest
from upid.runtime.template import Template
from upid.services.analytic_requests import ForecastAsked
from upid.services.clusters import Registration
from upid.services.rules.active import RuleSets
from upid.services.rules.catalogue import built_ins
from upid.services.series import SeriesInput
from upid.settings import Settings

NOTHING = Lifetimes(0, 0, 0, 0)
BEFORE_SECONDS = 3600.0  # rules that changed a moment ago are not kept: these changed an hour ago


class Earlier:
    """A clock that is an hour late."""

    def now(self) -> float:
        """Return the time of an hour ago."""
        return time.time() - BEFORE_SECONDS


def main() -> None:
    """Measure each kind with and without what is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upid-bench-") as folder:
        home = Path(folder)
        made = prepared(home, asked.rules)
        found = {
            kept: figures(opened(home, lives), made, asked.shards, asked.repeat)
            for kept, lives in (("nothing_kept", NOTHING), ("kept", Lifetimes()))
        }
    names = found["kept"]
    told = {name: {kept: round(times[name], 7) for kept, times in found.items()} | {"ratio": round(found["nothing_kept"][name] / names[name], 1)} for name in names}  # fmt: skip
    print(json.dumps({"rules": asked.rules, "shards": asked.shards, "seconds": told}, indent=2))


def prepared(home: Path, rules: int) -> tuple[Caller, str, str]:
    """Make a home with a user, a cluster and rules, and return the caller, his token and the cluster's id."""
    services = Services(Settings(home))
    services.clock = Earlier()
    services.identity.ensure_admin("a password of this benchmark")
    caller = services.identity.token_for("admin").caller
    registration = Registration(
        "one", ClusterAccess(server="https://127.0.0.1:1", token="t" * 1000), MetricsAccess(url="http://127.0.0.1:1")
    )
    cluster_id = services.clusters.register(caller, registration)["id"]
    drafts = [rule.draft for rule in built_ins().values()]
    for number in range(rules):
        services.rules.create(caller, replace(drafts[number % len(drafts)], name=f"rule {number}"))
    return caller, Services(Settings(home)).identity.token_for("admin").access_token, str(cluster_id)


def figures(services: Services, made: tuple[Caller, str, str], shards: int, repeat: int) -> dict[str, float]:
    """Return medians by what was done. [s]"""
    caller, token, cluster_id = made
    rules, analyses = RuleSets(services.rule_store, services.blobs), iter(range(10**6))
    values = [2.0 + (step % 48) / 24 + (step * 7919 % 101) / 500 for step in range(336)]
    series = [SeriesInput("requests", "#/series/0", values, step_seconds=1800.0)]
    how = ForecastAsked(48, store=False)
    gateway = Gateway(Template.load())
    request = HttpRequest("GET", f"/api/v1/clusters/{cluster_id}", headers=(("authorization", f"Bearer {token}"),), time=time.time())

    def rules_of_an_analysis() -> None:
        analysis_id = f"an_{id(services)}_{next(analyses)}"
        rules.keep(caller.tenant, analysis_id, cluster_id)
        for _ in range(shards):
            rules.of(caller.tenant, analysis_id)

    return {
        "caller_of_a_token": median(lambda: services.identity.authenticate(token), repeat * 20),
        "authorised_request": median(lambda: gateway.answer(request), repeat * 20),
        "credentials_of_a_cluster": median(
            lambda: services.cluster_records.access(caller.tenant, services.cluster_records.get(caller.tenant, cluster_id).body),
            repeat * 20,
        ),
        "rules_of_an_analysis": median(rules_of_an_analysis, repeat),
        "forecast_of_a_week": median(lambda: services.forecasting.predict(caller.tenant, series, how), min(repeat, 3)),
    }


def opened(home: Path, lifetimes: Lifetimes) -> Services:
    """Return the services of this process anew, as its environment has them: the gateway's handlers use the same ones."""
    os.environ["UPID_HOME"] = str(home)
    os.environ.update({f"UPID_{name.upper()}_SECONDS": str(seconds) for name, seconds in asdict(lifetimes).items()})
    build_services.cache_clear()
    return build_services()


def median(work: Callable[[], Any], repeat: int) -> float:
    """Return the median wall time of some runs behind a first one. [s]"""
    work()
    found = []
    for _ in range(repeat):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


if __name__ == "__main__":
    main()
