"""Trends of many short series: Mann-Kendall test and Theil-Sen slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.statistics.quantiles import sorted_quantiles

Floats = NDArray[np.float64]
MINIMUM_POINTS: Final = 5  # fewer cannot be significant at 5 %
RAMP: Final = (1.96, 2.58)  # z of 5 % and 1 %: from none of the trend to all of it
STRICT_RAMP: Final = (2.58, 3.29)  # z of 1 % and 0.1 %: of some thousand containers, 5 % seem to grow by chance


@dataclass(frozen=True, slots=True)
class Trend:
    """Shape (rows,): `slope` per column (0 where unknown), `z` of the Mann-Kendall test (0 where unknown), `level` at the last column (NaN = unknown)."""

    slope: Floats
    z: Floats
    level: Floats

    def weight(self, ramp: tuple[float, float] = RAMP) -> Floats:
        """Return how much of the trend to believe: 0 below the ramp's lower z, 1 above its upper one, linear between. [1]."""
        return np.clip((np.abs(self.z) - ramp[0]) / (ramp[1] - ramp[0]), 0, 1)

    def growth(self, columns_ahead: float | Floats, ramp: tuple[float, float] = RAMP) -> Floats:
        """Return by how much of its level a row will have grown that many columns ahead, at most doubling; 0 where it falls or is not significant. [1]."""
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = self.slope * columns_ahead / self.level
        result: Floats = self.weight(ramp) * np.clip(np.where(np.isfinite(relative), relative, 0), 0, 1)
        return result


def trend(values: Floats) -> Trend:
    """Return the trend of each row, shape (rows, columns) -> (rows,); NaN marks a missing value.

    Slope by Theil-Sen [1]_: the median slope over all pairs. Significance by Mann-Kendall [2]_, normal approximation with continuity correction;
    ties count as no change and the variance is not corrected for them, which is conservative. Cost: O(columns ** 2) per row.

    References
    ----------
    .. [1] P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau," J. Am. Stat. Assoc., vol. 63, 1968. doi:10.2307/2285891
    .. [2] H. B. Mann, "Nonparametric Tests Against Trend," Econometrica, vol. 13, 1945. doi:10.2307/1907187
    """
    rows, columns = values.shape
    count = (~np.isnan(values)).sum(axis=1)
    first, second = np.triu_indices(columns, k=1)
    known = count >= MINIMUM_POINTS
    slope, z, level = np.zeros(rows), np.zeros(rows), np.full(rows, np.nan)
    if not known.any() or columns < MINIMUM_POINTS:
        return Trend(slope, z, level)
    chosen = values[known]
    change = chosen[:, second] - chosen[:, first]
    pairs = (~np.isnan(change)).sum(axis=1)
    slope[known] = sorted_quantiles(np.sort(change / (second - first), axis=1), pairs, (0.5,))[:, 0]
    score = np.nansum(np.sign(change), axis=1)
    n = count[known]
    z[known] = (score - np.sign(score)) / np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    place = np.arange(columns)
    rest = np.sort(chosen - slope[known][:, None] * place, axis=1)
    level[known] = sorted_quantiles(rest, n, (0.5,))[:, 0] + slope[known] * (columns - 1)
    return Trend(slope, z, level)
