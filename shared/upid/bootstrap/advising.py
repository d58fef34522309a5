"""Services that say what to change."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from upid.bootstrap.metering import Metering

if TYPE_CHECKING:
    from upid.services.algorithms.service import AlgorithmService
    from upid.services.analyses import AnalysisService
    from upid.services.analyzing import AnalysisTasks
    from upid.services.classification.service import ClassificationService
    from upid.services.features import ClusterFeatures
    from upid.services.recommendations import RecommendationService
    from upid.services.rules.service import RuleService
    from upid.services.rules.store import RuleStore
    from upid.services.scan import ScanService


class Advising(Metering):
    """Analyses, recommendations, rules, classes, and the scan without a server."""

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
        from upid.services.rules.active import RuleSets
        from upid.services.snapshots import Snapshots

        assessor = Assessor(Snapshots(self.blobs), Profiles(self.blobs), self.history, self.prices)
        rules = RuleSets(self.rule_store, self.blobs)
        return AnalysisTasks(self.analyses, self.cluster_records, assessor, rules, self.blobs, self.clock, self.ids)

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
    def rule_store(self) -> RuleStore:
        """Rules as records, and what was made of them."""
        from upid.services.rules.store import Kept, RuleStore

        return RuleStore(self.records, self.clock, self.caches.of("optimization_rules", Kept.size_of))

    @cached_property
    def rules(self) -> RuleService:
        """Rules: built-in ones and those of users."""
        from upid.services.rules.service import RuleService

        return RuleService(self.rule_store, self.clock, self.ids, lambda: self.features)

    @cached_property
    def scan(self) -> ScanService:
        """Recommendations for a cluster without storing anything."""
        from upid.services.scan import ScanService

        return ScanService(self.kubernetes, self.metrics_sources, self.prices, self.clock)
