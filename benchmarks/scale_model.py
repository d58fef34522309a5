"""What an analysis costs on AWS and how long it takes, for 10,000, 100,000 and 1,000,000 pods: docs/scale.md is made of it.

python benchmarks/scale_model.py [--json]

Seconds come from `upid bench analyze` (MEASURED), prices and limits from what AWS publishes, each with its source. A container is a (workload,
container): pods of one workload are pooled, so that a cluster has fewer containers than pods.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

from upid.runtime.template import Template
from upid.services.shards import MOST_SHARDS, shard_count


class Published(NamedTuple):
    """A figure of AWS for us-east-1: price in USD or limit, what of, the page where AWS says it, and the month of the text that it was compared with.

    A name behind the month: not AWS' own text, but somebody who quotes it there.
    """

    value: float
    unit: str
    source: str
    compared: str


STEP_FUNCTIONS: Final = "docs.aws.amazon.com/step-functions"
PRICES: Final = {
    "lambda_gb_second": Published(
        0.0000133334, "USD per GB-second, arm64, first 7.5 billion a month", "aws.amazon.com/lambda/pricing", "2024"
    ),
    "lambda_request": Published(0.20e-6, "USD per request", "aws.amazon.com/lambda/pricing", "2024"),
    "state_transition": Published(25e-6, "USD per transition, standard workflows", "aws.amazon.com/step-functions/pricing", "2026-03"),
    "dynamodb_write": Published(0.625e-6, "USD per write unit (1 KB), on demand", "aws.amazon.com/dynamodb/pricing/on-demand", "2025-07"),
    "dynamodb_read": Published(0.125e-6, "USD per read unit (4 KB), on demand", "aws.amazon.com/dynamodb/pricing/on-demand", "2025-07"),
    "s3_put": Published(5e-6, "USD per PUT or LIST", "aws.amazon.com/s3/pricing", "2026-11 (devnotes.tech)"),
    "s3_get": Published(0.4e-6, "USD per GET", "aws.amazon.com/s3/pricing", "2026-11 (devnotes.tech)"),
    "s3_gb_month": Published(0.023, "USD per GB and month, first 50 TB", "aws.amazon.com/s3/pricing", "2026-11 (devnotes.tech)"),
    "kms_request": Published(3e-6, "USD per request", "aws.amazon.com/kms/pricing", "2026-06"),
    "kms_key_month": Published(1.0, "USD per key and month", "aws.amazon.com/kms/pricing", "2026-06"),
    "alarm_month": Published(0.10, "USD per alarm and month", "aws.amazon.com/cloudwatch/pricing", "2026-11 (c3x.dev)"),
    "api_request": Published(
        3.5e-6, "USD per request, REST API", "docs.aws.amazon.com/whitepapers, API Gateway private APIs, cost optimization", "2026-11"
    ),
}
LIMITS: Final = {
    "map_concurrency": Published(40, "iterations of an inline Map at a time", f"{STEP_FUNCTIONS}, Map processing modes", "2026-11"),
    "map_apart": Published(10_000, "child executions of a distributed Map at a time", f"{STEP_FUNCTIONS}, Map processing modes", "2026-11"),
    "history_events": Published(25_000, "events in an execution's history", f"{STEP_FUNCTIONS}, quotas", "2026-11"),
    "state_bytes": Published(262_144, "bytes that a state carries", f"{STEP_FUNCTIONS}, quotas", "2026-11"),
    "lambda_concurrency": Published(1_000, "executions at a time, new accounts fewer", "docs.aws.amazon.com/lambda, quotas", "2026-11"),
    "lambda_seconds": Published(900, "seconds of one invocation", "docs.aws.amazon.com/lambda, quotas", "2026-11"),
    "lambda_gb": Published(10, "GB of memory of a function", "docs.aws.amazon.com/lambda, quotas", "2026-11"),
    "partition_writes": Published(
        1_000, "write units a second of one DynamoDB partition", "docs.aws.amazon.com/amazondynamodb, quotas", "2026-11"
    ),
    "s3_prefix_gets": Published(5_500, "GETs a second of one S3 prefix", "docs.aws.amazon.com/AmazonS3, performance", "2026-11"),
}
PODS: Final = (10_000, 100_000, 1_000_000)
PODS_PER_CONTAINER: Final = 3.0  # pods of a workload that share one row; a sidecar adds rows, replicas do not


@dataclass(frozen=True, slots=True)
class Measured:
    """`upid bench analyze --containers 10000`, two workers of one vCPU each, November 2026: seconds of processor for that many containers."""

    containers: int = 10_000
    load: float = 0.31
    analyze: float = 0.191
    persist: float = 0.061
    profile_bytes: int = 8 * 1024  # of a container, the most that the format allows
    recommendation_bytes: int = 600  # of a container, in the table of a shard


@dataclass(frozen=True, slots=True)
class Lambda:
    """How the analysis' functions are set up (template.yaml) and what a start costs: init as measured by benchmarks/lambda_cold.py, doubled."""

    shard_gb: float = 2.0
    edge_gb: float = 0.5
    cold_seconds: float = 2.0
    edge_seconds: float = 0.5
    vcpu_per_gb: float = 1 / 1.769
    round_trip_seconds: float = 0.03  # S3 and DynamoDB, each request
    apart_seconds: float = 1.0  # until a child execution of a distributed Map runs: taken, not measured
    cause_bytes: int = 3_000  # of a failed shard: Lambda's message and stack, as a state carries it


