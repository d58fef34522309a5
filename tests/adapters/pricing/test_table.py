"""Prices of nodes and volumes, worked out by hand."""

from __future__ import annotations

import math

import pytest

from upid.adapters.pricing.table import BundledPrices

PRICES = BundledPrices()


def test_a_known_type_is_split_by_opencosts_ratio_of_a_core_to_a_gib() -> None:
    price = PRICES.of_node("m5.large", "us-east-1", "on-demand")
    # 0.096 USD/h = 2 cores * 7.4607 g + 8 GiB * g, where 7.4607 = 0.031611 / 0.004237; so g = 0.096 / 22.9214.
    assert price.memory_usd_per_gib_hour == pytest.approx(0.00418822, rel=1e-5)
    assert price.cpu_usd_per_core_hour == pytest.approx(0.0312471, rel=1e-5)
    assert price.source == "list price of m5.large in us-east-1 (on demand, bundled table of 2024)"


@pytest.mark.parametrize(
    ("instance_type", "vcpus", "memory_gib", "usd_per_hour"),
    [("m5.2xlarge", 8, 32, 0.384), ("c5.9xlarge", 36, 72, 1.53), ("t3.medium", 2, 4, 0.0416), ("r6g.medium", 1, 8, 0.0504),
     ("n1-standard-4", 4, 15, 0.189999), ("e2-standard-8", 8, 32, 0.268046), ("Standard_D4s_v5", 4, 16, 0.192), ("Standard_F8s_v2", 8, 16, 0.338)],
)  # fmt: skip
def test_the_parts_of_a_node_add_up_to_its_list_price(instance_type: str, vcpus: int, memory_gib: float, usd_per_hour: float) -> None:
    price = PRICES.of_node(instance_type, "", "")
    assert vcpus * price.cpu_usd_per_core_hour + memory_gib * price.memory_usd_per_gib_hour == pytest.approx(usd_per_hour, rel=1e-5)


def test_spot_of_a_known_type_is_reduced_as_opencosts_rates_are_and_says_so() -> None:
    full, spot = (PRICES.of_node("m5.large", "us-east-1", kind) for kind in ("ON_DEMAND", "SPOT"))
    assert spot.cpu_usd_per_core_hour / full.cpu_usd_per_core_hour == pytest.approx(0.006655 / 0.031611)
    assert "spot, estimated" in spot.source


@pytest.mark.parametrize("instance_type", ["", "m5", "M5.LARGE", "mainframe"])
def test_an_unknown_type_costs_opencosts_default_rates(instance_type: str) -> None:
    price = PRICES.of_node(instance_type, "us-east-1", "")
    assert (price.cpu_usd_per_core_hour, price.memory_usd_per_gib_hour) == (0.031611, 0.004237)
    assert price.source == "OpenCost default rates" + (f"; {instance_type} is not in the table" if instance_type else "")


@pytest.mark.parametrize("capacity_type", ["spot", "SPOT", "preemptible"])
def test_an_unknown_type_on_spot_costs_opencosts_spot_rates(capacity_type: str) -> None:
    price = PRICES.of_node("mainframe", "", capacity_type)
    assert (price.cpu_usd_per_core_hour, price.memory_usd_per_gib_hour) == (0.006655, 0.000892)


def test_a_price_from_another_region_says_so() -> None:
    assert "in us-east-1, not eu-west-1" in PRICES.of_node("m5.large", "eu-west-1", "").source
    assert "in eastus (" in PRICES.of_node("Standard_D2s_v5", "eastus", "").source


@pytest.mark.parametrize(
    ("storage_class", "instance_type", "region", "usd", "where"),
    [("gp3", "m5.large", "us-east-1", 0.08, "us-east-1"), ("gp2", "m5.large", "eu-west-1", 0.10, "us-east-1, not eu-west-1"),
     ("standard-rwo", "e2-standard-8", "", 0.10, "us-central1"), ("managed-csi", "Standard_D2s_v5", "eastus", 0.075, "eastus")],
)  # fmt: skip
def test_a_volume_costs_what_its_class_does_with_the_provider_of_the_nodes(
    storage_class: str, instance_type: str, region: str, usd: float, where: str
) -> None:
    price = PRICES.of_volume(storage_class, [instance_type, ""], region)

    assert price.usd_per_gib_month == usd
    assert price.source == f"list price of {storage_class} in {where} (bundled table of 2024)"


@pytest.mark.parametrize(
    ("storage_class", "instance_types", "why"),
    [("standard", ["m5.large"], "not in the table of aws"), ("", ["m5.large"], "no class"), ("gp3", ["mainframe"], "tells the provider"),
     ("gp3", [], "tells the provider"), ("gp3", ["m5.large", "e2-standard-8"], "several providers")],
)  # fmt: skip
def test_a_volume_whose_price_is_not_known_has_none(storage_class: str, instance_types: list[str], why: str) -> None:
    price = PRICES.of_volume(storage_class, instance_types, "us-east-1")

    assert math.isnan(price.usd_per_gib_month)
    assert why in price.source


def test_every_row_of_the_table_is_a_plausible_price() -> None:
    for name, (vcpus, memory_gib, usd_per_hour) in PRICES._table["types"].items():
        of_core = PRICES.of_node(name, "", "").cpu_usd_per_core_hour
        assert vcpus >= 1, name
        assert 0.5 <= memory_gib / vcpus <= 16 or name in {"t3.nano", "t3a.nano", "t4g.nano"}, name
        assert 0.001 < of_core < 0.06, name
        assert usd_per_hour > 0, name
