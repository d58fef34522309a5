"""Node prices from the bundled table of instance types, and OpenCost's default rates where a type is not in it."""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import orjson

from upid.ports.prices import Price

# github.com/opencost/opencost configs/default.json: CPU, RAM, spotCPU and spotRAM, in USD per core hour and GiB hour.
CPU_USD_PER_CORE_HOUR: Final = 0.031611
MEMORY_USD_PER_GIB_HOUR: Final = 0.004237
SPOT_CPU_USD_PER_CORE_HOUR: Final = 0.006655
SPOT_MEMORY_USD_PER_GIB_HOUR: Final = 0.000892
# What a core costs in GiB, and what spot costs of on demand, by those rates: where a node has one price, it is split and reduced by them, as OpenCost does.
GIB_PER_CORE: Final = CPU_USD_PER_CORE_HOUR / MEMORY_USD_PER_GIB_HOUR
SPOT_SHARE: Final = SPOT_CPU_USD_PER_CORE_HOUR / CPU_USD_PER_CORE_HOUR
SPOT: Final = frozenset({"spot", "preemptible"})


class BundledPrices:
    """On-demand list prices of common AWS, Google Cloud and Azure types in one region of each; the file says when and whence."""

    def of_node(self, instance_type: str, region: str, capacity_type: str) -> Price:
        """Return the price of a node's resources, whose `source` says what it rests on; the default rates where the type is not known."""
        spot = capacity_type.lower() in SPOT
        row = self._table["types"].get(instance_type)
        if row is None:
            return _default(instance_type, spot=spot)
        vcpus, memory_gib, usd_per_hour = row
        of_gib = usd_per_hour * (SPOT_SHARE if spot else 1.0) / (vcpus * GIB_PER_CORE + memory_gib)
        kind = "spot, estimated from on demand" if spot else "on demand"
        place = self._place(instance_type, region)
        return Price(
            of_gib * GIB_PER_CORE,
            of_gib,
            f"list price of {instance_type} in {place} ({kind}, bundled table of {self._table['prices_as_of']})",
        )

    def _place(self, instance_type: str, region: str) -> str:
        provider = "azure" if instance_type.startswith("Standard_") else "aws" if "." in instance_type else "gcp"
        known: str = self._table["regions"][provider]
        return known if region in {"", known} else f"{known}, not {region}"

    @cached_property
    def _table(self) -> dict[str, Any]:
        table: dict[str, Any] = orjson.loads(files(__package__).joinpath("instance_types.json").read_bytes())
        return table


def _default(instance_type: str, *, spot: bool) -> Price:
    named = f"; {instance_type} is not in the table" if instance_type else ""
    if spot:
        return Price(SPOT_CPU_USD_PER_CORE_HOUR, SPOT_MEMORY_USD_PER_GIB_HOUR, f"OpenCost default rates, spot{named}")
    return Price(CPU_USD_PER_CORE_HOUR, MEMORY_USD_PER_GIB_HOUR, f"OpenCost default rates{named}")
