"""What rules cost: a hundred of them over the shards of a cluster, and the share of an analysis' shards that the built-in ones take. Prints JSON.

Processor time of one core, medians: python benchmarks/rules.py [--containers 10000] [--rules 100] [--repeat 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from upid.bootstrap import Services
from upid.cli.benching.data import make
from upid.cli.benching.identity import CLUSTER, TENANT
from upid.cli.benching.usage import Size
from upid.engine.rightsizing.options import Options
from upid.engine.rules.expressions import fires
from upid.services.assessing import Assessor, Loaded, Scope
from upid.services.features import shard_features
from upid.services.rules.active import ActiveRule, built_in_rules
from upid.services.rules.ruling import ruled
from upid.settings import Settings

ALL = {"namespaces": [], "workloads": [], "source": "profiles"}


def main() -> None:
    """Make a cluster, and measure on its shards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--containers", type=int, default=10_000)
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upid-bench-") as folder:
        services = Services(Settings(home=Path(folder)))
        make(services, Size(asked.containers, 7, 300), history=False)
        body = services.cluster_records.get(TENANT, CLUSTER).body
        scopes = [Scope(TENANT, CLUSTER, shard, body["history_seconds"]) for shard in range(body["shards"])]
        told = figures(services.analyzing.assessor, scopes, asked.rules, asked.repeat)
    print(json.dumps({"containers": asked.containers, "rules": asked.rules, **told}, indent=2))


def figures(assessor: Assessor, scopes: Sequence[Scope], count: int, repeat: int) -> dict[str, Any]:
    """Return seconds by what was done to all shards, and what the built-in rules add to loading and sizing."""
    own = built_in_rules()
    many = [replace(own[i % len(own)], id=f"rule-{i:03d}") for i in range(count)]
    loaded = [assessor.load(scope, ALL) for scope in scopes]
    sized = [assessor.assess(each, Options()) for each in loaded]
    shards = [shard_features(i, each, table, assessor.prices) for i, (each, table) in enumerate(zip(loaded, sized, strict=True))]

    def with_rules(each: Loaded, rules: Sequence[ActiveRule]) -> None:
        ruled(shard_features(0, each, assessor.assess(each, Options()), assessor.prices), rules, Options())

    seconds = {
        "conditions": median(lambda: [fires(rule.node, shard.features) for shard in shards for rule in many], repeat),
        "conditions_effects_and_verdicts": median(lambda: [ruled(shard, many, Options()) for shard in shards], repeat),
        "load_and_size": median(lambda: [assessor.assess(assessor.load(scope, ALL), Options()) for scope in scopes], repeat),
        "load_size_and_built_in_rules": median(lambda: [with_rules(assessor.load(scope, ALL), own) for scope in scopes], repeat),
    }
    ratio = seconds["load_size_and_built_in_rules"] / seconds["load_and_size"]
    return {"cpu_seconds": {name: round(value, 4) for name, value in seconds.items()}, "ratio_with_built_in_rules": round(ratio, 2)}


def median(work: Callable[[], Any], repeat: int) -> float:
    """Return the median processor time of some runs, in seconds."""
    found = []
    for _ in range(repeat):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return statistics.median(found)


if __name__ == "__main__":
    main()
