from __future__ import annotations

import math
from typing import Any

import pytest
from functional.client import Client
from functional.usage import stored

from upid.bootstrap import Services

GROUP = "/models/capacity"
RAMP = {"values": [10 + 0.5 * day for day in range(21)], "start": "2026-11-01T00:00:00Z", "step_seconds": 86400}  # 20 at the end


def asked(client: Client, model: str, /, **body: Any) -> Any:
    return client.post(f"{GROUP}/{model}", body).expect(200)


def test_a_ramp_is_full_when_it_is(client: Client) -> None:
    # From 20 by 0.5 a day to 32: 24 days after 21 November.
    (found,) = asked(client, "planning", **RAMP, capacity=32)["series"]

    assert (found["status"], found["level"], found["growth_per_day"]) == ("growing", pytest.approx(20), pytest.approx(0.5))
    assert found["days_until_full"] == pytest.approx(24)
    assert found["full_at"].startswith("2026-12-15T00:00:00")


def test_nodes_are_planned_with_one_to_spare(client: Client) -> None:
    # p100 is 20 now and 35 in 30 days; 8 * 0.8 a node: 4 and 6, and one more.
    (found,) = asked(client, "planning", **RAMP, capacity=64, percentile=100, node={"capacity": 8, "count": 4})["series"]

    assert found["nodes"] == {
        "needed_now": 5, "needed_at_horizon": 7, "spare": 1, "count": 4, "missing_at_horizon": 3, "survives_loss_of_spare": True,
    }  # fmt: skip


@pytest.mark.parametrize(("values", "status"), [([5.0] * 20, "not_growing"), ([50.0] * 20, "full"), ([1.0], "unknown")])
def test_statuses(client: Client, values: list[float], status: str) -> None:
    (found,) = asked(client, "planning", values=values, step_seconds=3600, capacity=32)["series"]

    assert found["status"] == status
    assert (found["days_until_full"] is None) == (status != "full")


def test_a_noisy_ramp_has_bounds_around_its_day(client: Client) -> None:
    values = [10 + 0.5 * day + (-1) ** day for day in range(21)]

    (found,) = asked(client, "planning", values=values, step_seconds=86400, capacity=40)["series"]

    assert found["earliest_days"] < found["days_until_full"] < found["latest_days"]


def test_more_nodes_than_there_can_be_are_pointed_at(client: Client) -> None:
    answer = client.post(f"{GROUP}/planning", {**RAMP, "capacity": 32, "node": {"capacity": 1e-9}})

    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "#/node/capacity"


def test_what_doubles_every_ten_days_is_exponential(client: Client) -> None:
    values = [2 ** (day / 10) for day in range(30)]

    (found,) = asked(client, "growth-projection", values=values, step_seconds=86400, horizons_days=[10])["series"]

    assert (found["model"], found["doubling_days"]) == ("exponential", pytest.approx(10))
    assert found["projections"][0]["value"] == pytest.approx(2 ** (39 / 10))


def test_a_ramp_grows_as_a_line(client: Client) -> None:
    (found,) = asked(client, "growth-projection", **RAMP, horizons_days=[10, 2])["series"]

    assert (found["model"], found["growth_per_day"], found["relative_growth_per_week"]) == (
        "linear",
        pytest.approx(0.5),
        pytest.approx(0.175),
    )
    assert [each["value"] for each in found["projections"]] == pytest.approx([21, 25])
    assert found["projections"][0]["time"] == "2026-11-23T00:00:00Z"


def test_values_at_zero_take_no_exponential(client: Client) -> None:
    (found,) = asked(client, "growth-projection", values=[0, 1, 2, 3], step_seconds=86400, model="exponential")["series"]

    assert found["model"] == "linear"
    assert any("above 0" in text for text in found["warnings"])


def test_thresholds_tell_what_they_would_have_done(client: Client) -> None:
    # 1 to 100: p90 is 90.1, so 91 to 100 lie above it, in one run.
    values = [float(n) for n in range(1, 101)]

    (found,) = asked(client, "threshold-calculation", values=values, step_seconds=60, warning=0.9, critical=0.99)["series"]

    assert found["warning"] == {"value": pytest.approx(90.1), "time_above": 0.1, "alarms": 1, "longest_seconds": 600.0}
    assert (found["critical"]["value"], found["lead_time"]) == (pytest.approx(99.01), None)


def test_a_threshold_leaves_time_to_react(client: Client) -> None:
    # 0.5 a day for a week below 32.
    (found,) = asked(client, "threshold-calculation", **RAMP, capacity=32, lead_days=7)["series"]

    assert found["lead_time"]["value"] == pytest.approx(28.5)


@pytest.mark.parametrize("levels", [{"warning": 0.9, "critical": 0.9}, {"critical": 1.0}])
def test_thresholds_out_of_order_are_pointed_at(client: Client, levels: dict[str, float]) -> None:
    answer = client.post(f"{GROUP}/threshold-calculation", {**RAMP, **levels})

    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "#/critical"


def test_headroom_now_and_without_the_largest_node(client: Client) -> None:
    # Median 5, peak 8 of 4 + 8 + 8; without one of the largest 12 are left.
    (found,) = asked(client, "headroom-analysis", values=[2, 4, 6, 8], step_seconds=60, nodes=[4, 8, 8], percentile=50)["series"]

    assert (found["capacity"], found["of_quantile"], found["of_peak"], found["to_target"]) == (20.0, 15.0, 12.0, 11.0)
    assert found["growth_left"] == pytest.approx(16 / 5 - 1)
    assert found["nodes"] == {"capacity_left": 12.0, "spare": 1, "of_peak": 4.0, "survives": True}


def test_use_above_the_capacity_is_told(client: Client) -> None:
    (found,) = asked(client, "headroom-analysis", values=[2, 4, 6, 8], step_seconds=60, capacity=5)["series"]

    assert (found["of_peak"], found["time_above_capacity"]) == (-3.0, 0.5)
    assert any("above the capacity" in text for text in found["warnings"])


@pytest.mark.parametrize("model", ["planning", "headroom-analysis"])
def test_no_capacity_is_pointed_at(client: Client, model: str) -> None:
    answer = client.post(f"{GROUP}/{model}", {"values": [1, 2]})

    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "#/capacity"


def test_stored_usage_is_planned_by_part(client: Client, services: Services) -> None:
    # batch grows by 0.24 cores a day and ends at 0.5 + 167 / 100 in the last hour.
    selection = {"cluster_id": stored(services), "split": "workload", "step_seconds": 3600}

    found = asked(client, "planning", selection=selection, capacity=4)["series"]

    batch = next(each for each in found if each["labels"]["workload"] == "batch")
    assert (len(found), batch["unit"]) == (3, "cores")
    assert batch["days_until_full"] == pytest.approx((4 - 2.17) / 0.24, rel=1e-4)


def test_series_of_many_lengths_keep_their_order(client: Client) -> None:
    series = [{"name": f"s{n}", "values": [float(i * n) for i in range(10 + n % 2)], "step_seconds": 3600} for n in range(1, 7)]

    found = asked(client, "headroom-analysis", series=series, capacity=100)["series"]

    assert [(each["name"], each["peak"]) for each in found] == [(f"s{n}", (9.0 + n % 2) * n) for n in range(1, 7)]
    assert all(math.isfinite(each["confidence"]["score"]) for each in found)
