"""Forecasts: made of series or of stored usage, kept, and found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.domain.times import format_time
from upid.engine.seasonality.decomposition import Parts, classical, stl
from upid.engine.seasonality.periods import seasons
from upid.engine.statistics.rows import linear_fill
from upid.ports.clock import Clock, Ids
from upid.ports.records import Key, Records
from upid.services.analytic_requests import ForecastAsked, UnknownPredictionError
from upid.services.fits import Fits
from upid.services.forecasts import bounded, forecasts
from upid.services.panels import Panel, number, numbers
from upid.services.reconciling import reconcile
from upid.services.series import MOST_FITTED, MOST_USED, Asked, Selection
from upid.services.statistics import common_periods, season_told, trust
from upid.services.usage_series import SeriesReader

MOST_FORECASTS: Final = 100_000  # steps ahead times series of one request
MOST_LOESS: Final = 5_000_000  # steps times period of an STL decomposition
KEPT_SECONDS: Final = 180 * 86400.0
MOST_NAMED: Final = 10  # parts that one warning names


@dataclass(frozen=True, slots=True)
class ForecastingService:
    """Forecasts series, and keeps what was predicted so that it can be judged later."""

    reader: SeriesReader
    records: Records
    clock: Clock
    ids: Ids
    fits: Fits

    def predict(self, tenant: str, asked: Asked, how: ForecastAsked) -> list[dict[str, Any]]:
        """Return a forecast of each series, in their order.

        Errors as `SeriesReader.read`, and InvalidRequestError where a method does not fit a series, or for more values than it is done with in time.
        """
        panels = [_newest(panel) for panel in self.reader.read(tenant, asked)]
        if len(panels) * how.horizon > MOST_FORECASTS:
            raise InvalidRequestError([{"pointer": "#/horizon", "detail": f"At most {MOST_FORECASTS} steps ahead over all series."}])
        bounded(panels, how)
        told = forecasts(panels, how, self.fits)
        source = asdict(asked) if isinstance(asked, Selection) else None
        return [self._kept(tenant, panel, each, source, store=how.store) for panel, each in zip(panels, told, strict=True)]

    def get(self, tenant: str, prediction_id: str) -> dict[str, Any]:
        """Return a stored prediction; UnknownPredictionError where the tenant has none of this id."""
        found = self.records.get(Key(_partition(tenant), prediction_id))
        if found is None:
            raise UnknownPredictionError(f"There is no prediction {prediction_id[:100]}.", id=prediction_id[:100])
        return dict(found.body)

    def demand(self, tenant: str, asked: Selection, how: ForecastAsked, *, limit: int) -> dict[str, Any]:
        """Return the forecast of a cluster and of its parts, reconciled so that the parts add up to the whole; the largest parts first.

        A part that the method does not fit is held at its last value, one without a value in the newest steps is left out, and very many parts are
        forecast by Theta instead of `auto`: `warnings` tell. Errors as `predict`, of the whole alone.
        """
        panels = [_newest(panel) for panel in self.reader.select(tenant, asked)]
        if len(panels) * how.horizon > MOST_FORECASTS:
            raise InvalidRequestError([{"pointer": "?horizon", "detail": f"At most {MOST_FORECASTS} steps ahead over all parts."}])
        whole = replace(_newest(self.reader.select(tenant, replace(asked, split="none"))[0]), name="total")
        total = forecasts([whole], how, self.fits)[0]
        parts, warnings = _of_parts(panels, how, self.fits)
        reconcile(total, parts)
        items = sorted(parts, key=lambda each: -sum(value or 0.0 for value in each["mean"]))
        return {
            "cluster_id": asked.cluster_id, "metric": asked.metric, "unit": whole.unit, "split": asked.split, "horizon": how.horizon, "total": total,
            "parts": len(parts), "items": items[:limit], "warnings": warnings,
        }  # fmt: skip

    def decompose(self, tenant: str, asked: Asked, *, method: str, period: int | None, robust: bool) -> dict[str, Any]:
        """Return the seasons of each series, and its trend, season and rest by the period given or found. InvalidRequestError where it doesn't fit."""
        return {
            "method": method,
            "series": [_decomposed(panel, method, period, robust=robust) for panel in self.reader.read(tenant, asked)],
        }

    def _kept(self, tenant: str, panel: Panel, told: dict[str, Any], source: Mapping[str, Any] | None, *, store: bool) -> dict[str, Any]:
        now = self.clock.now()
        prediction_id = self.ids.new("prediction") if store else None
        body = {"id": prediction_id, "created_at": format_time(now)} | told
        if prediction_id is not None:
            selected = None if source is None else {**source, **panel.labels, "split": "none"}
            kept = body | {
                "source": selected,
                "made_at": now,
                "begins": None if panel.start is None else panel.start + len(panel.values) * panel.step_seconds,
            }
            self.records.put(Key(_partition(tenant), prediction_id), kept, expires_at=now + KEPT_SECONDS)
        return body


