"""What a forecast is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Forecasts of rows, in the unit of the values.

    `mean` and `deviation` of the forecast's error, shape (rows, horizon); `fitted`: one step ahead within the history, shape (rows, steps), NaN = none;
    `parameters`: what was fitted, by name, shape (rows,).
    """

    method: str
    mean: Floats
    deviation: Floats
    fitted: Floats
    parameters: Mapping[str, Floats] = field(default_factory=dict)

    def interval(self, coverage: float) -> tuple[Floats, Floats]:
        """Return the bounds that the values lie between with this probability in (0, 1), errors taken as normal."""
        wide = float(ndtri(0.5 + coverage / 2)) * self.deviation
        return self.mean - wide, self.mean + wide

    def scaled(self, scale: Floats) -> Outlook:
        """Return the forecasts times the scale of each row; parameters that are of the unit of values begin with `level` or `slope`."""
        factor = scale[:, None]
        of_unit = {name: value * scale if name.startswith(("level", "slope")) else value for name, value in self.parameters.items()}
        return replace(self, mean=self.mean * factor, deviation=self.deviation * factor, fitted=self.fitted * factor, parameters=of_unit)

    def rows(self, chosen: NDArray[np.int64]) -> Outlook:
        """Return the forecasts of some rows."""
        return self._each(lambda value: value[chosen])

    def spread(self, places: NDArray[np.int64], rows: int) -> Outlook:
        """Return the forecasts of as many rows, those here at their `places` and NaN at the others."""
        return self._each(lambda value: _spread(value, places, rows))

    def _each(self, change: Callable[[Floats], Floats]) -> Outlook:
        parts = {name: change(value) for name, value in self.parameters.items()}
        return replace(self, mean=change(self.mean), deviation=change(self.deviation), fitted=change(self.fitted), parameters=parts)


def residual_deviation(values: Floats, fitted: Floats, parameters: int) -> Floats:
    """Return the deviation of the errors one step ahead of each row, with `parameters` degrees taken; 0 where there are none."""
    errors = values - fitted
    count = (~np.isnan(errors)).sum(axis=1)
    found: Floats = np.sqrt(np.nansum(errors**2, axis=1) / np.maximum(count - parameters, 1))
    return found


def _spread(value: Floats, places: NDArray[np.int64], rows: int) -> Floats:
    table = np.full((rows, *value.shape[1:]), np.nan)
    table[places] = value
    return table
