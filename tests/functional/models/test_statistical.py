from __future__ import annotations

import math
from typing import Any

import pytest
from functional.client import Client
from functional.usage import stored

from upid.bootstrap import Services

GROUP = "/models/statistical"


def asked(client: Client, model: str, /, **body: Any) -> Any:
    return client.post(f"{GROUP}/{model}", body).expect(200)


def test_a_line_through_x_and_y(client: Client) -> None:
    (fit,) = asked(client, "linear-regression", x=[1, 2, 3, 4], y=[3, 5, 7, 9], predict_at=[10])["fits"]

    assert [each["value"] for each in fit["coefficients"]] == pytest.approx([1, 2])
    assert fit["predicted"] == pytest.approx([21])
    assert fit["r_squared"] == pytest.approx(1)


def test_a_line_over_time_is_in_days_and_skips_gaps(client: Client) -> None:
    # 0.5 an hour is 12 a day.
    (fit,) = asked(client, "linear-regression", values=[0, 0.5, None, 1.5, 2.0], step_seconds=3600, unit="cores")["fits"]

    assert (fit["x_unit"], fit["unit"], fit["points"]) == ("days", "cores", 4)
    assert fit["coefficients"][1]["value"] == pytest.approx(12)


def test_x_and_y_of_different_lengths_and_series_beside_them_are_refused(client: Client) -> None:
    for body in ({"x": [1, 2], "y": [1]}, {"x": [1, 2]}, {"x": [1], "y": [1], "values": [1]}):
        assert client.post(f"{GROUP}/linear-regression", body).problem(422, "invalid-request")


def test_a_parabola_is_found_by_its_criterion(client: Client) -> None:
    x = [i / 10 for i in range(60)]
    y = [1 + 2 * each - 3 * each**2 + 0.01 * math.sin(40 * each) for each in x]

    (fit,) = asked(client, "polynomial-regression", x=x, y=y, most_degree=3)["fits"]

    assert fit["powers"][:3] == pytest.approx([1, 2, -3], abs=0.02)


def test_a_prediction_beyond_what_a_number_holds_is_null_and_told(client: Client) -> None:
    (fit,) = asked(client, "polynomial-regression", values=[1.0, 4.0, 9.0, 17.0, 24.0, 37.0, 50.0], degree=5, predict_at=[1.0, 1e100])[
        "fits"
    ]

    assert fit["predicted"][0] is not None
    assert fit["predicted"][1] is None
    assert "Some predictions lie beyond what a number holds: they are null." in fit["warnings"]


def test_too_few_points_for_a_degree_are_pointed_at(client: Client) -> None:
    answer = client.post(f"{GROUP}/polynomial-regression", {"values": [1, 2, 3], "degree": 5})

    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "#/series"


def test_smoothing_a_line_goes_on_with_it(client: Client) -> None:
    (found,) = asked(client, "exponential-smoothing", values=list(range(1, 41)), step_seconds=3600, method="holt", horizon=3)["series"]

    assert found["mean"] == pytest.approx([41, 42, 43], rel=1e-3)
    assert set(found["parameters"]) >= {"alpha", "beta"}


def test_averages_by_hand(client: Client) -> None:
    kinds = [("simple", [None, None, 6, 5]), ("weighted", [None, None, 7, 4]), ("exponential", [3, 4.5, 6.75, 3.375])]
    for kind, values in kinds:
        (found,) = asked(client, "moving-average", values=[3, 6, 9, 0], step_seconds=60, kind=kind, window=3)["series"]
        assert found["average"]["values"] == pytest.approx(values)
        assert found["last"] == pytest.approx(values[-1])


def test_an_average_says_how_far_values_lie_from_it(client: Client) -> None:
    # 9 - 6 and 0 - 5: sqrt((9 + 25) / 2).
    (found,) = asked(client, "moving-average", values=[3, 6, 9, 0], step_seconds=60, window=3)["series"]

    assert found["deviation"] == pytest.approx(math.sqrt(17))


def test_parts_add_up_to_the_series(client: Client) -> None:
    values = [10 + 0.1 * i + 3 * math.sin(i * math.pi / 12) for i in range(240)]

    (found,) = asked(client, "seasonal-decomposition", values=values, step_seconds=3600)["series"]

    assert found["period_steps"] == 24
    parts = [sum(each) for each in zip(found["trend"], found["season"], found["rest"], strict=True)]
    assert parts == pytest.approx(values)


def test_stored_usage_is_fitted_too(client: Client, services: Services) -> None:
    # batch grows by 1 core in 100 hours: 0.24 a day.
    selection = {"cluster_id": stored(services), "workload": "batch", "step_seconds": 3600}

    (fit,) = asked(client, "linear-regression", selection=selection)["fits"]

    assert fit["unit"] == "cores"
    assert fit["coefficients"][1]["value"] == pytest.approx(0.24, rel=1e-6)
