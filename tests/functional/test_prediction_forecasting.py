"""Forecasts over the API: made, kept, judged."""

from __future__ import annotations

import math
from typing import Any

import pytest
from functional.client import Client
from functional.usage import NOWHERE, START, WEEK, append, cluster_of, stored

from upid.bootstrap import Services
from upid.domain.times import format_time
from upid.services import forecasting, forecasts
from upid.services.series import MOST_FITTED

GROUP = "/forecasting"
DAYS = [10 + 3 * math.sin(2 * math.pi * hour / 24) + 0.1 * ((7 * hour) % 5 - 2) for hour in range(24 * 10)]


@pytest.fixture
def cluster_id(services: Services) -> str:
    """A cluster with a week of usage: `api` has a day, `db` is flat, `batch` grows."""
    return stored(services)


def predicted(client: Client, **body: Any) -> Any:
    return client.post(f"{GROUP}/predict", {"step_seconds": 3600} | body).expect(200)


class TestPredict:
    def test_a_day_goes_on(self, client: Client) -> None:
        found = predicted(client, values=DAYS, horizon=24, start="2026-11-01T00:00:00Z")

        assert (found["period_steps"], found["start"]) == (24, "2026-11-11T00:00:00Z")
        truth = [10 + 3 * math.sin(2 * math.pi * hour / 24) for hour in range(24)]
        assert max(abs(a - b) for a, b in zip(found["mean"], truth, strict=True)) < 0.3
        assert all(
            a <= b <= c <= d <= e for a, b, c, d, e in zip(*(found[k] for k in ("low95", "low80", "mean", "high80", "high95")), strict=True)
        )
        assert found["backtest"]["folds"] == 5
        assert 0 < found["confidence"]["score"] <= 1

    @pytest.mark.parametrize(
        "method",
        ["naive", "mean", "seasonal_naive", "linear", "ses", "holt", "holt_damped", "theta", "holt_winters", "holt_winters_damped",
         "holt_winters_multiplicative", "holt_winters_multiplicative_damped", "arima", "combination"],
    )  # fmt: skip
    def test_every_method_answers_numbers(self, client: Client, method: str) -> None:
        found = predicted(client, values=DAYS[:120], horizon=12, method=method, period_steps=24)
        assert found["method"] == method
        assert all(math.isfinite(value) for name in ("mean", "low95", "high95") for value in found[name])

    def test_a_straight_line_goes_straight_on(self, client: Client) -> None:
        found = predicted(client, values=[2.0 * i + 1 for i in range(40)], horizon=3, method="linear")
        assert found["mean"] == pytest.approx([81.0, 83.0, 85.0])

    def test_gaps_are_told_and_filled(self, client: Client) -> None:
        found = predicted(client, values=[*DAYS[:50], None, None, *DAYS[52:]], horizon=2)
        assert found["series"]["missing"] == 2
        assert any("2 of 240 steps" in warning for warning in found["series"]["warnings"])

    def test_nothing_below_zero_where_asked(self, client: Client) -> None:
        found = predicted(client, values=[float(20 - i) for i in range(20)], horizon=10, method="linear", non_negative=True)
        assert min(found["low95"]) == min(found["mean"]) == 0.0

    def test_it_is_kept_and_read_again(self, client: Client) -> None:
        made = predicted(client, values=DAYS, horizon=3)
        assert client.get(f"{GROUP}/{made['id']}").expect(200) == made

    def test_it_is_not_kept_where_not_asked(self, client: Client) -> None:
        assert predicted(client, values=DAYS, horizon=3, store=False)["id"] is None

    def test_of_another_tenant_it_is_not_there(self, client: Client) -> None:
        made = predicted(client, values=DAYS[:30], horizon=3, method="naive")
        client.services.identity.create_user("stranger", "a password", ["*"], tenant="other")
        assert client.named("stranger").get(f"{GROUP}/{made['id']}").problem(404, "unknown-prediction")["status"] == 404

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"values": DAYS, "horizon": 0}, "#/horizon"), ({"values": DAYS, "horizon": 1001}, "#/horizon"), ({"values": DAYS, "method": "oracle"}, "#/method"),
            ({"values": [1, 2, 3], "method": "holt_winters", "period_steps": 2}, "#/method"), ({"values": [1]}, "#/method"),
            ({"values": [-1.0] * 60, "method": "holt_winters_multiplicative", "period_steps": 6}, "#/method"),
            ({"values": DAYS, "period_steps": 0}, "#/period_steps"), ({"values": DAYS, "store": "yes"}, "#/store"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_forecast_is_told(self, client: Client, body: Any, pointer: str) -> None:
        problem = client.post(f"{GROUP}/predict", body).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == pointer


def test_a_batch_is_in_the_order_of_its_series(client: Client) -> None:
    series = [{"name": f"s{n}", "values": [float(n)] * (20 + n % 2), "step_seconds": 60} for n in range(6)]
    items = client.post(f"{GROUP}/batch-predict", {"series": series, "horizon": 2}).expect(200)["items"]
    assert [(item["series"]["name"], item["mean"]) for item in items] == [(f"s{n}", [float(n)] * 2) for n in range(6)]
    assert len({item["id"] for item in items}) == 6


def test_a_series_that_begins_late_fails_no_batch(client: Client) -> None:
    series = [
        {"name": "late", "values": [None] * 100 + DAYS[100:140]},
        {"name": "whole", "values": DAYS[:140]},
        {"name": "gap", "values": [None] * 20 + DAYS[20:140]},
    ]
    late, whole, gap = client.post(f"{GROUP}/batch-predict", {"series": series, "horizon": 2}).expect(200)["items"]
    # 140 cut by a sixth six times is 45; once more would be fewer than the 40 that there are.
    assert [each["series"]["steps"] for each in (late, whole, gap)] == [45, 140, 140]
    assert any("no value in the first 100 steps" in warning for warning in late["series"]["warnings"])
    assert late["backtest"]["folds"] == 5


@pytest.mark.parametrize(("method", "status"), [("auto", 422), ("arima", 422), ("theta", 200)])
def test_a_batch_is_no_larger_than_a_method_is_done_with_in_time(
    client: Client, method: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "MOST_FITTED", dict.fromkeys(MOST_FITTED, 1000))
    series = [{"name": f"s{n}", "values": DAYS[:201]} for n in range(5)]
    answer = client.post(f"{GROUP}/batch-predict", {"series": series, "horizon": 1, "method": method, "period_steps": 1, "store": False})
    assert answer.status == status
    if status == 422:
        (error,) = answer.problem(422, "invalid-request")["errors"]
        assert (error["pointer"], "At most 1000 values" in error["detail"]) == ("#/method", True)


class TestDemand:
    def test_parts_add_up_to_the_whole(self, client: Client, cluster_id: str) -> None:
        found = client.get(f"{GROUP}/{cluster_id}/demand", {"step_seconds": 3600, "horizon": 24}).expect(200)

        parts = [sum(values) for values in zip(*(item["mean"] for item in found["items"]), strict=True)]
        assert (found["parts"], found["unit"]) == (3, "cores")
        assert found["total"]["mean"] == pytest.approx(parts)
        # 168 hours in: api at midnight 2, db 1, batch 0.5 + 1.68
        assert found["total"]["mean"][0] == pytest.approx(5.18, rel=0.05)

    @pytest.mark.parametrize("method", ["auto", "ses"])
    def test_a_part_with_little_history_fails_no_other(self, client: Client, method: str) -> None:
        cluster_id = stored(client.services, fresh=(WEEK - 1, WEEK), young=(WEEK - 40, WEEK), middle=(WEEK - 900, WEEK), ended=(0, 300))

        found = client.get(f"{GROUP}/{cluster_id}/demand", {"method": method, "horizon": 6}).expect(200)

        parts = [sum(values) for values in zip(*(item["mean"] for item in found["items"]), strict=True)]
        assert (found["parts"], found["total"]["mean"]) == (7, pytest.approx(parts))
        mean = {item["series"]["labels"]["workload"]: item["mean"] for item in found["items"]}
        assert mean["fresh"] == pytest.approx([1.0] * 6, rel=0.1)
        assert mean["young"] == pytest.approx([1.0] * 6, rel=0.1)
        held = "Held at their last value, not fit for `ses` (1): late/Deployment/fresh."
        assert found["warnings"] == ([] if method == "auto" else [held])

    def test_a_part_that_ended_before_the_newest_steps_is_left_out(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        cluster_id = stored(client.services, ended=(0, 300))
        monkeypatch.setattr(forecasting, "MOST_USED", 100)
        found = client.get(f"{GROUP}/{cluster_id}/demand", {"horizon": 2}).expect(200)
        assert found["parts"] == 3
        assert found["warnings"] == ["Left out, without a value in the newest steps (1): late/Deployment/ended."]

    def test_of_more_parts_than_auto_is_done_with_in_time_is_by_theta(
        self, client: Client, cluster_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(MOST_FITTED, "auto", 3 * 336 - 1)  # type: ignore[arg-type]
        found = client.get(f"{GROUP}/{cluster_id}/demand", {"horizon": 2}).expect(200)
        assert {item["method"] for item in found["items"]} == {"theta"}
        assert found["total"]["asked_method"] == "auto"
        assert len(found["warnings"]) == 1
        monkeypatch.setattr(forecasts, "MOST_FITTED_OTHERWISE", 3 * 336 - 1)
        problem = client.get(f"{GROUP}/{cluster_id}/demand", {"method": "ses"}).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == "?method"

    def test_of_a_single_step_names_the_query(self, client: Client, cluster_id: str) -> None:
        query = {"step_seconds": 86400, "start": format_time(START + 5 * 86400 + 300)}
        problem = client.get(f"{GROUP}/{cluster_id}/demand", query).problem(422, "invalid-request")
        assert problem["errors"] == [{"pointer": "?method", "detail": "A forecast needs two values at least."}]

    def test_of_a_namespace_that_is_not_there_is_404(self, client: Client, cluster_id: str) -> None:
        assert client.get(f"{GROUP}/{cluster_id}/demand", {"namespace": "gone"}).problem(404, "not-found")["status"] == 404

    def test_of_no_cluster_is_404(self, client: Client) -> None:
        assert client.get(f"{GROUP}/{NOWHERE}/demand").problem(404, "not-found")["status"] == 404

    def test_before_a_collection_is_409(self, client: Client) -> None:
        assert client.get(f"{GROUP}/{cluster_of(client.services)}/demand").problem(409, "nothing-collected")["status"] == 409


class TestSeasonalAnalysis:
    @pytest.mark.parametrize("method", ["stl", "classical", "classical_multiplicative"])
    def test_parts_make_up_the_values(self, client: Client, method: str) -> None:
        asked = {"values": DAYS, "step_seconds": 3600, "method": method}
        (found,) = client.post(f"{GROUP}/seasonal-analysis", asked).expect(200)["series"]
        trend, season, rest = (found[name][100] for name in ("trend", "season", "rest"))
        assert (found["seasons"][0]["name"], found["period_steps"]) == ("daily", 24)
        assert DAYS[100] == pytest.approx(trend * season * rest if "multi" in method else trend + season + rest)
        assert found["seasonal_strength"] > 0.95

    def test_without_a_season_there_are_no_parts(self, client: Client) -> None:
        (found,) = client.post(f"{GROUP}/seasonal-analysis", {"values": [float((7 * i * i) % 13) for i in range(40)]}).expect(200)["series"]
        assert (found["period_steps"], found["season"]) == (None, None)
        assert any("No significant season" in warning for warning in found["warnings"])

    def test_a_period_beyond_half_is_told(self, client: Client) -> None:
        problem = client.post(f"{GROUP}/seasonal-analysis", {"values": DAYS, "period_steps": 200}).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == "#/period_steps"


class TestConfidence:
    def test_the_catalogue_names_what_scores_are_made_of(self, client: Client) -> None:
        items = client.get("/confidence/metrics").expect(200)["items"]
        assert {"volume", "coverage", "accuracy", "calibration", "recency"} <= {item["name"] for item in items}

    def test_gaps_lower_it(self, client: Client) -> None:
        whole, holed = (
            client.post("/confidence/calculate", {"values": values}).expect(200)["series"][0]["confidence"]
            for values in (DAYS, [None if i % 2 else value for i, value in enumerate(DAYS)])
        )
        assert (whole["metrics"]["coverage"], holed["metrics"]["coverage"]) == (1.0, 0.5)
        assert holed["score"] < whole["score"]

    def test_a_prediction_is_judged_by_what_was_collected_since(self, client: Client, cluster_id: str) -> None:
        made = predicted(
            client,
            selection={"cluster_id": cluster_id, "workload": "api", "step_seconds": 3600},
            values=None,
            step_seconds=None,
            horizon=24,
        )
        before = client.get(f"/confidence/{made['id']}/score").expect(200)
        append(client.services, cluster_id, WEEK, WEEK + 144)  # twelve hours more
        after = client.get(f"/confidence/{made['id']}/score").expect(200)

        assert (before["outcome"]["points"], after["outcome"]["points"]) == (0, 12)
        assert after["outcome"]["mae"] < 0.05
        assert before["score_when_made"] == made["confidence"]["score"]

    def test_predictions_are_held_against_what_came(self, client: Client) -> None:
        made = predicted(client, values=DAYS, horizon=24)
        truth = [10 + 3 * math.sin(2 * math.pi * hour / 24) + 0.1 * ((7 * hour) % 5 - 2) for hour in range(240, 264)]
        found = client.post("/confidence/validate", {"predictions": [{"prediction_id": made["id"], "actual": truth}]}).expect(200)

        errors = [forecast - came for forecast, came in zip(made["mean"], truth, strict=True)]
        assert found["items"][0]["points"] == found["points"] == 24
        assert found["items"][0]["bias"] == pytest.approx(sum(errors) / 24)
        assert found["items"][0]["rmse"] == pytest.approx(math.sqrt(sum(e * e for e in errors) / 24))
        inside = sum(low <= came <= high for low, came, high in zip(made["low80"], truth, made["high80"], strict=True))
        assert next(line["observed"] for line in found["calibration"] if line["stated"] == 0.8) == pytest.approx(inside / 24)

    def test_without_what_came_there_is_nothing_to_compare(self, client: Client) -> None:
        made = predicted(client, values=DAYS, horizon=3)
        problem = client.post("/confidence/validate", {"predictions": [{"prediction_id": made["id"]}]}).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == "#/predictions/0/actual"

    @pytest.mark.parametrize("prediction_id", ["pred_01HZZZZZZZZZZZZZZZZZZZZZZZ", "x"])
    def test_an_unknown_prediction_is_404(self, client: Client, prediction_id: str) -> None:
        body = {"predictions": [{"prediction_id": prediction_id, "actual": [1]}]}
        assert client.get(f"/confidence/{prediction_id}/score").problem(404, "unknown-prediction")["status"] == 404
        assert client.post("/confidence/validate", body).problem(404, "unknown-prediction")["status"] == 404


@pytest.mark.parametrize("path", ["/forecasting/predict", "/forecasting/batch-predict"])
def test_who_may_only_read_predicts_nothing(client: Client, path: str) -> None:
    reader = client.as_user("predictions:read")
    assert reader.post(path, {"values": DAYS}).problem(403, "forbidden")["permission"] == "predictions:write"
