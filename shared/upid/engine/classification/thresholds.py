"""Where classes begin and end. Shares are of 1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds of classes; a value at a bound is on neither side of it, but balanced holds its own.

    Attributes
    ----------
    intensive, other_below : float
        Use over request above which a workload is intensive in a resource, with the other one below. [1]
    balanced_low, balanced_high : float
        Use over request of both. [1]
    io_high, io_low : float
        Use of disk or network over its capacity above, CPU and memory below. [1]
    steady_below, bursty_above : float
        Coefficient of variation. [1]
    growing_above : float
        Growth in a week. [1]
    periodic_above : float
        Share of the variance that the cycle explains. [1]
    """

    intensive: float = 0.7
    other_below: float = 0.5
    balanced_low: float = 0.4
    balanced_high: float = 0.7
    io_high: float = 0.7
    io_low: float = 0.4
    steady_below: float = 0.1
    bursty_above: float = 0.5
    growing_above: float = 0.05
    periodic_above: float = 0.3

    def __post_init__(self) -> None:
        if self.balanced_low > self.balanced_high or self.steady_below > self.bursty_above:
            raise ValueError("A lower bound must not be above its upper one.")
