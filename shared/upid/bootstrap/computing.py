"""Services of statistics: over series of requests and of stored usage."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from upid.bootstrap.advising import Advising

if TYPE_CHECKING:
    from upid.services.confidence import ConfidenceService
    from upid.services.forecasting import ForecastingService
    from upid.services.models.service import ModelsService
    from upid.services.patterns import PatternsService
    from upid.services.statistics import StatisticsService


class Computing(Advising):
    """Statistics, forecasts, patterns, confidence, models."""

    @cached_property
    def statistics(self) -> StatisticsService:
        """Statistics of series."""
        from upid.services.statistics import StatisticsService

        return StatisticsService(self.series_reader)

    @cached_property
    def forecasting(self) -> ForecastingService:
        """Forecasts, and those that were stored."""
        from upid.services.fits import Fits, size_of
        from upid.services.forecasting import ForecastingService

        fits = Fits(self.caches.of("statistical_models", size_of))
        return ForecastingService(self.series_reader, self.records, self.clock, self.ids, fits)

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
