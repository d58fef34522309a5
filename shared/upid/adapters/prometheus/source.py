"""The metrics source over a Prometheus HTTP API. It opens and checks without loading numerics, so that an API handler can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from upid.adapters.prometheus import queries
from upid.adapters.prometheus.access import endpoint_of
from upid.adapters.prometheus.client import ATTEMPTS, PrometheusClient
from upid.adapters.resilience.guards import Guards
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import RefusedError, UnavailableError
from upid.ports.metrics_source import Evaluated, FamilyUsage, NamespaceUsage, Window

CHECK_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class PrometheusSources:
    """Opens Prometheus APIs; an access that names its system stands behind the guard of its name.

    attempts: at one request. check_seconds: longest silence of a check.
    """

    guards: Guards | None = None
    attempts: int = ATTEMPTS
    check_seconds: float = CHECK_SECONDS

    def open(self, access: MetricsAccess) -> PrometheusSource:
        """Return a client; InvalidRequestError for a URL, header or label that can't be used."""
        endpoint = endpoint_of(access)
        guard = self.guards.of(access.system) if self.guards and access.system else None
        return PrometheusSource(PrometheusClient(endpoint, guard=guard, attempts=self.attempts), endpoint.matcher, self.check_seconds)


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """One Prometheus API; `matcher` picks the cluster in a source that several share."""

    client: PrometheusClient
    matcher: str
    check_seconds: float = CHECK_SECONDS

    def check(self) -> None:
        """Hold that this is a Prometheus API with container metrics; UnavailableError or UnauthenticatedError that tells which of it is not so."""
        base = self.client.endpoint.base
        try:
            matching = {"match[]": queries.any_container(self.matcher)}
            document = self.client.document("/api/v1/label/__name__/values", matching, within_seconds=self.check_seconds)
        except RefusedError as error:
            raise UnavailableError(f"{base} refuses to be asked for its metrics: {error.detail}") from error
        if not document.get("data"):
            where = f" with {self.matcher}" if self.matcher else ""
            raise UnavailableError(f"{base} has no metric {queries.MEMORY}{where}: is cAdvisor of the kubelets scraped?")

    def usage(self, groups: Sequence[Sequence[str]], window: Window, *, resident: bool = False) -> Iterator[NamespaceUsage]:
        """Return the usage of each group in order; the next group is asked for while this one is worked on. UnavailableError as the port says."""
        from upid.adapters.prometheus.reading import Reading  # noqa: PLC0415 numerics load when there is something to compute

        return Reading(self.client, self.matcher, window, resident=resident).usage(groups)

    def families(self, namespaces: Sequence[str], families: Sequence[str], window: Window) -> Iterator[FamilyUsage]:
        """Return each family of the namespaces in order; the next family is asked for while this one is worked on. Errors as the port says."""
        from upid.adapters.prometheus.families import FamilyReading  # noqa: PLC0415 as in usage

        return FamilyReading(self.client, self.matcher, tuple(namespaces), window).families(families)

    def resets(self, namespaces: Sequence[str], window: Window) -> int:
        """Return how often counters of CPU of the namespaces began again. Errors as the port says."""
        from upid.adapters.prometheus.shapes import resets_of  # noqa: PLC0415 as in usage

        return resets_of(self.client, namespaces, self.matcher, window)

    def evaluate(self, queries: Sequence[str], window: Window) -> Iterator[Evaluated]:
        """Yield what each query gives, as the port says."""
        from upid.adapters.prometheus.evaluating import evaluated  # noqa: PLC0415 as in usage

        return evaluated(self.client, queries, window)