@dataclass(frozen=True, slots=True)
class Run:
    """One analysis: sizes, requests, money, time."""

    pods: int
    containers: int
    shards: int
    containers_per_shard: int
    shard_seconds: float
    wall_seconds: float
    lambda_gb_seconds: float
    transitions: int
    dynamodb_writes: int
    dynamodb_reads: int
    s3_puts: int
    s3_gets: int
    usd: float
    usd_per_10000_pods: float
    first_limit: str


def run(pods: int, measured: Measured | None = None, setup: Lambda | None = None) -> Run:
    """Return what an analysis of this many pods in one cluster takes."""
    measured, setup = measured or Measured(), setup or Lambda()
    containers = round(pods / PODS_PER_CONTAINER)
    shards = shard_count(containers)
    each = math.ceil(containers / shards)
    processor = min(1.0, setup.shard_gb * setup.vcpu_per_gb)  # our work is one thread: more than a vCPU is no faster
    work = (measured.load + measured.analyze + measured.persist) * each / measured.containers / processor
    shard_seconds = setup.cold_seconds + work + 6 * setup.round_trip_seconds
    apart = shards > LIMITS["map_concurrency"].value
    puts, gets, writes, reads = 2 * shards, 4 * shards, 8 + 2 * shards, 10 + 4 * shards
    # Start, plan, choice, map, summary, end; each shard is entered and left, and apart it is started and ended too.
    transitions = 6 + (4 if apart else 2) * shards
    gb_seconds = shards * shard_seconds * setup.shard_gb + 2 * setup.edge_seconds * setup.edge_gb
    money = {
        "lambda_gb_second": gb_seconds, "lambda_request": shards + 2, "state_transition": transitions, "dynamodb_write": writes,
        "dynamodb_read": reads, "s3_put": puts, "s3_get": gets, "kms_request": 4,
    }  # fmt: skip
    usd = sum(PRICES[name].value * amount for name, amount in money.items())
    wall = apart * setup.apart_seconds + shard_seconds + 2 * (setup.edge_seconds + setup.cold_seconds)
    return Run(
        pods, containers, shards, each, round(shard_seconds, 2), round(wall, 1), round(gb_seconds, 1), transitions, writes, reads, puts, gets,
        round(usd, 5), round(usd * 10_000 / pods, 5), _nearest(used_of(shards, each, shard_seconds, measured, setup)),
    )  # fmt: skip


