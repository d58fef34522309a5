"""Application types from what is seen of a workload: kind, images, ports, containers, the shape of its traffic. Every sign speaks with a weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from upid.services.classification.model import Subject

SURE_ENOUGH: Final = 0.5
_IMAGES: Final = {
    "web-application": r"nginx|httpd|apache|caddy|traefik|haproxy|envoy|wordpress|tomcat|jetty|gunicorn|frontend|web|ui",
    "batch-job": r"batch|worker|spark|airflow|job|cron|etl|celery|backup",
    "database": r"postgres|postgresql|mysql|mariadb|mongo|mongodb|redis|valkey|cassandra|elasticsearch|opensearch|etcd|clickhouse|influxdb|memcached|cockroach"
    r"|cockroachdb|neo4j|couchdb|kafka|zookeeper",
    "microservice": r"api|service|svc|grpc|gateway|backend",
}  # fmt: skip
_PORTS: Final = {
    "web-application": frozenset({80, 443, 3000, 8000, 8080, 8443}),
    "database": frozenset({1433, 1521, 2379, 3306, 5432, 5984, 6379, 7000, 7687, 8086, 9042, 9092, 9200, 11211, 26257, 27017}),
    "microservice": frozenset({50051, 9000, 9090, 8081, 8082, 15001}),
}
_MESH: Final = frozenset({"istio-proxy", "linkerd-proxy", "envoy", "consul-dataplane", "dapr", "daprd"})


class Sign(NamedTuple):
    """Something that speaks for a type: what, and with which weight (0 to 1)."""

    type: str
    what: str
    weight: float


def signs(subject: Subject) -> Iterator[Sign]:
    """Yield everything that speaks for a type."""
    if subject.kind in {"Job", "CronJob"}:
        yield Sign("batch-job", f"it is a {subject.kind}", 0.95)
    if subject.kind == "StatefulSet":
        yield Sign("database", "it is a StatefulSet", 0.4)
    words = set(
        re.split(
            r"[^a-z0-9]+", " ".join((*(image.partition("@")[0].rpartition("/")[2].partition(":")[0] for image in subject.images),)).lower()
        )
    )
    for kind, pattern in _IMAGES.items():
        found = sorted(word for word in words if re.fullmatch(rf"(?:{pattern})\d*", word))
        if found:
            yield Sign(kind, f"image {found[0]}", 0.8 if kind == "database" else 0.6)
    named = sorted(word for word in re.split(r"[^a-z]+", subject.name.lower()) if re.fullmatch(_IMAGES["microservice"], word))
    if named:
        yield Sign("microservice", f"named {named[0]}", 0.3)
    yield from _of_ports(subject)
    yield from _of_traffic(subject)


def _of_ports(subject: Subject) -> Iterator[Sign]:
    for kind, ports in _PORTS.items():
        found = sorted(ports & set(subject.ports))
        if found:
            yield Sign(kind, f"port {found[0]}", 0.5)


def _of_traffic(subject: Subject) -> Iterator[Sign]:
    mesh = sorted(_MESH & set(subject.containers))
    if mesh:
        yield Sign("microservice", f"container {mesh[0]} of a service mesh", 0.7)
    if subject.kind == "Deployment" and (subject.replicas or 0) > 1:
        yield Sign("microservice", "a Deployment of several replicas", 0.2)
    if subject.kind == "Deployment" and (subject.daily or 0.0) > 0.5:
        yield Sign("web-application", "use follows the hour of the day", 0.3)


def applications(subject: Subject) -> dict[str, tuple[float, list[str]]]:
    """Return how much speaks for each type, as independent signs: 1 - product of (1 - weight), with the signs; only what anything speaks for."""
    against: dict[str, float] = {}
    told: dict[str, list[str]] = {}
    for sign in signs(subject):
        against[sign.type] = against.get(sign.type, 1.0) * (1 - sign.weight)
        told.setdefault(sign.type, []).append(sign.what)
    return {kind: (1 - rest, told[kind]) for kind, rest in against.items()}
