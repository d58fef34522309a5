"""Is a cluster reached, trusted and allowed what it must be: item by item, each with what would mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from upid.domain.errors import AppError
from upid.domain.identity import Caller
from upid.domain.objects import Permission
from upid.domain.times import format_time
from upid.ports.clock import Clock
from upid.ports.kubernetes import Kubernetes, KubernetesClients
from upid.ports.metrics_source import MetricsSources
from upid.services.access_rules import RULES, SECRETS, Rule, manifest
from upid.services.cluster_records import Access, ClusterRecords

OLDEST_MINOR: Final = 25  # autoscaling/v2, policy/v1 and batch/v1 are stable there, and nothing that is read is gone
SOON_SECONDS: Final = 30 * 86400.0
MENDS: Final = {
    "collect": "Apply the read-only manifest.",
    "show": "Apply the read-only manifest.",
    "apply": "Apply the manifest with apply.",
}

Outcome = Literal["passed", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """One item. `needed`: the cluster is of no use without it; `remedy`: what would mend it, "" where nothing has to be."""

    check: str
    outcome: Outcome
    detail: str
    needed: bool = True
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ClusterChecks:
    """Validates clusters. Each item is asked of the cluster anew; what cannot be asked any more is skipped."""

    clusters: ClusterRecords
    kubernetes: KubernetesClients
    metrics_sources: MetricsSources
    clock: Clock

    def validate(self, caller: Caller, cluster_id: str) -> dict[str, Any]:
        """Return {"cluster_id", "checked_at", "usable", "can_apply", "checks", "manifests"}; NotFoundError where the tenant has no such cluster."""
        stored = self.clusters.access(caller.tenant, self.clusters.get(caller.tenant, cluster_id).body)
        # Who validates may just have mended what opened the circuit: it is asked whatever its circuit says, by connections of its own.
        cluster = replace(stored.cluster, system="")
        access = Access(cluster, replace(stored.metrics, system="", cluster=cluster))
        checks = list(self._checks(access))
        writing = [check for check in checks if check.check.startswith("permission:patch")]
        usable = not [check for check in checks if check.needed and check.outcome == "failed"]
        return {
            "cluster_id": cluster_id, "checked_at": format_time(self.clock.now()), "usable": usable,
            "can_apply": usable and any(check.outcome == "passed" for check in writing), "checks": checks,
            "manifests": {"read_only": manifest(apply=False), "with_apply": manifest(apply=True)},
        }  # fmt: skip

    def _checks(self, access: Access) -> Iterator[Check]:
        try:
            api = self.kubernetes.open(access.cluster)
            version = api.version()
        except AppError as error:
            yield Check(
                "reachable", "failed", error.detail, remedy="See that the server's address, its authority and the credentials are right."
            )
            yield from (
                Check(name, "skipped", "The API server was not reached.") for name in ("tls", "version", "permissions", "in_place_resize")
            )
        else:
            yield Check("reachable", "passed", f"The API server of {api.context} answers.")
            yield self._tls(api)
            yield _version(version)
            yield from _permissions(api)
            yield _resize(api)
        yield self._metrics(access)

    def _tls(self, api: Kubernetes) -> Check:
        try:
            found = api.connection()
        except AppError as error:
            return Check("tls", "failed", error.detail)
        if not found.tls:
            return Check(
                "tls",
                "warning",
                f"{found.server} is reached without TLS, or through a proxy that hides it.",
                needed=False,
                remedy="Use https.",
            )
        if not found.verified:
            return Check(
                "tls",
                "warning",
                f"{found.tls}, but its certificate is not verified.",
                needed=False,
                remedy="Give the certificate authority.",
            )
        until = found.certificate_until
        ends = f", its certificate ends at {format_time(until)}" if until else ""
        if until and until - self.clock.now() < SOON_SECONDS:
            return Check("tls", "warning", f"{found.tls}{ends}.", needed=False, remedy="Renew the certificate.")
        return Check("tls", "passed", f"{found.tls}{ends}.")

    def _metrics(self, access: Access) -> Check:
        try:
            self.metrics_sources.open(access.metrics).check()
        except AppError as error:
            return Check("metrics", "failed", error.detail, remedy="See that the metrics source's address and credentials are right.")
        return Check("metrics", "passed", "The metrics source answers and has metrics of containers.")


def _version(version: str) -> Check:
    found = re.match(r"v1\.(\d+)", version)
    if found and int(found[1]) < OLDEST_MINOR:
        return Check("version", "warning", f"{version} is older than v1.{OLDEST_MINOR}.", needed=False, remedy="Upgrade the cluster.")
    return Check("version", "passed", version)


def _permissions(api: Kubernetes) -> Iterator[Check]:
    broken = ""
    for rule in (*RULES, SECRETS):
        for permission in rule.permissions():
            what = f"{permission.resource}.{permission.group}" if permission.group else permission.resource
            name = f"permission:{permission.verb} {what}"
            check = Check(name, "skipped", broken, rule.purpose == "collect") if broken else _permission(api, rule, name, permission)
            broken = check.detail if check.outcome == "skipped" else ""
            yield check


def _permission(api: Kubernetes, rule: Rule, name: str, permission: Permission) -> Check:
    needed = rule.purpose == "collect"
    try:
        allowed = api.allows(permission)
    except AppError as error:
        return Check(name, "skipped", error.detail, needed)
    if allowed:
        return Check(name, "passed", "It is allowed.", needed)
    remedy = "No manifest asks for it: listing Secrets lets an account read them." if rule is SECRETS else MENDS[rule.purpose]
    return Check(name, "failed" if needed else "warning", "It is not allowed.", needed, remedy)


def _resize(api: Kubernetes) -> Check:
    try:
        served = api.serves("v1", "pods/resize")
    except AppError as error:
        return Check("in_place_resize", "skipped", error.detail, needed=False)
    if served:
        return Check("in_place_resize", "passed", "Pods can be resized in place.", needed=False)
    return Check(
        "in_place_resize", "warning", "Pods cannot be resized in place: changes restart them.", needed=False, remedy="Upgrade to v1.33."
    )
