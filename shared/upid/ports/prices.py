"""What a node's CPU and memory cost, and what a volume does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of a core and of a gibibyte costs, and where the figures come from."""

    cpu_usd_per_core_hour: float
    memory_usd_per_gib_hour: float
    source: str


@dataclass(frozen=True, slots=True)
class VolumePrice:
    """What a provisioned gibibyte costs a month, and where the figure comes from; NaN = not known, and why."""

    usd_per_gib_month: float
    source: str


class Prices(Protocol):
    """Prices by instance type and storage class."""

    def of_node(self, instance_type: str, region: str, capacity_type: str) -> Price:
        """Return the price of a node's resources; the default rates where the type is not known."""
        ...

    def of_volume(self, storage_class: str, instance_types: Collection[str], region: str) -> VolumePrice:
        """Return the price of a volume of this class in a cluster whose nodes are of these types (they tell the provider); NaN where it is not known."""
        ...