def used_of(shards: int, each: int, shard_seconds: float, measured: Measured, setup: Lambda) -> dict[str, float]:
    """Return the share of each limit that an analysis uses. The inline Map is none: where it would be met, shards run apart."""
    memory_gb = 0.2 + 4 * each * measured.profile_bytes / 1e9  # unpacked arrays and what the rule makes of them, beside the packed ones
    apart = shards > LIMITS["map_concurrency"].value
    return {
        "data of a state, if every shard fails": shards * setup.cause_bytes / LIMITS["state_bytes"].value,
        "memory of a shard's function": memory_gb / setup.shard_gb,
        "time of an invocation": shard_seconds / LIMITS["lambda_seconds"].value,
        "events of an execution": (10 + (3 if apart else 8) * shards) / LIMITS["history_events"].value,
        "executions of the distributed Map": apart * shards / LIMITS["map_apart"].value,
        "Lambda concurrency": shards / LIMITS["lambda_concurrency"].value,
    }


def _nearest(used: dict[str, float]) -> str:
    name = max(used, key=lambda each: used[each])
    return f"{name}: {used[name]:.0%}"


def first_met(measured: Measured | None = None, setup: Lambda | None = None) -> tuple[str, int]:
    """Return the limit that a growing cluster meets first, and at how many pods, to a tenth of them."""
    measured, setup = measured or Measured(), setup or Lambda()
    pods = PODS[0]
    while True:
        found = run(pods, measured, setup)
        used = used_of(found.shards, found.containers_per_shard, found.shard_seconds, measured, setup)
        met = [name for name, share in used.items() if share >= 1]
        if met:
            return met[0], pods
        pods = math.ceil(pods * 1.1)


def idle_usd_per_month(alarms: int | None = None) -> dict[str, float]:
    """Return what a stack costs in a month in which nobody uses it: the schedules run all the same. `alarms`: by default the template's."""
    resources = Template.load().document["Resources"].values()
    alarms = sum(resource["Type"] == "AWS::CloudWatch::Alarm" for resource in resources) if alarms is None else alarms
    minutes = 30 * 24 * 60
    calls = minutes + minutes / 5  # the outbox each minute, what is due each five
    return {
        "key": PRICES["kms_key_month"].value,
        "alarms": round(alarms * PRICES["alarm_month"].value, 2),
        "schedules (Lambda)": round(calls * (PRICES["lambda_request"].value + 0.25 * 0.1 * PRICES["lambda_gb_second"].value), 2),
        "schedules (DynamoDB)": round(calls * 2 * PRICES["dynamodb_read"].value, 2),
        "schedules (KMS, a tenth of the calls)": round(calls * 0.1 * PRICES["kms_request"].value, 2),
    }


def markdown() -> str:
    """Return the tables of docs/scale.md."""
    runs = [run(pods) for pods in PODS]
    rows = [(name, *(f"{value:,}" if isinstance(value, (int, float)) else value for value in column)) for name, *column in _columns(runs)]
    idle = idle_usd_per_month()
    limit, met_at = first_met()
    parts = [
        _table(("of one analysis", *(f"{pods:,} pods" for pods in PODS)), rows),
        f"As a cluster grows, the first limit that is met is: {limit}, at {met_at:,} pods.",
        _table(
            ("idle, a month", "USD"), [*((name, f"{usd:.2f}") for name, usd in idle.items()), ("together", f"{sum(idle.values()):.2f}")]
        ),
        _table(
            ("price or limit", "value", "of", "source", "compared"), [(n, f"{p.value:.10g}", *p[1:]) for n, p in (PRICES | LIMITS).items()]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _columns(runs: list[Run]) -> list[tuple[object, ...]]:
    fields = [name for name in asdict(runs[0]) if name != "pods"]
    return [(name.replace("_", " "), *(getattr(each, name) for each in runs)) for name in fields]


def _table(head: tuple[object, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def main() -> None:
    """Print the tables, or the runs as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    name, pods = first_met()
    document = {
        "first_met": {"limit": name, "pods": pods},
        "analyses": [asdict(run(pods)) for pods in PODS],
        "idle_usd_per_month": idle_usd_per_month(),
        "most_shards": MOST_SHARDS,
    }
    print(json.dumps(document, indent=2) if parser.parse_args().json else markdown(), end="")


if __name__ == "__main__":
    main()
