"""The only place that chooses adapters. Services are built on first use, never at import, and import what they need then."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from upid.domain.errors import InvalidError
from upid.settings import AwsSettings, Settings

if TYPE_CHECKING:
    from upid.adapters.aws.clients import AwsClients
    from upid.adapters.dynamodb.store import DynamoStore
    from upid.adapters.resilience.guards import Guards
    from upid.adapters.sqlite.database import Database
    from upid.ports.blobs import Blobs
    from upid.ports.bus import EventBus
    from upid.ports.clock import Clock, Ids
    from upid.ports.keys import Sealer
    from upid.ports.kubernetes import KubernetesClients
    from upid.ports.links import Links
    from upid.ports.metrics_source import MetricsSources
    from upid.ports.prices import Prices
    from upid.ports.usage_history import UsageHistory
    from upid.ports.whole import WholeEvents, WholeRecords
    from upid.ports.workflows import Workflows
    from upid.services.aggregations import AggregationsService
    from upid.services.algorithms.service import AlgorithmService
    from upid.services.analyses import AnalysisService
    from upid.services.analyzing import AnalysisTasks
    from upid.services.circuits import Circuits
    from upid.services.classification.service import ClassificationService
    from upid.services.cluster_checks import ClusterChecks
    from upid.services.cluster_health import ClusterHealth
    from upid.services.cluster_objects import ClusterObjects
    from upid.services.cluster_records import ClusterRecords
    from upid.services.clusters import ClustersService
    from upid.services.collecting import CollectingService
    from upid.services.collections import CollectionsService
    from upid.services.collectors import CollectorsService
    from upid.services.completing import CompletingService
    from upid.services.confidence import ConfidenceService
    from upid.services.current_usage import CurrentUsageService
    from upid.services.features import ClusterFeatures
    from upid.services.forecasting import ForecastingService
    from upid.services.idempotency import IdempotencyKeys
    from upid.services.identity import IdentityService
    from upid.services.models.service import ModelsService
    from upid.services.observing import Observing
    from upid.services.patterns import PatternsService
    from upid.services.publishing import PublishingService
    from upid.services.recommendations import RecommendationService
    from upid.services.rules.service import RuleService
    from upid.services.scan import ScanService
    from upid.services.schedule import ScheduleService
    from upid.services.statistics import StatisticsService
    from upid.services.surveys import Surveys
    from upid.services.transfer import TransferService
    from upid.services.usage import UsageService
    from upid.services.usage_series import SeriesReader


class Services:
    """The services of one process, in the home that the settings name. A test replaces a port by setting the attribute of its name before it is used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        """The system's clock."""
        from upid.adapters.system.clock import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> Ids:
        """New identifiers."""
        from upid.adapters.system.ids import UlidIds

        return UlidIds(self.clock)

    @cached_property
    def database(self) -> Database:
        """The SQLite file that records and events lie in."""
        from upid.adapters.sqlite.database import Database

        return Database(self.settings.home / "upid.db")

    @cached_property
    def aws(self) -> AwsClients:
        """Clients of AWS services."""
        from upid.adapters.aws.clients import AwsClients

        return AwsClients()

    @cached_property
    def table(self) -> DynamoStore:
        """The DynamoDB table that records and events lie in."""
        from upid.adapters.dynamodb.store import open_store

        return open_store(self.aws, _of_aws(self.settings).table, self.clock)

    @cached_property
    def records(self) -> WholeRecords:
        """Documents by key."""
        if self.settings.aws:
            return self.table.records
        from upid.adapters.sqlite.records import SqliteRecords

        return SqliteRecords(self.database, self.clock)

    @cached_property
    def events(self) -> WholeEvents:
        """The event store and its outbox."""
        if self.settings.aws:
            return self.table.events
        from upid.adapters.sqlite.events import SqliteEventStore

        return SqliteEventStore(self.database)

    @cached_property
    def blobs(self) -> Blobs:
        """Profiles, chunks and results by name."""
        if self.settings.aws:
            from upid.adapters.s3.blobs import S3Blobs

            return S3Blobs(self.aws, self.settings.aws.bucket, key_id=self.settings.aws.key)
        from upid.adapters.directory.blobs import open_blobs

        return open_blobs(self.settings.home / "blobs", self.clock.now())

    @cached_property
    def links(self) -> Links | None:
        """Links to blobs; None where the edge carries answers of any length."""
        if not self.settings.aws:
            return None
        from upid.adapters.s3.links import S3Links

        return S3Links(self.aws, self.settings.aws.bucket)

    @cached_property
    def sealer(self) -> Sealer:
        """Encryption at rest."""
        if self.settings.aws:
            from upid.adapters.kms.sealer import KmsSealer

            return KmsSealer(self.aws, self.settings.aws.key)
        from upid.adapters.keyfile.sealer import KeyfileSealer

        return KeyfileSealer(self.settings.home / "master.key")

    @cached_property
    def history(self) -> UsageHistory:
        """Usage as it was measured."""
        from upid.adapters.columnar.history import ColumnarHistory

        return ColumnarHistory(self.blobs)

    @cached_property
    def prices(self) -> Prices:
        """What nodes cost."""
        from upid.adapters.pricing.table import BundledPrices

        return BundledPrices()

    @cached_property
    def kubernetes(self) -> KubernetesClients:
        """Kubernetes API servers."""
        from upid.adapters.kubernetes.client import ApiServers

        return ApiServers(guards=self.guards)

    @cached_property
    def guards(self) -> Guards:
        """A circuit breaker and a bulkhead for each outside system."""
        from upid.adapters.resilience.guards import Guards

        return Guards(self.clock, self.circuits.changed)

    @cached_property
    def live_kubernetes(self) -> KubernetesClients:
        """The same for who waits for the answer: it gives up before API Gateway does."""
        from upid.adapters.kubernetes.client import ApiServers
        from upid.adapters.kubernetes.session import Patience

        return ApiServers(
            Patience(connect_seconds=3.0, read_seconds=10.0, attempts=2, longest_wait_seconds=2.0, queue_seconds=1.0), guards=self.guards
        )

    @cached_property
    def live_metrics_sources(self) -> MetricsSources:
        """The same as `metrics_sources` for who waits for the answer."""
        from upid.adapters.prometheus.source import PrometheusSources

        return PrometheusSources(self.guards, attempts=1, check_seconds=8.0)

    @cached_property
    def metrics_sources(self) -> MetricsSources:
        """Prometheus APIs."""
        from upid.adapters.prometheus.source import PrometheusSources

        return PrometheusSources(self.guards)

    @cached_property
    def identity(self) -> IdentityService:
        """Users, logins and tokens."""
        from upid.services.identity import IdentityService

        return IdentityService(self.records, self.events, self.sealer, self.clock, self.ids, self.settings.token_seconds)

    @cached_property
    def workflows(self) -> Workflows:
        """Executions of the state machines; embedded, they are records, whose `listeners` are called in this process."""
        if self.settings.aws:
            from upid.adapters.stepfunctions.workflows import StepFunctionsWorkflows

            return StepFunctionsWorkflows(self.aws, self.settings.aws.machines)
        from upid.adapters.embedded.workflows import EmbeddedWorkflows

        return EmbeddedWorkflows(self.records, self.clock)

    @cached_property
    def bus(self) -> EventBus:
        """Where events go from the outbox, on AWS."""
        from upid.adapters.eventbridge.bus import EventBridgeBus

        return EventBridgeBus(self.aws, _of_aws(self.settings).bus, self.blobs)

    @cached_property
    def publishing(self) -> PublishingService:
        """What empties the outbox, on AWS; the embedded platform publishes in its own process."""
        from upid.services.publishing import PublishingService

        return PublishingService(self.events, self.bus)

    @cached_property
    def cluster_records(self) -> ClusterRecords:
        """Records of clusters, and their credentials."""
        from upid.services.cluster_records import ClusterRecords

        return ClusterRecords(self.records, self.sealer)

    @cached_property
    def idempotency(self) -> IdempotencyKeys:
        """Keys that make a request safe to send twice."""
        from upid.services.idempotency import IdempotencyKeys

        return IdempotencyKeys(self.records, self.sealer, self.clock)

    @cached_property
    def clusters(self) -> ClustersService:
        """Registration of clusters."""
        from upid.services.clusters import ClustersService

        return ClustersService(
            records=self.records, clusters=self.cluster_records, blobs=self.blobs, history=self.history, kubernetes=self.kubernetes,
            metrics_sources=self.metrics_sources, keys=self.idempotency, clock=self.clock, ids=self.ids, cancel_collection=self.collections.cancel,
            forget_analyses=self.analyses.forget, forget_connections=self._forget_connections,
        )  # fmt: skip

    def _forget_connections(self, tenant: str, cluster_id: str) -> None:
        """Close what this process has open to a cluster, and begin anew with its circuits."""
        for clients in (self.kubernetes, self.live_kubernetes):
            clients.forget(f"{cluster_id}/")
        self.guards.forget(f"{cluster_id}/")
        self.circuits.forget(tenant, cluster_id)

    @cached_property
    def surveys(self) -> Surveys:
        """What the last collections saw, as rows to show."""
        from upid.services.surveys import Surveys

        return Surveys(self.blobs)

    @cached_property
    def observing(self) -> Observing:
        """What changed between collections."""
        from upid.services.observing import Observing

        return Observing(self.surveys, self.blobs, self.events)

    @cached_property
    def circuits(self) -> Circuits:
        """States of the circuits to outside systems."""
        from upid.services.circuits import Circuits

        return Circuits(self.records, self.clock, self.ids)

    @cached_property
    def cluster_objects(self) -> ClusterObjects:
        """What clusters hold."""
        from upid.services.cluster_objects import ClusterObjects

        return ClusterObjects(self.cluster_records, self.surveys, self.live_kubernetes, self.clock)

    @cached_property
    def cluster_checks(self) -> ClusterChecks:
        """Validation of clusters."""
        from upid.services.cluster_checks import ClusterChecks

        return ClusterChecks(self.cluster_records, self.live_kubernetes, self.live_metrics_sources, self.clock)

    @cached_property
    def cluster_health(self) -> ClusterHealth:
        """How clusters stand."""
        from upid.services.cluster_health import ClusterHealth

        return ClusterHealth(
            clusters=self.cluster_records, surveys=self.surveys, objects=self.cluster_objects, collections=self.collections, circuits=self.circuits,
            kubernetes=self.live_kubernetes, metrics_sources=self.live_metrics_sources, clock=self.clock,
        )  # fmt: skip

    @cached_property
    def collections(self) -> CollectionsService:
        """Collections, as they are asked for."""
        from upid.services.collections import CollectionsService

        return CollectionsService(
            records=self.records, clusters=self.cluster_records, blobs=self.blobs, workflows=self.workflows, keys=self.idempotency, clock=self.clock,
            ids=self.ids,
        )  # fmt: skip

    @cached_property
    def collectors(self) -> CollectorsService:
        """Collectors of clusters."""
        from upid.services.collectors import CollectorsService

        return CollectorsService(self.records, self.cluster_records, self.collections, self.clock)

    @cached_property
    def usage(self) -> UsageService:
        """Stored usage, asked."""
        from upid.services.usage import UsageService

        return UsageService(self.cluster_records, self.blobs, self.history)

    @cached_property
    def aggregations(self) -> AggregationsService:
        """Queries of stored usage whose answers are kept."""
        from upid.services.aggregations import AggregationsService

        return AggregationsService(self.records, self.cluster_records, self.blobs, self.workflows, lambda: self.usage, self.clock, self.ids)

    @cached_property
    def current_usage(self) -> CurrentUsageService:
        """What clusters use now."""
        from upid.services.current_usage import CurrentUsageService

        return CurrentUsageService(self.usage, self.blobs, self.clock)

    @cached_property
    def collecting(self) -> CollectingService:
        """The tasks of `collect-usage`."""
        from upid.services.collecting import CollectingService
        from upid.services.work import WorkLog

        return CollectingService(
            clusters=self.cluster_records, blobs=self.blobs, history=self.history, kubernetes=self.kubernetes, metrics_sources=self.metrics_sources,
            clock=self.clock, log=WorkLog("collections", self.records, self.clock), observing=self.observing,
        )  # fmt: skip

    @cached_property
    def completing(self) -> CompletingService:
        """The ends of work: collections, and whatever workflow failed."""
        from upid.services.completing import CompletingService

        return CompletingService(self.records, self.cluster_records, self.blobs, self.clock, self.ids)

    @cached_property
    def schedule(self) -> ScheduleService:
        """What the schedule does."""
        from upid.services.schedule import ScheduleService

        return ScheduleService(self.records, self.clusters, self.collections)

    @cached_property
    def analyses(self) -> AnalysisService:
        """Analyses, as they are asked for."""
        from upid.services.analyses import AnalysisService

        return AnalysisService(self.records, self.cluster_records, self.idempotency, self.workflows, self.blobs, self.clock, self.ids)

    @cached_property
    def analyzing(self) -> AnalysisTasks:
        """The tasks of `analyze-cluster`."""
        from upid.services.analyzing import AnalysisTasks
        from upid.services.assessing import Assessor
        from upid.services.profiles import Profiles
        from upid.services.snapshots import Snapshots

        assessor = Assessor(Snapshots(self.blobs), Profiles(self.blobs), self.history, self.prices)
        return AnalysisTasks(self.analyses, self.cluster_records, assessor, self.blobs, self.clock, self.ids)

    @cached_property
    def recommendations(self) -> RecommendationService:
        """Recommendations: listed, reviewed, simulated."""
        from upid.services.profiles import Profiles
        from upid.services.recommendations import RecommendationService
        from upid.services.shelf import Shelves

        return RecommendationService(
            records=self.records, clusters=self.cluster_records, analyses=self.analyses, shelves=Shelves(self.blobs), profiles=Profiles(self.blobs),
            history=self.history, clock=self.clock, ids=self.ids,
        )  # fmt: skip

    @cached_property
    def features(self) -> ClusterFeatures:
        """Features of clusters' containers; only who computes asks for it."""
        from upid.services.assessing import Assessor
        from upid.services.features import ClusterFeatures
        from upid.services.profiles import Profiles
        from upid.services.snapshots import Snapshots

        return ClusterFeatures(self.cluster_records, Assessor(Snapshots(self.blobs), Profiles(self.blobs), self.history, self.prices))

    @cached_property
    def algorithms(self) -> AlgorithmService:
        """Algorithms of the engine, presets and runs."""
        from upid.services.algorithms.service import AlgorithmService

        return AlgorithmService(self.records, self.blobs, self.clock, self.ids, lambda: self.series_reader)

    @cached_property
    def classification(self) -> ClassificationService:
        """Classes of workloads, and which are alike."""
        from upid.services.classification.service import ClassificationService

        return ClassificationService(lambda: self.features)

    @cached_property
    def rules(self) -> RuleService:
        """Rules: built-in ones and those of users."""
        from upid.services.rules.service import RuleService
        from upid.services.rules.store import RuleStore

        return RuleService(RuleStore(self.records), self.clock, self.ids, lambda: self.features)

    @cached_property
    def series_reader(self) -> SeriesReader:
        """Series of requests and of stored usage."""
        from upid.services.snapshots import Snapshots
        from upid.services.usage_series import SeriesReader

        return SeriesReader(self.cluster_records, Snapshots(self.blobs), self.history)

    @cached_property
    def statistics(self) -> StatisticsService:
        """Statistics of series."""
        from upid.services.statistics import StatisticsService

        return StatisticsService(self.series_reader)

    @cached_property
    def forecasting(self) -> ForecastingService:
        """Forecasts, and those that were stored."""
        from upid.services.forecasting import ForecastingService

        return ForecastingService(self.series_reader, self.records, self.clock, self.ids)

    @cached_property
    def patterns(self) -> PatternsService:
        """Patterns and anomalies."""
        from upid.services.patterns import PatternsService

        return PatternsService(self.series_reader)

    @cached_property
    def confidence(self) -> ConfidenceService:
        """How far figures are to be believed."""
        from upid.services.confidence import ConfidenceService

        return ConfidenceService(self.series_reader, self.forecasting, self.clock)

    @cached_property
    def models(self) -> ModelsService:
        """Mathematical models."""
        from upid.services.assessing import Assessor
        from upid.services.models.rightsizing import RightSizing
        from upid.services.models.service import ModelsService
        from upid.services.models.statistical import StatisticalModels
        from upid.services.profiles import Profiles
        from upid.services.snapshots import Snapshots

        assessor = Assessor(Snapshots(self.blobs), Profiles(self.blobs), self.history, self.prices)
        statistical = StatisticalModels(self.series_reader, self.statistics, self.forecasting)
        return ModelsService(self.series_reader, self.prices, statistical, RightSizing(self.cluster_records, assessor))

    @cached_property
    def scan(self) -> ScanService:
        """Recommendations for a cluster without storing anything."""
        from upid.services.scan import ScanService

        return ScanService(self.kubernetes, self.metrics_sources, self.prices, self.clock)

    @cached_property
    def transfer(self) -> TransferService:
        """The whole home, into an archive and back."""
        from upid.services.transfer import TransferService

        return TransferService(self.records, self.events, self.blobs, self.sealer, self.clock)


def _of_aws(settings: Settings) -> AwsSettings:
    if settings.aws is None:
        raise InvalidError("This needs the home on AWS: UPID_HOME=aws.")
    return settings.aws


@cache
def build_services() -> Services:
    """Return the services of this process, built on first use from its environment; InvalidError that names a variable that is wrong."""
    try:
        return Services(Settings.from_environment())
    except ValueError as error:
        raise InvalidError(str(error)) from None