def _partition(tenant: str) -> str:
    return f"t#{tenant}#predictions"


def _newest(panel: Panel) -> Panel:
    skipped = len(panel.values) - MOST_USED
    if skipped <= 0:
        return panel
    start = None if panel.start is None else panel.start + skipped * panel.step_seconds
    told = f"The newest {MOST_USED} of {len(panel.values)} steps are used."
    return replace(panel, values=panel.values[skipped:], start=start, warnings=(*panel.warnings, told))


def _of_parts(panels: Sequence[Panel], how: ForecastAsked, fits: Fits) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the forecasts of a cluster's parts, and what is to be said of them."""
    known = [panel for panel in panels if not np.isnan(panel.values).all()]
    warnings = _named("Left out, without a value in the newest steps", {panel.name for panel in panels} - {panel.name for panel in known})
    if how.method == "auto" and sum(len(panel.values) for panel in known) > MOST_FITTED["auto"]:
        how = replace(how, method="theta")
        warnings.append(
            f"There are more than {MOST_FITTED['auto']} values in the parts: they are forecast by `theta`, the whole by `auto`."
        )
    bounded(known, how)
    told = forecasts(known, how, fits, hold=True)
    held = {each["series"]["name"] for each in told if how.method not in {"auto", each["method"]}}
    return told, warnings + _named(f"Held at their last value, not fit for `{how.method}`", held)


def _named(what: str, names: Iterable[str]) -> list[str]:
    found = sorted(names)
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return [f"{what} ({len(found)}): {', '.join(found[:MOST_NAMED])}{more}."] if found else []


def _decomposed(panel: Panel, method: str, period: int | None, *, robust: bool) -> dict[str, Any]:
    found = seasons(panel.values, common_periods(panel))
    used = period or (found[0].period if found else None)
    parts = _parts(panel, method, used, robust=robust) if used else None
    warnings = panel.all_warnings() + ([] if used else ["No significant season was found: name a period to decompose by it all the same."])
    return panel.told() | {
        "seasons": [season_told(panel, each) for each in found], "period_steps": used,
        "trend": numbers(parts.trend[0]) if parts else None, "season": numbers(parts.season[0]) if parts else None,
        "rest": numbers(parts.rest[0]) if parts else None, "seasonal_strength": number(parts.seasonal_strength[0]) if parts else None,
        "trend_strength": number(parts.trend_strength[0]) if parts else None, "warnings": warnings,
        "confidence": trust(panel, **({"significance": 1 - found[0].p_value} if found else {})),
    }  # fmt: skip


def _parts(panel: Panel, method: str, period: int, *, robust: bool) -> Parts:
    values = linear_fill(panel.values[None])
    if method == "stl" and len(panel.values) * period > MOST_LOESS:
        raise InvalidRequestError(
            [{"pointer": "#/period_steps", "detail": f"Steps times period may be {MOST_LOESS} for stl: take `classical`."}]
        )
    try:
        if method == "stl":
            return stl(values, period, robust=robust)
        return classical(values, period, multiplicative=method == "classical_multiplicative")
    except ValueError as error:
        raise InvalidRequestError([{"pointer": "#/period_steps", "detail": str(error)}]) from None
