"""The workloads of the demo cluster: every kind, and every way of using (and misjudging) resources that the product tells apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from upid.demo.specs import ContainerSpec, VolumeSpec, WorkloadSpec
from upid.demo.specs import container as c

HOUR: Final = 3600
PROXY: Final = replace(c("proxy", "daily", 0.02, "steady", 48, "100m/128Mi", "/256Mi"), role="sidecar")
MIGRATE: Final = replace(c("migrate", "startup", 0.1, "steady", 90, "250m/256Mi"), role="init")


def _java(container: ContainerSpec, heap_mib: int) -> ContainerSpec:
    return replace(container, command=("java", f"-Xmx{heap_mib}m", "-jar", "/app/service.jar"))


def _option(container: ContainerSpec, name: str, value: str) -> ContainerSpec:
    return replace(container, environment=((name, value),))


def _deployment(namespace: str, name: str, replicas: int, *containers: ContainerSpec) -> WorkloadSpec:
    return WorkloadSpec(namespace, "Deployment", name, replicas, containers)


def _shop() -> tuple[WorkloadSpec, ...]:
    return (
        replace(
            _deployment("shop", "storefront", 5, c("storefront", "daily", 0.42, "follow", 340, "1/1Gi", "2/2Gi"), PROXY, MIGRATE), rollouts=(2.4,), hpa=(4, 12, 60)
        ),
        replace(_deployment("shop", "api", 4, c("api", "weekly", 0.3, "follow", 260, "1500m/1Gi", "/1Gi"), PROXY), rollouts=(5.1, 1.3)),
        _deployment("shop", "api-gateway", 3, c("gateway", "daily", 0.55, "steady", 190, "500m/512Mi", "1/512Mi")),
        _deployment("shop", "checkout", 3, _java(c("checkout", "daily", 0.35, "heap", 880, "2/2Gi", "4/2Gi"), 768)),
        _deployment("shop", "cart", 3, _option(c("cart", "bursty", 0.12, "steady", 150, "500m/512Mi", "1/512Mi"), "GOMEMLIMIT", "384MiB")),
        _deployment("shop", "search", 2, _java(c("search", "weekly", 0.8, "heap", 2300, "2/4Gi", "4/4Gi"), 2048)),
        replace(_deployment("shop", "recommendations", 2, c("model", "growing", 0.4, "growing", 600, "500m/1Gi", "/2Gi")), rollouts=(9.0,)),
        _deployment("shop", "images", 3, c("resize", "bursty", 0.5, "follow", 280, "300m/512Mi", "500m/1Gi")),
        _deployment("shop", "legacy-feed", 2, c("feed", "idle", 0.004, "steady", 70, "1/1Gi", "1/1Gi")),
        WorkloadSpec("shop", "StatefulSet", "session-store", 3, (c("redis", "daily", 0.08, "cache", 900, "500m/2Gi", "/2Gi"),), volume=VolumeSpec("20Gi", 0.08)),
        WorkloadSpec("shop", "StatefulSet", "catalog-db", 2, (c("postgres", "weekly", 0.6, "cache", 3100, "2/8Gi", "/8Gi"), c("exporter", "steady", 0.01, "steady", 24)), volume=VolumeSpec("200Gi", 0.31, 0.002)),
        WorkloadSpec("shop", "CronJob", "rebuild-index", 1, (c("indexer", "batch", 0.9, "steady", 700, "2/2Gi", "/2Gi"),), every_seconds=6 * HOUR, lasting_seconds=2400, schedule="0 */6 * * *"),
        WorkloadSpec("shop", "ReplicaSet", "banner", 2, (c("banner", "idle", 0.003, "steady", 32, "100m/128Mi"),)),
    )  # fmt: skip


def _payments() -> tuple[WorkloadSpec, ...]:
    return (
        _deployment("payments", "api", 4, c("api", "weekly", 0.22, "follow", 300, "1/1Gi", "2/1Gi"), PROXY),
        replace(_deployment("payments", "ledger", 3, _java(c("ledger", "steady", 0.4, "heap", 1180, "1/1536Mi", "2/1536Mi"), 1024), MIGRATE), rollouts=(3.7,)),
        replace(_deployment("payments", "fraud", 2, c("scoring", "bursty", 0.7, "sawtooth", 1500, "1/1Gi", "2/1536Mi")), killed_every_hours=31.0),
        _deployment("payments", "webhooks", 2, c("webhooks", "steady", 0.55, "steady", 130, "100m/256Mi", "400m/256Mi")),
        replace(_deployment("payments", "settlement", 1, c("settlement", "weekly", 0.25, "leak", 420, "500m/1Gi", "/2Gi")), age_days=24.0),
        _deployment("payments", "receipts", 2, c("receipts", "daily", 0.05, "steady", 110)),
        WorkloadSpec("payments", "StatefulSet", "ledger-db", 3, (c("postgres", "daily", 0.9, "cache", 5200, "4/12Gi", "/12Gi"),), volume=VolumeSpec("500Gi", 0.74, 0.006)),
        WorkloadSpec("payments", "StatefulSet", "queue", 3, (c("rabbitmq", "daily", 0.15, "follow", 420, "1/1Gi", "1/1Gi"),), volume=VolumeSpec("50Gi", 0.04)),
        WorkloadSpec("payments", "CronJob", "reconcile", 1, (c("reconcile", "batch", 0.6, "steady", 350, "1/1Gi", "1/1Gi"),), every_seconds=HOUR, lasting_seconds=900, schedule="0 * * * *"),
        WorkloadSpec("payments", "Job", "backfill-2026", 1, (c("backfill", "batch", 1.4, "steady", 900, "4/4Gi", "/4Gi"),), age_days=2.2, lasting_seconds=5 * HOUR),
        WorkloadSpec("payments", "Cluster", "cards-db", 2, (c("postgres", "steady", 0.2, "cache", 1200, "1/4Gi", "/4Gi"),)),
    )  # fmt: skip


def _data() -> tuple[WorkloadSpec, ...]:
    return (
        _deployment("data", "ingest", 6, c("ingest", "daily", 0.85, "follow", 700, "1/1Gi", "2/2Gi")),
        replace(_deployment("data", "stream-worker", 4, c("worker", "daily", 0.6, "steady", 500, "800m/1Gi", "/1Gi")), hpa=(4, 9, 70)),
        _deployment("data", "notebooks", 3, c("jupyter", "idle", 0.006, "steady", 380, "2/4Gi", "4/8Gi")),
        _deployment("data", "query-engine", 2, _java(c("coordinator", "weekly", 1.3, "heap", 4600, "4/8Gi", "8/8Gi"), 4096)),
        replace(_deployment("data", "reports", 2, _option(c("reports", "weekly", 0.1, "follow", 300, "500m/1Gi", "/1Gi"), "NODE_OPTIONS", "--max-old-space-size=512"))),
        replace(_deployment("data", "feature-store", 2, c("features", "growing", 0.5, "growing", 1500, "1/2Gi", "2/4Gi")), rollouts=(6.2,)),
        replace(_deployment("data", "tagger", 1, c("tagger", "bursty", 0.3, "sawtooth", 760, "500m/512Mi", "1/768Mi")), killed_every_hours=9.0),
        WorkloadSpec("data", "StatefulSet", "kafka", 3, (_java(c("broker", "daily", 0.9, "heap", 2600, "2/4Gi", "/4Gi"), 2048),), volume=VolumeSpec("300Gi", 0.55)),
        WorkloadSpec("data", "StatefulSet", "warehouse", 2, (c("clickhouse", "weekly", 1.6, "cache", 9000, "4/16Gi", "/16Gi"),), volume=VolumeSpec("2Ti", 0.19, 0.001)),
        WorkloadSpec("data", "CronJob", "nightly-export", 1, (c("export", "batch", 1.1, "steady", 1400, "2/4Gi", "/4Gi"),), every_seconds=24 * HOUR, lasting_seconds=2 * HOUR, schedule="0 0 * * *"),
        WorkloadSpec("data", "CronJob", "compact", 1, (c("compact", "batch", 0.5, "steady", 210, "500m/512Mi"),), every_seconds=2 * HOUR, lasting_seconds=600, schedule="0 */2 * * *"),
        WorkloadSpec("data", "Pod", "debug-shell", 1, (c("shell", "idle", 0.001, "steady", 18, "500m/512Mi"),), age_days=12.0),
    )  # fmt: skip


def _platform() -> tuple[WorkloadSpec, ...]:
    return (
        _deployment("platform", "identity", 3, c("identity", "daily", 0.18, "steady", 280, "1/1Gi", "1/1Gi"), PROXY),
        _deployment("platform", "notifier", 2, c("notifier", "bursty", 0.06, "steady", 120, "250m/256Mi", "500m/256Mi")),
        replace(_deployment("platform", "new-portal", 2, c("portal", "steady", 0.1, "steady", 200, "1/1Gi", "/1Gi")), age_days=0.1),
        _deployment("platform", "build-cache", 1, c("cache", "steady", 0.05, "cache", 1600, "500m/1Gi", "/4Gi")),
        _deployment("platform", "ci-runner", 3, c("runner", "bursty", 0.35, "follow", 600, "2/4Gi", "4/8Gi")),
        _deployment("platform", "feature-flags", 2, _option(c("flags", "startup", 0.05, "steady", 160, "500m/512Mi", "1/512Mi"), "JAVA_TOOL_OPTIONS", "-Xmx96m")),
        replace(_deployment("platform", "docs", 2, c("nginx", "idle", 0.002, "steady", 20, "100m/64Mi", "/128Mi")), rollouts=(0.6,)),
        _deployment("platform", "vault-agent", 2, c("agent", "steady", 0.03, "steady", 60, "50m/64Mi", "100m/128Mi")),
        WorkloadSpec("platform", "StatefulSet", "search-index", 3, (_java(c("opensearch", "weekly", 0.7, "heap", 3300, "2/6Gi", "/6Gi"), 3072),), volume=VolumeSpec("100Gi", 0.86, 0.004)),
        WorkloadSpec("platform", "CronJob", "rotate-keys", 1, (c("rotate", "batch", 0.05, "steady", 60, "100m/128Mi"),), every_seconds=12 * HOUR, lasting_seconds=180, schedule="0 */12 * * *"),
    )  # fmt: skip


def _staging() -> tuple[WorkloadSpec, ...]:
    return (
        _deployment("staging", "storefront", 2, c("storefront", "idle", 0.01, "steady", 240, "1/1Gi", "2/2Gi"), PROXY),
        _deployment("staging", "api", 2, c("api", "idle", 0.008, "steady", 180, "1500m/1Gi", "/1Gi")),
        _deployment("staging", "checkout", 1, _java(c("checkout", "idle", 0.02, "heap", 420, "2/2Gi", "4/2Gi"), 384)),
        _deployment("staging", "ledger", 1, _java(c("ledger", "steady", 0.03, "heap", 560, "1/1536Mi", "2/1536Mi"), 512)),
        _deployment("staging", "load-test", 2, c("locust", "weekly", 0.5, "steady", 210, "250m/256Mi", "/512Mi")),
        WorkloadSpec("staging", "StatefulSet", "postgres", 1, (c("postgres", "steady", 0.05, "cache", 500, "1/2Gi", "/2Gi"),), volume=VolumeSpec("50Gi", 0.05)),
    )  # fmt: skip


def _system() -> tuple[WorkloadSpec, ...]:
    return (
        WorkloadSpec("kube-system", "DaemonSet", "node-agent", 0, (c("agent", "steady", 0.03, "steady", 70, "60m/90Mi", "/256Mi"),)),
        WorkloadSpec("kube-system", "DaemonSet", "kube-proxy", 0, (c("kube-proxy", "steady", 0.004, "steady", 26, "100m/"),)),
        WorkloadSpec("monitoring", "DaemonSet", "node-exporter", 0, (c("exporter", "steady", 0.008, "steady", 22, "102m/180Mi", "250m/180Mi"), c("rbac-proxy", "steady", 0.001, "steady", 14, "10m/20Mi", "20m/40Mi"))),
        _deployment("kube-system", "coredns", 2, c("coredns", "daily", 0.03, "steady", 32, "100m/70Mi", "/170Mi")),
        _deployment("kube-system", "cluster-autoscaler", 1, c("autoscaler", "steady", 0.03, "steady", 130, "100m/600Mi", "100m/600Mi")),
        _deployment("kube-system", "metrics-server", 2, c("metrics-server", "steady", 0.02, "steady", 52, "100m/200Mi")),
        replace(_deployment("monitoring", "grafana", 1, c("grafana", "daily", 0.03, "steady", 170, "250m/512Mi", "1/512Mi")), rollouts=(4.4,)),
        _deployment("monitoring", "kube-state-metrics", 1, c("metrics", "steady", 0.02, "steady", 80, "100m/256Mi", "/256Mi")),
        WorkloadSpec("monitoring", "StatefulSet", "prometheus", 1, (c("prometheus", "growing", 0.6, "growing", 3400, "1/4Gi", "/8Gi"), c("reloader", "idle", 0.001, "steady", 16, "50m/64Mi", "50m/64Mi")), volume=VolumeSpec("100Gi", 0.62, 0.003)),
    )  # fmt: skip


def catalogue() -> tuple[WorkloadSpec, ...]:
    """Return the workloads of the demo cluster in its usual size: about 60, with about 150 pods."""
    return (*_shop(), *_payments(), *_data(), *_platform(), *_staging(), *_system())
