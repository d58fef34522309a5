"""What requests would have cost and missed: sums by container, so that containers can be drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.yardstick.trace import Floats, Resource

OFTEN: Final = 1 / 3  # of its days: a container that is hit on more is one that a rule does not fit


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Figures of points (rules, or knobs of ours), sums over a container's judged days.

    `use`, `judged`, `mean_use`, `samples`: shape (containers,); `request`, `unmet`, `above`, `hit`: shape (points, containers);
    `slack`: shape (points, days, containers), NaN where a day is not judged.
    """

    resource: Resource
    use: Floats
    mean_use: Floats
    samples: Floats
    judged: Floats
    request: Floats
    unmet: Floats
    above: Floats
    hit: Floats
    slack: Floats

    def fleet_slack(self, weights: Floats) -> Floats:
        """Return 1 - use / request over all containers, each counted `weights` times, shape (draws, containers) -> (draws, points). [1]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Floats = 1 - (weights @ self.mean_use)[:, None] / (weights @ self.request.T)
        return result

    def violation(self, weights: Floats) -> Floats:
        """Return CPU demand above the request over demand, or the share of days with memory above it, (draws, containers) -> (draws, points). [1]."""
        part, whole = (self.unmet, self.use) if self.resource == "cpu" else (self.hit, self.judged)
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Floats = (weights @ part.T) / (weights @ whole)[:, None]
        return result


def outcomes(resource: Resource, requests: Floats, after: list[Floats]) -> Outcomes:
    """Return what requests would have done; a container-day counts where the container runs and every point has a request for it.

    A point that has no request at all is not asked; its figures are NaN.

    Parameters
    ----------
    requests : ndarray, shape (points, days, containers)
        Held for the whole horizon; NaN = none. [cores or bytes]
    after : list of ndarray, shape (containers, steps)
        Use in each horizon; NaN = not running. [cores or bytes]

    Raises
    ------
    ValueError
        If no container-day counts.
    """
    points, _, containers = requests.shape
    totals = np.zeros((4, containers))
    sums = np.zeros((4, points, containers))
    slack = np.full(requests.shape, np.nan)
    speaks = np.isfinite(requests).any(axis=(1, 2))
    for day, used in enumerate(after):
        known = ~np.isnan(used)
        count = known.sum(axis=1)
        counts = (count > 0) & ~np.isnan(requests[speaks, day]).any(axis=0)
        total = np.where(known, used, 0).sum(axis=1)
        mean = total / np.maximum(count, 1)
        totals += np.where(counts, np.stack([total, mean, count, np.ones(containers)]), 0)
        for point in range(points):
            request = np.where(counts, requests[point, day], 0)
            excess = np.where(known, np.maximum(used - request[:, None], 0), 0)
            above = np.count_nonzero(excess, axis=1)
            sums[:, point] += np.where(counts, np.stack([request, excess.sum(axis=1), above, above > 0]), 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                slack[point, day] = np.where(counts, 1 - mean / request, np.nan)
    use, mean_use, count, judged = totals
    if not judged.any():
        raise ValueError("No container has enough data before a day that it runs on.")
    sums[:, ~speaks] = np.nan
    request, unmet, above, hit = sums
    return Outcomes(resource, use, mean_use, count, judged, request, unmet, above, hit, slack)


def often_hit(found: Outcomes) -> NDArray[np.float64]:
    """Return the share of containers that each point hits on more than a third of their days, shape (points,). [1]."""
    judged = found.judged > 0
    share = found.hit[:, judged] / found.judged[judged]
    result: Floats = (share > OFTEN).mean(axis=1)
    return result
