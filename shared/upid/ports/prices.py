"""What a node's CPU and memory cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of a core and of a gibibyte costs, and where the figures come from."""

    cpu_usd_per_core_hour: float
    memory_usd_per_gib_hour: float
    source: str


class Prices(Protocol):
    """Prices by instance type."""

    def of_node(self, instance_type: str, region: str, capacity_type: str) -> Price:
        """Return the price of a node's resources; the default rates where the type is not known."""
        ...
