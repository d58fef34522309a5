from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from upid.adapters.pricing.table import BundledPrices
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import ForbiddenError, RefusedError, UnavailableError
from upid.domain.inventory import Claim, Container, Inventory, Pod, Resources, Unreadable, Workload
from upid.engine.rightsizing.options import options_of
from upid.ports.metrics_source import ContainerEvents, FamilyUsage, Metered, NamespaceUsage, PodContainer, UsageBlock, Window
from upid.services import scan as module
from upid.services.rules.catalogue import built_ins
from upid.services.scan import ScanRequest, ScanResult, ScanService, window_of

AT = 1_700_006_400.0
NAMES = tuple(f"n{i}" for i in range(6))


@dataclass
class Cluster:
    """A cluster with one Deployment of one pod in each namespace, and metrics that fail for some."""

    namespaces: tuple[str, ...] = NAMES
    failing: dict[str, Exception] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    check_error: Exception | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    context: str = "test"
    is_empty: bool = False
    claims: tuple[Claim, ...] = ()
    storage_error: UnavailableError | None = None

    def open(self, _access: object) -> Any:
        return self

    def check(self) -> None:
        if self.check_error:
            raise self.check_error

    def inventory(self, *, namespaces: Sequence[str] = (), selector: str = "") -> Inventory:
        app = Container("app", Resources(cpu_request_cores=2.0, memory_request_bytes=2**31))
        workloads = tuple(Workload(n, "Deployment", "api", f"uid-{n}", 1, (app,)) for n in self.namespaces)
        pods = tuple(Pod(n, "api-1", f"pod-{n}", f"uid-{n}") for n in self.namespaces)
        return Inventory(workloads, pods, (), self.namespaces, unreadable=self.unreadable, claims=self.claims)

    def usage(self, groups: Sequence[Sequence[str]], window: Window, *, resident: bool = False) -> Iterator[NamespaceUsage]:
        for group in groups:
            self.asked.append(tuple(group))
            for name in group:
                if name in self.failing:
                    raise self.failing[name]
            keys = [] if self.is_empty else [PodContainer(name, "api-1", "app") for name in group]
            cpu, memory = np.full((len(keys), window.steps), 0.1), np.full((len(keys), window.steps), 2.0**28)
            none = UsageBlock([], np.empty((0, window.steps)))
            warnings = ("The store is slow.",)
            yield NamespaceUsage(
                tuple(group), window, UsageBlock(keys, cpu), UsageBlock(keys, memory), none, ContainerEvents({}, {}, {}), [], warnings
            )

    def families(self, namespaces: Sequence[str], families: Sequence[str], window: Window) -> Iterator[FamilyUsage]:
        assert (list(families), set(namespaces) & {claim.namespace for claim in self.claims}) != ([], set())
        if self.storage_error:
            raise self.storage_error
        keys = [Metered(claim.namespace, volume=claim.name) for claim in self.claims if claim.namespace in namespaces]
        yield FamilyUsage("storage", keys, {"volume_used_bytes": np.full((len(keys), window.steps), 9 * 2.0**30, np.float32)})

    def now(self) -> float:
        return AT


REQUEST = ScanRequest(ClusterAccess(), MetricsAccess("http://x"), options_of("balanced"), history_seconds=86400, at=AT)


