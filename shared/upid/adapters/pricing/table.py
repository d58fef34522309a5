"""Prices from bundled tables: of nodes by instance type, with OpenCost's default rates where a type is not known, and of volumes by storage class."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import orjson

from upid.ports.prices import Price, VolumePrice

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
    """List prices of common AWS, Google Cloud and Azure types and storage classes in one region of each; the files say when and whence."""

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

    def of_volume(self, storage_class: str, instance_types: Collection[str], region: str) -> VolumePrice:
        """Return the list price of a class that the provider of these nodes has; NaN for another class, nodes of no known type or of several providers."""
        kinds = {_provider(instance_type): instance_type for instance_type in instance_types if instance_type in self._table["types"]}
        if len(kinds) != 1:
            return VolumePrice(math.nan, "no node of a known type tells the provider" if not kinds else "nodes are of several providers")
        ((provider, instance_type),) = kinds.items()
        price = self._classes["classes"][provider].get(storage_class)
        if price is None:
            return VolumePrice(math.nan, f"{storage_class or 'no class'} is not in the table of {provider}")
        place, as_of = self._place(instance_type, region), self._classes["prices_as_of"]
        return VolumePrice(price, f"list price of {storage_class} in {place} (bundled table of {as_of})")

    def _place(self, instance_type: str, region: str) -> str:
        known: str = self._table["regions"][_provider(instance_type)]
        return known if region in {"", known} else f"{known}, not {region}"

    @cached_property
    def _table(self) -> dict[str, Any]:
        return _read("instance_types.json")

    @cached_property
    def _classes(self) -> dict[str, Any]:
        return _read("storage_classes.json")


def _read(name: str) -> dict[str, Any]:
    table: dict[str, Any] = orjson.loads(files(__package__).joinpath(name).read_bytes())
    return table


def _provider(instance_type: str) -> str:
    return "azure" if instance_type.startswith("Standard_") else "aws" if "." in instance_type else "gcp"


def _default(instance_type: str, *, spot: bool) -> Price:
    named = f"; {instance_type} is not in the table" if instance_type else ""
    if spot:
        return Price(SPOT_CPU_USD_PER_CORE_HOUR, SPOT_MEMORY_USD_PER_GIB_HOUR, f"OpenCost default rates, spot{named}")
    return Price(CPU_USD_PER_CORE_HOUR, MEMORY_USD_PER_GIB_HOUR, f"OpenCost default rates{named}")
