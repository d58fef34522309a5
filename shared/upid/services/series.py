"""What analytic endpoints are asked about: series in the request, or a selection of stored usage. Light: API groups import it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

MOST_SERIES: Final = 500
MOST_VALUES: Final = 20_000  # of one series
MOST_TOTAL: Final = 200_000  # of all series of a request
MOST_SIZE: Final = 1e100  # of a value: its square must still be a number
LEAST_SIZE: Final = 1e-100  # what is smaller counts as 0
MOST_HORIZON: Final = 1_000
MOST_PERIOD: Final = 10_000
MOST_USED: Final = 2016  # newest steps that a forecast is fitted on: a week of five minutes
MOST_FITTED: Final = {"auto": 120_000, "arima": 100_000}  # values of all series together: more take longer than a request may
MOST_FITTED_OTHERWISE: Final = 400_000
DEFAULT_STEP_SECONDS: Final = 60.0

Metric = Literal["cpu_cores", "memory_bytes", "throttled"]
Split = Literal["none", "namespace", "workload", "container", "node"]
UNITS: Final = {"cpu_cores": "cores", "memory_bytes": "bytes", "throttled": "1"}


@dataclass(frozen=True, slots=True)
class SeriesInput:
    """A series of a request: values on a grid (None = missing), or points at times, in seconds since the epoch.

    `pointer`: where it stands in the request. `stated_step`: whether the request says the step of `values`.
    """

    name: str
    pointer: str
    values: Sequence[float | None] = ()
    start: float | None = None
    step_seconds: float = DEFAULT_STEP_SECONDS
    stated_step: bool = True
    points: Sequence[tuple[float, float | None]] | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Stored usage of a cluster, summed over what is selected, or apart by `split`; "" = any. Times in seconds since the epoch, None = a week to the newest.

    node: what ran on it, while it did.
    """

    cluster_id: str
    metric: Metric = "cpu_cores"
    namespace: str = ""
    kind: str = ""
    workload: str = ""
    container: str = ""
    start: float | None = None
    end: float | None = None
    step_seconds: int | None = None
    split: Split = "none"
    pointer: str = "#/selection"
    node: str = ""

    @property
    def is_by_node(self) -> bool:
        """Whether it must be known where pods were."""
        return bool(self.node) or self.split == "node"

    def place(self, name: str) -> str:
        """Return where a field of this stands in the request: `?start` of a query, `#/selection/start` of a body."""
        return f"?{name}" if self.pointer == "?" else f"{self.pointer}/{name}"


Asked = tuple[SeriesInput, ...] | Selection
