"""Every feature that a rule can read: name, type, unit, meaning. Counts are integers, all else that is measured a double; shares are of 1."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

Kind = Literal["bool", "int", "double", "string"]
Target = Literal["cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes"]
VetoOf = Literal["all", "cpu", "memory", "decreases", "cpu_decreases", "memory_decreases"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)  # what rules may change, requests before limits
FIGURES: Final = {
    "mean": "mean",
    "p50": "median",
    "p90": "90th percentile",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "max": "largest",
}


class Feature(NamedTuple):
    """A feature. `source`: `stored` (computed from what is collected) or `given` (only rows that are given with a test have it)."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    source: str = "stored"


def _usage(metric: str, unit: str, what: str) -> tuple[Feature, ...]:
    figures = tuple(
        Feature(f"{metric}.{name}", "double", unit, f"{words} of {what} over the samples of all pods") for name, words in FIGURES.items()
    )
    return (
        *figures,
        Feature(f"{metric}.request", "double", unit, "request; missing where none is set"),
        Feature(f"{metric}.limit", "double", unit, "limit; missing where none is set"),
        Feature(f"{metric}.samples", "int", "1", f"samples of {what}, summed over pods"),
        Feature(f"{metric}.variation", "double", "1", "standard deviation of the samples over their mean"),
        Feature(
            f"{metric}.growth_per_week",
            "double",
            "1",
            "growth in a week over the level, by the daily means of the last 28 days (Theil-Sen); 0 without a slope",
        ),
        Feature(
            f"{metric}.trend_weight", "double", "1", "how much of that to believe: 0 below 5 % significance, 1 above 1 % (Mann-Kendall)"
        ),
        Feature(f"{metric}.time_above_80", "double", "1", "share of time above 80 % of the request"),
        Feature(f"{metric}.time_near_limit", "double", "1", "share of time above 90 % of the limit"),
        Feature(f"{metric}.startup", "double", unit, "largest use within ten minutes of a pod's start"),
    )


FEATURES: Final[tuple[Feature, ...]] = (
    Feature("workload.namespace", "string", "", "namespace"),
    Feature("workload.kind", "string", "", "kind of the workload, such as Deployment"),
    Feature("workload.name", "string", "", "name of the workload"),
    Feature("container.name", "string", "", "name of the container"),
    Feature("container.role", "string", "", "main, sidecar or init"),
    Feature("container.image", "string", "", "image as the pod template names it"),
    Feature("qos.class", "string", "", "Guaranteed, Burstable or BestEffort, by this container alone"),
    *_usage("cpu", "cores", "CPU use"),
    *_usage("memory", "bytes", "the working set"),
    Feature(
        "memory.days_until_limit",
        "double",
        "d",
        "days until the growth of the daily peaks of the last 28 days reaches the limit; missing without limit or growth",
    ),
    Feature("memory.heap", "double", "bytes", "largest heap that the runtime is told to use"),
    Feature("throttled.fraction", "double", "1", "mean share of CFS periods throttled"),
    Feature("oom.count", "int", "1", "OOM kills seen"),
    Feature("oom.count_7d", "int", "1", "OOM kills of the newest seven days"),
    Feature("restarts.count", "int", "1", "restarts seen"),
    Feature("restarts.count_7d", "int", "1", "restarts of the newest seven days"),
    Feature("replicas", "int", "1", "desired pods"),
    Feature("replicas_ready", "int", "1", "pods that are ready"),
    Feature("pods.seen", "int", "1", "pods that had samples"),
    Feature("hpa.enabled", "bool", "", "a HorizontalPodAutoscaler scales the workload"),
    Feature("hpa.min", "int", "1", "its least number of pods"),
    Feature("hpa.max", "int", "1", "its largest number of pods"),
    Feature("hpa.cpu_target", "double", "1", "its target CPU use over the request"),
    Feature("hpa.memory_target", "double", "1", "its target memory use over the request"),
    Feature("samples.count", "int", "1", "steps with a sample of any pod"),
    Feature("samples.hours", "double", "h", "time that these steps cover"),
    Feature("samples.coverage", "double", "1", "share of the steps since first seen that have a sample"),
    Feature("samples.effective", "double", "1", "what these steps are worth if they were independent"),
    Feature("nodes.distinct", "int", "1", "nodes that the workload's live pods run on"),
    Feature("nodes.spot_share", "double", "1", "share of the workload's live pods on spot nodes"),
    Feature("nodes.largest_cpu", "double", "cores", "what the largest node can give"),
    Feature("nodes.largest_memory", "double", "bytes", "what the largest node can give"),
    Feature("cost.cpu_monthly", "double", "USD/month", "what the CPU requests of all replicas cost"),
    Feature("cost.memory_monthly", "double", "USD/month", "what the memory requests of all replicas cost"),
    Feature("cost.monthly", "double", "USD/month", "both together; a request that is not set costs nothing"),
    Feature("recommended.cpu_request", "double", "cores", "what sizing recommends"),
    Feature("recommended.cpu_limit", "double", "cores", "what sizing recommends"),
    Feature("recommended.memory_request", "double", "bytes", "what sizing recommends"),
    Feature("recommended.memory_limit", "double", "bytes", "what sizing recommends"),
    Feature("recommended.confidence", "double", "1", "how sure sizing is, 0 to 1"),
    Feature("recommended.savings", "double", "USD/month", "what the recommended change saves"),
    Feature("recommended.risk", "double", "1", "risk score of the recommended change, 0 to 100"),
    Feature("probes.liveness", "bool", "", "a liveness probe is set", "given"),
    Feature("probes.readiness", "bool", "", "a readiness probe is set", "given"),
    Feature("spread.declared", "bool", "", "pod anti-affinity or topology spread is set", "given"),
    Feature("latency.p50", "double", "s", "median latency of requests", "given"),
    Feature("latency.p95", "double", "s", "95th percentile of latency", "given"),
    Feature("latency.p99", "double", "s", "99th percentile of latency", "given"),
    Feature("latency.target", "double", "s", "latency that is promised", "given"),
    Feature("traffic.requests_per_second", "double", "1/s", "requests of all pods", "given"),
    Feature("traffic.capacity_per_second", "double", "1/s", "requests that all pods served at most", "given"),
    Feature("traffic.error_share", "double", "1", "share of requests that failed", "given"),
    Feature("queue.depth", "double", "1", "items that wait", "given"),
    Feature("queue.growth_per_hour", "double", "1/h", "items that wait more with every hour", "given"),
)
BY_NAME: Final = {feature.name: feature for feature in FEATURES}