def scanned(cluster: Cluster, request: ScanRequest = REQUEST) -> ScanResult:
    return ScanService(cluster, cluster, BundledPrices(), cluster).scan(request)  # type: ignore[arg-type] # one object plays them all


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two namespaces make a group."""
    monkeypatch.setattr(module, "SAMPLES_PER_GROUP", 2 * 288)


def statuses(result: ScanResult) -> dict[str, str]:
    return {e["namespace"]: e["withheld_code"] or e["status"] for e in result.document["recommendations"]}


def test_the_document_has_its_parts_in_order() -> None:
    document = scanned(Cluster()).document

    assert list(document) == ["cluster", "generated_at", "window", "summary", "recommendations"]
    assert (document["cluster"], document["generated_at"]) == ("test", "2023-11-15T00:00:00Z")
    assert (document["summary"]["containers"], document["summary"]["errors"]) == (6, [])
    assert document["summary"]["warnings"] == ["The store is slow."]


@pytest.mark.usefixtures("pairs")
def test_groups_give_what_one_would() -> None:
    cluster = Cluster()

    parts = scanned(cluster)

    assert cluster.asked == [("n0", "n1"), ("n2", "n3"), ("n4", "n5")]
    assert [e["namespace"] for e in parts.document["recommendations"]] == list(NAMES)
    assert set(statuses(parts).values()) == {"recommended"}


@pytest.mark.usefixtures("pairs")
def test_built_in_rules_are_applied_and_counted_over_all_groups(pairs: None) -> None:
    document = scanned(Cluster()).document

    # 0.1 of 2 cores and an eighth of 2 GiB are used.
    for entry in document["recommendations"]:
        (waste,) = [each for each in entry["rules"] if each["id"] == "cost-waste"]
        assert (waste["outcome"], waste["tag"], waste["features"]["cpu.request"]) == ("fired", "waste", 2.0)
    counted = {each["id"]: each for each in document["summary"]["rules"]}
    assert (counted["cost-waste"]["fired"], counted["cost-waste"]["in_scope"]) == (len(NAMES), len(NAMES))
    assert len(counted) == len(built_ins())


def test_a_namespace_that_fails_is_named_and_its_entries_are_withheld() -> None:
    cluster = Cluster(failing={"n2": UnavailableError("too much")})

    result = scanned(cluster)

    assert statuses(result) == dict.fromkeys(NAMES, "recommended") | {"n2": statuses(result)["n2"]}
    assert statuses(result)["n2"] not in {"recommended", "unchanged"}
    assert [(e.subject, e.detail) for e in result.errors] == [("namespace n2", "too much")]
    assert result.document["summary"]["errors"] == [{"code": "usage_unreadable", "detail": "too much", "subject": "namespace n2"}]
    assert ("n3",) in cluster.asked


@pytest.mark.usefixtures("pairs")
def test_a_source_that_dies_in_the_middle_is_not_asked_for_ever() -> None:
    cluster = Cluster(failing={name: UnavailableError("gone") for name in NAMES[2:]})

    result = scanned(cluster)

    assert [e.subject for e in result.errors] == [f"namespace {name}" for name in NAMES[2:]]
    assert cluster.asked == [("n0", "n1"), ("n2", "n3"), ("n2",), ("n3",)]
    assert len(result.document["recommendations"]) == 6


@pytest.mark.usefixtures("pairs")
def test_refused_namespaces_do_not_stop_the_others() -> None:
    result = scanned(Cluster(failing={name: RefusedError("too much") for name in NAMES[:4]}))

    assert [e.subject for e in result.errors] == [f"namespace {name}" for name in NAMES[:4]]
    assert [statuses(result)[name] for name in NAMES[4:]] == ["recommended", "recommended"]


@pytest.mark.usefixtures("pairs")
def test_credentials_that_are_refused_in_the_middle_end_the_asking() -> None:
    cluster = Cluster(failing={"n2": ForbiddenError("no more")})

    result = scanned(cluster)

    assert len(result.errors) == 4
    assert cluster.asked == [("n0", "n1"), ("n2", "n3")]


def test_where_nothing_can_be_read_the_reason_is_raised() -> None:
    with pytest.raises(UnavailableError, match="gone"):
        scanned(Cluster(failing={name: UnavailableError("gone") for name in NAMES}))


def test_a_source_that_is_none_is_told_before_it_is_asked() -> None:
    cluster = Cluster(check_error=UnavailableError("no such metric"))

    with pytest.raises(UnavailableError, match="no such metric"):
        scanned(cluster)
    assert cluster.asked == []


def test_what_the_api_refused_is_an_error_of_the_scan() -> None:
    result = scanned(Cluster(unreadable=(Unreadable("statefulsets", "forbidden"),)))

    assert [(e.code, e.subject, e.detail) for e in result.errors] == [("unreadable", "statefulsets", "forbidden")]


def test_an_empty_cluster_is_an_empty_document() -> None:
    result = scanned(Cluster(namespaces=()))

    assert (result.document["recommendations"], result.document["summary"]["workloads"]) == ([], 0)
    assert result.warnings == ("There is no workload that matches.",)


def test_metrics_without_these_workloads_are_told() -> None:
    result = scanned(Cluster(is_empty=True))

    assert "The metrics have no usage of these workloads in this window." in result.warnings
    assert set(statuses(result).values()) == {"no_data"}


def test_the_moment_is_the_clocks_where_none_is_given() -> None:
    assert scanned(Cluster(), replace(REQUEST, at=None)).document == scanned(Cluster()).document


@pytest.mark.parametrize(
    ("now", "history", "step", "window"),
    [
        (1000.0, 600, 300, Window(300, 900, 300)),
        (900.0, 600, 300, Window(300, 900, 300)),
        (1000.0, 500, 300, Window(600, 900, 300)),  # the history is rounded down to whole steps
        (1000.9, 10, 300, Window(600, 900, 300)),  # and is one step at least
    ],
)
def test_the_window_ends_at_the_step_before_now(now: float, history: int, step: int, window: Window) -> None:
    assert window_of(replace(REQUEST, history_seconds=history, step_seconds=step), now) == window


def test_a_scan_tells_how_large_volumes_must_be() -> None:
    told = scanned(Cluster(claims=(Claim("n1", "data", "uid-n1", capacity_bytes=10 * 2.0**30), Claim("n2", "free"))))

    storage = {entry["namespace"]: entry["storage"] for entry in told.document["recommendations"]}
    assert [(each["claim"], each["recommended_bytes"]) for each in storage.pop("n1")] == [("data", 12 * 2**30)]
    assert not any(storage.values())


def test_volumes_that_cannot_be_read_are_told_and_take_nothing_with_them() -> None:
    cluster = Cluster(claims=(Claim("n1", "data", "uid-n1"),), storage_error=UnavailableError("It is slow today."))

    told = scanned(cluster)

    entry = next(entry for entry in told.document["recommendations"] if entry["namespace"] == "n1")
    assert (entry["status"], entry["storage"][0]["withheld_code"]) == ("recommended", "volume_no_data")
    assert "What volumes hold could not be read: It is slow today." in told.warnings


@pytest.mark.parametrize(("many", "bins"), [(6, 24), (5, 8)])
def test_usage_over_time_is_kept_where_points_of_it_are_wanted(monkeypatch: pytest.MonkeyPatch, many: int, bins: int) -> None:
    monkeypatch.setattr(module, "MANY_ROWS", many)

    trails = scanned(Cluster(), replace(REQUEST, trail_points=24)).trails

    assert [key.namespace for _, key in trails] == list(NAMES)
    first = trails["test", module.ContainerKey("n0", "Deployment", "api", "uid-n0", "app")]
    assert (first.start, first.bin_seconds, len(first.cpu_peak)) == (AT - 86400, 86400 / bins, bins)
    np.testing.assert_array_equal(first.memory_mean, np.full(bins, 2.0**28, np.float32))
    assert scanned(Cluster()).trails == {}
