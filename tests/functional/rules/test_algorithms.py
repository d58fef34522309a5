"""Algorithms over the API."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import orjson
import pytest
from functional.client import Client
from worlds.collection import World

from upid.services.algorithms.registry import ALGORITHMS

PRESET = {"name": "Slow average", "algorithm": "exponential-moving-average", "parameters": {"alpha": 0.1}}
DAY = [1.0 + math.sin(step / 24 * 2 * math.pi) for step in range(24 * 14)]


def executed(api: Client, algorithm: str, body: dict[str, Any]) -> Any:
    return api.post(f"/algorithms/{algorithm}/execute", body).expect(201)


def result(api: Client, algorithm: str, values: list[Any], **parameters: Any) -> Any:
    return executed(api, algorithm, {"values": values, "step_seconds": 3600, "parameters": parameters})["output"]["series"][0]["result"]


class TestPresets:
    def test_the_algorithms_are_listed_with_their_parameters(self, api: Client) -> None:
        items = api.get("/algorithms", {"limit": 500}).expect(200)["items"]
        assert {each["id"] for each in items} == set(ALGORITHMS)
        assert all(each["source"] and each["description"] and each["version"] >= 1 for each in items)
        (knob,) = api.get("/algorithms/density-quantile").expect(200)["parameters"]
        assert (knob["name"], knob["minimum"], knob["maximum"], knob["unit"]) == ("allowed_time_above", 1e-6, 0.5, "1")

    def test_a_preset_is_registered_changed_and_run(self, api: Client) -> None:
        preset = api.post("/algorithms", PRESET).expect(201)
        assert (preset["built_in"], preset["preset"], preset["version"]) == (False, {"alpha": 0.1}, 1)
        changed = api.put(f"/algorithms/{preset['id']}", PRESET | {"parameters": {"alpha": 0.5}}, headers={"If-Match": '"1"'}).expect(200)
        assert changed["version"] == 2
        assert api.put(f"/algorithms/{preset['id']}", PRESET, headers={"If-Match": '"1"'}).problem(412, "version-conflict")
        assert executed(api, preset["id"], {"values": [1.0, 3.0]})["output"]["series"][0]["result"]["values"] == [1.0, 2.0]

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"algorithm": "magic"}, "#/algorithm"), ({"parameters": {"alpha": 2}}, "#/parameters/alpha"), ({"parameters": {"beta": 1}}, "#/parameters/beta"),
            ({"name": ""}, "#/name"),
        ],
    )  # fmt: skip
    def test_a_faulty_preset_is_refused_with_a_pointer(self, api: Client, change: Any, pointer: str) -> None:
        assert api.post("/algorithms", PRESET | change).problem(422, "invalid-request")["errors"][0]["pointer"] == pointer

    def test_an_algorithm_of_the_engine_does_not_change(self, api: Client) -> None:
        assert api.put("/algorithms/forecast", PRESET).problem(409, "built-in-algorithm")
        assert api.get("/algorithms/alg_none").problem(404, "not-found")

    def test_permissions_are_held(self, api: Client) -> None:
        reader = api.as_user("algorithms:read")
        assert reader.get("/algorithms").status == 200
        assert reader.post("/algorithms", PRESET).problem(403, "forbidden")
        assert reader.post("/algorithms/describe/execute", {"values": [1.0]}).problem(403, "forbidden")


class TestExecute:
    def test_quantiles_are_those_of_numpy(self, api: Client) -> None:
        values = np.random.default_rng(3).gamma(2, 1, 500).tolist()
        found = result(api, "exact-quantile", [*values, None], probability=0.9)
        assert found["quantile"] == pytest.approx(float(np.quantile(values, 0.9)), rel=1e-11)

    def test_a_right_sized_request_holds_nearly_all_of_the_use(self, api: Client) -> None:
        values = np.random.default_rng(5).gamma(4, 0.1, 24 * 14).tolist()
        loose, tight = (result(api, "right-sizing", values, allowed_time_above=knob)["request"] for knob in (0.001, 0.2))
        assert max(values) * 2 > loose > tight > float(np.mean(values))

    def test_a_line_is_found_by_both_trends(self, api: Client) -> None:
        for name in ("least-squares-trend", "theil-sen-trend"):
            assert result(api, name, list(range(200)))["slope_per_week"] == pytest.approx(168.0)

    def test_a_day_is_found_as_a_period(self, api: Client) -> None:
        assert result(api, "seasonality", DAY)["seasons"][0]["period"] == 24

    def test_a_forecast_goes_on_with_the_cycle(self, api: Client) -> None:
        found = result(api, "forecast", DAY, method="seasonal_naive", horizon=24, period=24)
        assert found["mean"] == pytest.approx(DAY[:24], abs=1e-6)

    def test_growth_goes_on_and_a_polynomial_is_found(self, api: Client) -> None:
        # A step is an hour: 24 a day, and 23 more at the last of a hundred days.
        line = [float(step) for step in range(2400)]
        assert result(api, "growth-projection", line, days_ahead=1.0)["projected"] == pytest.approx(2399 + 24)
        parabola = [(step / 100) ** 2 for step in range(300)]
        found = result(api, "polynomial-trend", parabola)
        assert found["degree"] >= 2
        assert found["fitted"] == pytest.approx(parabola, abs=1e-9)

    def test_peaks_thresholds_and_hours_are_those_of_the_series(self, api: Client) -> None:
        spike = [1.0] * 50 + [9.0, 9.0] + [1.0] * 48
        (peak,) = result(api, "peaks", spike)["peaks"]
        assert (peak["first"], peak["last"], peak["width"], peak["value"]) == (50, 51, 2, 9.0)
        assert result(api, "alarm-threshold", list(range(101)), method="percentile", sensitivity=0.9)["threshold"] == 90.0
        hours = result(api, "variance-by-hour", DAY)
        assert [hour["count"] for hour in hours["hours"]] == [14] * 24
        assert hours["explained"] == pytest.approx(1.0)

    def test_classical_parts_add_up(self, api: Client) -> None:
        parts = result(api, "classical-decomposition", DAY, period=24)
        whole = [
            trend + season + rest
            for trend, season, rest in zip(parts["trend"], parts["season"], parts["rest"], strict=True)
            if trend is not None
        ]
        assert whole == pytest.approx(DAY[12:-12], abs=1e-9)

    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_every_algorithm_runs_with_its_defaults(self, api: Client, algorithm: str) -> None:
        found = executed(api, algorithm, {"values": DAY, "step_seconds": 3600})
        assert found["output"]["algorithm"] == algorithm
        assert found["output"]["series"][0]["result"]

    def test_runs_on_stored_usage(self, api: Client, cluster_id: str) -> None:
        selection = {"cluster_id": cluster_id, "split": "workload", "namespace": "shop"}
        found = executed(api, "describe", {"selection": selection})["output"]["series"]
        assert len(found) == 3
        assert all(series["unit"] == "cores" and series["result"]["mean"] > 0 for series in found)

    @pytest.mark.parametrize(
        ("algorithm", "body", "pointer"),
        [
            ("describe", {}, "#"), ("describe", {"values": []}, "#/values"), ("describe", {"values": [1, "x"]}, "#/values/1"),
            ("describe", {"values": [None]}, "#/values"), ("forecast", {"values": [1.0], "parameters": {"horizon": 0}}, "#/parameters/horizon"),
            ("stl-decomposition", {"values": [1.0, 2.0]}, "#/series/0"), ("right-sizing", {"values": [-1.0]}, "#/series/0"),
            ("forecast", {"values": [1.0]}, "#/series/0"),
        ],
    )  # fmt: skip
    def test_tells_what_is_wrong(self, api: Client, algorithm: str, body: Any, pointer: str) -> None:
        problem = api.post(f"/algorithms/{algorithm}/execute", body).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == pointer

    def test_what_was_not_collected_is_409(self, api: Client, world: World) -> None:
        body = {"selection": {"cluster_id": world.register()}}
        assert api.post("/algorithms/describe/execute", body).problem(409, "nothing-collected")


class TestResults:
    def test_are_found_again_newest_first(self, api: Client) -> None:
        runs = [executed(api, "describe", {"values": [float(n), 2.0]}) for n in range(3)]
        found = api.get("/algorithms/describe/results", {"limit": 2}).expect(200)
        assert found["items"] == [runs[2], runs[1]]
        assert api.get("/algorithms/describe/results", {"limit": 2, "cursor": found["next_cursor"]}).expect(200)["items"] == [runs[0]]
        assert api.get("/algorithms/describe/results", {"run_id": runs[1]["run_id"]}).expect(200)["items"] == [runs[1]]
        assert api.get("/algorithms/describe/results", {"run_id": "run_no"}).problem(404, "not-found")

    def test_are_the_same_bytes_for_the_same_input(self, api: Client, world: World) -> None:
        body = {"values": DAY, "step_seconds": 3600, "parameters": {"period": 24, "horizon": 12}}
        first, second = executed(api, "forecast", body), executed(api, "forecast", body)
        stored = [world.services.blobs.get(f"t/default/algorithm-runs/{run['run_id']}.json") for run in (first, second)]
        assert bytes(stored[0]) == bytes(stored[1])
        assert first["digest"] == second["digest"] == hashlib.sha256(bytes(stored[0])).hexdigest()
        assert orjson.loads(stored[0]) == first["output"]
        assert executed(api, "forecast", body | {"values": DAY[1:]})["output"]["input_digest"] != first["output"]["input_digest"]
