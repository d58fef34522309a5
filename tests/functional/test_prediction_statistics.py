"""Statistics over the API."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.usage import NOWHERE, cluster_of, stored

from upid.bootstrap import Services

GROUP = "/statistics"
RAMP = [float(i) for i in range(1, 21)]


@pytest.fixture
def cluster_id(services: Services) -> str:
    """A cluster with a week of usage: `api` has a day, `db` is flat, `batch` grows."""
    return stored(services)


def analyzed(client: Client, **body: Any) -> Any:
    return client.post(f"{GROUP}/analyze", body).expect(200)["series"][0]


class TestAnalyze:
    def test_a_ramp_is_its_own_trend(self, client: Client) -> None:
        found = analyzed(client, values=RAMP, step_seconds=3600)

        assert (found["summary"]["mean"], found["summary"]["minimum"], found["summary"]["maximum"]) == (10.5, 1.0, 20.0)
        assert found["trend"]["direction"] == "rising"
        assert found["trend"]["least_squares"]["slope_per_week"] == pytest.approx(168.0, rel=1e-12)
        assert found["trend"]["theil_sen"]["slope_per_week"] == pytest.approx(168.0, rel=1e-12)
        assert found["trend"]["growth_per_week"] == pytest.approx(16.0, rel=1e-12)

    def test_averages_are_over_the_last_steps(self, client: Client) -> None:
        kinds = [{"kind": kind, "window": 3} for kind in ("simple", "exponential", "weighted")]
        found = analyzed(client, values=[3, 6, 9, 0], step_seconds=60, averages=kinds, include=[])

        assert found["summary"] is None
        assert [each["values"] for each in found["averages"]] == [[None, None, 6.0, 5.0], [3.0, 4.5, 6.75, 3.375], [None, None, 7.0, 4.0]]

    def test_a_day_is_no_shift_of_level_and_hides_none(self, client: Client) -> None:
        steps = np.arange(24 * 14)
        noise = np.random.default_rng(4).normal(0, 0.1, len(steps))
        day = 10 + 3 * np.sin(2 * np.pi * steps / 24) + noise
        assert analyzed(client, values=day.tolist(), step_seconds=3600)["changes"] == []
        (change,) = analyzed(client, values=(day + 2 * (steps >= 200)).tolist(), step_seconds=3600)["changes"]
        assert abs(change["step"] - 200) <= 1
        assert change["after"] - change["before"] == pytest.approx(2, abs=0.1)

    def test_a_shift_of_level_is_found_where_it_is(self, client: Client) -> None:
        values = [1.0 + 0.01 * (i % 3) for i in range(30)] + [2.0 + 0.01 * (i % 3) for i in range(30)]
        (change,) = analyzed(client, values=values, start="2026-11-01T00:00:00Z", step_seconds=3600)["changes"]
        assert (change["step"], change["time"]) == (30, "2026-11-02T06:00:00Z")
        assert (change["before"], change["after"]) == pytest.approx((1.01, 2.01))

    def test_a_constant_has_no_spread_and_no_trend(self, client: Client) -> None:
        found = analyzed(client, values=[5.0] * 50, step_seconds=60)
        assert (found["summary"]["deviation"], found["summary"]["autocorrelation"], found["trend"]["direction"]) == (0.0, None, "none")
        assert (found["changes"], found["seasons"]) == ([], [])

    def test_one_value_is_told_with_a_warning(self, client: Client) -> None:
        found = analyzed(client, values=[5.0], step_seconds=60)
        assert (found["summary"]["mean"], found["summary"]["deviation"], found["trend"]["growth_per_week"]) == (5.0, None, None)
        assert "Fewer than ten values" in found["warnings"][0]

    def test_points_at_the_same_time_count_once(self, client: Client) -> None:
        points = [{"time": f"2026-11-01T00:0{minute}:00Z", "value": value} for minute, value in ((0, 1), (1, 2), (1, 4), (3, 5))]
        found = analyzed(client, series=[{"name": "p", "points": points}])
        assert (found["steps"], found["missing"], found["summary"]["mean"]) == (4, 1, 3.0)
        assert any("more than one point" in warning for warning in found["warnings"])

    def test_stored_usage_is_summed_over_pods(self, client: Client, cluster_id: str) -> None:
        found = analyzed(client, selection={"cluster_id": cluster_id, "workload": "db", "step_seconds": 3600})
        assert (found["unit"], found["step_seconds"], found["missing"]) == ("cores", 3600.0, 0)
        assert found["summary"]["mean"] == pytest.approx(1.0, rel=1e-6)  # two pods of half a core


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({}, "#"),
    ({"values": [1, "2"]}, "#/values/1"),
    ({"values": [1, True]}, "#/values/1"),
    ({"values": [1e101]}, "#/values/0"),
    ({"values": []}, "#/values"),
    ({"values": [None, None]}, "#/values"),
    ({"values": [1.0] * 20_001}, "#/values"),
    ({"series": [{"name": "a", "values": [1], "step_seconds": 0}]}, "#/series/0/step_seconds"),
    ({"series": [{"name": "a", "points": [{"time": "2026-11-01T01:00:00Z", "value": 1}, {"time": "2026-11-01T00:00:00Z", "value": 1}]}]},
     "#/series/0/points/1/time"),
    ({"series": [{"name": "a", "points": [{"time": "2026-11-01T01:00:00", "value": 1}]}]}, "#/series/0/points/0/time"),
    ({"series": [{"name": "a"}]}, "#/series/0"),
    ({"values": [1, 2], "averages": [{"kind": "simple", "window": 0}]}, "#/averages/0/window"),
    ({"values": [1, 2], "confidence_level": 1}, "#/confidence_level"),
    ({"values": [1, 2], "selection": {"cluster_id": "cl_1"}}, "#"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "pointer"), FAULTS)
def test_what_is_wrong_with_a_series_is_told_with_its_place(client: Client, body: dict[str, Any], pointer: str) -> None:
    problem = client.post(f"{GROUP}/analyze", body).problem(422, "invalid-request")
    assert pointer in {error["pointer"] for error in problem["errors"]}


class TestOfClusters:
    def test_the_workload_that_grows_comes_first(self, client: Client, cluster_id: str) -> None:
        found = client.get(f"{GROUP}/trends/{cluster_id}", {"step_seconds": 3600}).expect(200)
        first = found["items"][0]
        assert (found["total"], first["labels"]["workload"], first["trend"]["direction"]) == (3, "batch", "rising")
        assert first["trend"]["least_squares"]["slope_per_week"] == pytest.approx(1.68, rel=1e-5)  # a hundredth of a core an hour

    def test_the_hour_explains_the_variance_of_a_day(self, client: Client, cluster_id: str) -> None:
        found = client.get(f"{GROUP}/variance/{cluster_id}", {"workload": "api", "step_seconds": 3600}).expect(200)
        assert found["hour_anova"]["explained"] > 0.99
        assert len(found["by_hour"]) == 24
        assert found["by_hour"][6]["mean"] == pytest.approx(3.0, rel=1e-6)

    @pytest.mark.parametrize("path", ["trends", "variance"])
    def test_a_cluster_that_is_not_there_is_404(self, client: Client, path: str) -> None:
        assert client.get(f"{GROUP}/{path}/{NOWHERE}").problem(404, "not-found")["status"] == 404

    def test_a_cluster_that_was_not_collected_is_409(self, client: Client) -> None:
        assert client.get(f"{GROUP}/trends/{cluster_of(client.services)}").problem(409, "nothing-collected")["status"] == 409

    def test_a_step_that_is_no_multiple_is_told(self, client: Client, cluster_id: str) -> None:
        problem = client.get(f"{GROUP}/trends/{cluster_id}", {"step_seconds": 301}).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == "?step_seconds"


class TestCorrelation:
    def test_a_line_is_correlated_wholly(self, client: Client) -> None:
        (pair,) = client.post(f"{GROUP}/correlation", {"x": [1, 2, 3, 4], "y": [3, 5, 7, 9]}).expect(200)["pairs"]
        assert (pair["coefficient"], pair["pairs"]) == (pytest.approx(1.0), 4)

    def test_what_follows_has_a_positive_lag(self, client: Client) -> None:
        x = [float((7 * i * i) % 11) for i in range(60)]
        (pair,) = client.post(f"{GROUP}/correlation", {"x": x, "y": [0.0, 0.0, *x[:-2]], "max_lag": 5}).expect(200)["pairs"]
        assert (pair["best_lag"], len(pair["lags"])) == (2, 11)

    def test_a_constant_has_no_coefficient(self, client: Client) -> None:
        (pair,) = client.post(f"{GROUP}/correlation", {"x": [1, 1, 1, 1], "y": [3, 5, 7, 9]}).expect(200)["pairs"]
        assert (pair["coefficient"], pair["p_value"]) == (None, None)

    def test_every_pair_of_stored_parts_is_told(self, client: Client, cluster_id: str) -> None:
        asked = {"selection": {"cluster_id": cluster_id, "split": "workload", "step_seconds": 3600}, "method": "spearman"}
        assert len(client.post(f"{GROUP}/correlation", asked).expect(200)["pairs"]) == 3

    def test_walks_that_go_together_by_chance_are_told_of(self, client: Client) -> None:
        walks = np.random.default_rng(8).normal(size=(2, 300)).cumsum(axis=1)
        (pair,) = client.post(f"{GROUP}/correlation", {"x": walks[0].tolist(), "y": walks[1].tolist()}).expect(200)["pairs"]
        r, s = (float((away[1:] * away[:-1]).sum() / (away**2).sum()) for away in walks - walks.mean(axis=1, keepdims=True))
        assert pair["effective_pairs"] == pytest.approx(300 * (1 - r * s) / (1 + r * s))
        assert pair["p_value"] < 1e-6
        assert pair["p_value_correlated"] > 0.01
        assert "move slowly" in pair["warnings"][0]

    def test_independent_samples_are_worth_all_of_them(self, client: Client) -> None:
        pair = {"x": [1, 9, 2, 8, 3, 7], "y": [2, 8, 1, 9, 4, 6]}
        (found,) = client.post(f"{GROUP}/correlation", pair).expect(200)["pairs"]
        assert (found["effective_pairs"], found["p_value_correlated"], found["warnings"]) == (6.0, pytest.approx(found["p_value"]), [])

    def test_series_with_times_are_compared_at_the_same_times(self, client: Client) -> None:
        y = {"values": [5.0, 1.0, 4.0, 2.0, 6.0], "start": "2026-11-01T02:00:00Z", "step_seconds": 3600.0}
        x = {"values": [9.0, 9.5, 5.0, 1.0, 4.0, 2.0], "start": "2026-11-01T00:00:00Z", "step_seconds": 3600.0}
        (pair,) = client.post(f"{GROUP}/correlation", {"x": x, "y": y}).expect(200)["pairs"]
        assert (pair["pairs"], pair["coefficient"]) == (4, pytest.approx(1.0))

    @pytest.mark.parametrize(
        ("change", "detail"),
        [({"step_seconds": 60.0}, "different steps"), ({"start": "2026-11-01T00:30:00Z"}, "different steps"), ({"start": "2026-12-01T00:00:00Z"}, "no time")],
    )  # fmt: skip
    def test_series_without_common_times_are_refused(self, client: Client, change: Any, detail: str) -> None:
        x = {"values": [1.0, 2.0, 4.0], "start": "2026-11-01T00:00:00Z", "step_seconds": 3600.0}
        (error,) = client.post(f"{GROUP}/correlation", {"x": x, "y": x | change}).problem(422, "invalid-request")["errors"]
        assert (error["pointer"], detail in error["detail"]) == ("#/y", True)

    @pytest.mark.parametrize("body", [{"x": [1, 2]}, {"x": [1, 2], "y": [1]}, {"values": [1, 2, 3]}, {"x": [], "y": []}])
    def test_series_that_do_not_go_together_are_refused(self, client: Client, body: Any) -> None:
        assert client.post(f"{GROUP}/correlation", body).problem(422, "invalid-request")["errors"]


class TestRegression:
    def test_a_line_is_found_and_followed(self, client: Client) -> None:
        found = client.post(f"{GROUP}/regression", {"x": [0, 1, 2, 3], "y": [1, 3, 5, 7], "predict_at": [[10]]}).expect(200)
        assert [each["value"] for each in found["coefficients"]] == pytest.approx([1.0, 2.0])
        assert (found["predicted"], found["r_squared"]) == (pytest.approx([21.0]), pytest.approx(1.0))

    def test_the_degree_is_chosen(self, client: Client) -> None:
        x = [float(i) for i in range(30)]
        y = [0.5 * v * v - 3 * v + 2 + 0.1 * ((7 * i) % 5 - 2) for i, v in enumerate(x)]
        found = client.post(f"{GROUP}/regression", {"x": x, "y": y, "kind": "polynomial"}).expect(200)
        assert found["degree"] == 2
        assert found["powers"][2] == pytest.approx(0.5, rel=1e-3)

    def test_stored_usage_is_fitted_over_days(self, client: Client, cluster_id: str) -> None:
        # batch grows by a hundredth of a core an hour, in steps at the full hour.
        selection = {"cluster_id": cluster_id, "workload": "batch", "step_seconds": 3600}
        found = client.post(f"{GROUP}/regression", {"selection": selection, "predict_at": [[7.0]]}).expect(200)
        assert [each["name"] for each in found["coefficients"]] == ["intercept", "days"]
        assert [each["value"] for each in found["coefficients"]] == pytest.approx([0.5, 0.24], rel=1e-6)
        assert (found["points"], found["predicted"]) == (168, pytest.approx([0.5 + 7 * 0.24], rel=1e-6))

    def test_stored_usage_takes_no_columns_beside_it(self, client: Client) -> None:
        selection = {"cluster_id": NOWHERE}
        for more in ({"y": [1.0, 2.0]}, {"kind": "multiple"}, {"selection": selection | {"split": "workload"}}):
            assert client.post(f"{GROUP}/regression", {"selection": selection} | more).problem(422, "invalid-request")
        assert client.post(f"{GROUP}/regression", {"selection": selection}).problem(404, "not-found")

    def test_predictors_that_depend_on_each_other_are_told_of(self, client: Client) -> None:
        a = [1.0, 2.0, 3.0, 4.0, 6.0]
        predictors = [{"name": "a", "values": a}, {"name": "twice", "values": [2 * v for v in a]}]
        found = client.post(f"{GROUP}/regression", {"kind": "multiple", "y": [1, 2, 3, 4, 5], "predictors": predictors}).expect(200)
        assert len(found["warnings"]) == 2
        assert found["coefficients"][1]["p_value"] is None

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({"y": [1, 2], "x": [1, 2]}, "#/y"), ({"y": [1, 2, 3], "x": [1, 2]}, "#"), ({"y": [1, 2, 3], "x": [1, 1, 1], "kind": "polynomial"}, "#/y"),
         ({"y": [1, None, 3], "x": [1, 2, 3]}, "#/y/1"), ({"y": [1, 2, 3], "kind": "multiple"}, "#")],
    )  # fmt: skip
    def test_what_cannot_be_fitted_is_told(self, client: Client, body: Any, pointer: str) -> None:
        problem = client.post(f"{GROUP}/regression", body).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == pointer


def test_who_may_not_read_predictions_is_refused(client: Client) -> None:
    nobody = client.as_user("clusters:read")
    assert nobody.post(f"{GROUP}/analyze", {"values": [1, 2]}).problem(403, "forbidden")["permission"] == "predictions:read"
    assert client.anonymous().post(f"{GROUP}/analyze", {"values": [1, 2]}).problem(401, "unauthenticated")["status"] == 401
