"""Fits of series, which take a second or two, kept by what they are fits of: the same values give the same forecast, so one that is kept is never wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from upid.engine.forecasting.outlook import Outlook
from upid.engine.forecasting.selection import Forecast, forecast
from upid.services.caches import Cache
from upid.services.panels import Floats


@dataclass(frozen=True, slots=True)
class Fits:
    """Forecasts by the engine."""

    kept: Cache[Forecast]

    def forecast(self, values: Floats, horizon: int, period: int, methods: Sequence[str]) -> Forecast:
        """Return what `upid.engine.forecasting.selection.forecast` does, with arrays that cannot be written; ValueError as there, which is not kept."""
        digest = blake2b(np.ascontiguousarray(values).tobytes(), digest_size=32).digest()
        return self.kept.get(
            (digest, values.shape, horizon, period, tuple(methods)), lambda: _frozen(forecast(values, horizon, period, methods=methods))
        )


def size_of(found: Forecast) -> int:
    """Return about what a forecast takes in memory. [bytes]"""
    tested = 0 if found.backtest is None else sum(each.nbytes for each in found.backtest.mase.values())
    return 4000 + 8 * tested + sum(array.nbytes for outlook in found.outlooks.values() for array in _arrays(outlook))


def _frozen(found: Forecast) -> Forecast:
    for outlook in found.outlooks.values():
        for array in _arrays(outlook):
            array.setflags(write=False)  # it is shared by all who ask for it
    return found


def _arrays(outlook: Outlook) -> list[Floats]:
    return [outlook.mean, outlook.deviation, outlook.fitted, *outlook.parameters.values()]
