"""Patterns and anomalies over the API."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from functional.client import Client
from functional.usage import NOWHERE, stored

from upid.bootstrap import Services

GROUP = "/patterns"
NOISE = [float(value) for value in np.random.default_rng(1).normal(0, 0.1, 24 * 14)]
BACKUPS = [1 + NOISE[i] + (4 if i % 24 == 3 else 0) for i in range(24 * 14)]  # each night at three
BEGIN = "2026-11-01T00:00:00Z"


@pytest.fixture
def cluster_id(services: Services) -> str:
    """A cluster with a week of usage: `api` has a day, `db` is flat, `batch` grows."""
    return stored(services)


class TestDetect:
    def test_a_nightly_peak_recurs(self, client: Client) -> None:
        (found,) = client.post(f"{GROUP}/detect", {"values": BACKUPS, "step_seconds": 3600, "start": BEGIN}).expect(200)["series"]
        (recurring,) = found["recurring"]

        assert (found["kind"], found["peak_count"], found["seasons"][0]["name"]) == ("periodic", 14, "daily")
        assert (recurring["period_seconds"], recurring["phase_seconds"], recurring["cycles"]) == (86400.0, 3 * 3600.0, 14)
        assert recurring["next"] == "2026-11-15T03:00:00Z"

    @pytest.mark.parametrize(
        ("values", "kind"),
        [([1 + n for n in NOISE], "steady"), ([1 + i / 100 + n for i, n in enumerate(NOISE)], "growing"),
         ([(50.0 if (i * i) % 97 == 4 else 1.0) for i in range(300)], "bursty"), ([5 - i / 100 + n for i, n in enumerate(NOISE)], "falling")],
    )  # fmt: skip
    def test_its_kind_is_told(self, client: Client, values: list[float], kind: str) -> None:
        (found,) = client.post(f"{GROUP}/detect", {"values": values, "step_seconds": 3600}).expect(200)["series"]
        assert found["kind"] == kind

    def test_nothing_is_found_in_a_constant(self, client: Client) -> None:
        (found,) = client.post(f"{GROUP}/detect", {"values": [3.0] * 100, "step_seconds": 3600}).expect(200)["series"]
        assert (found["kind"], found["peaks"], found["seasons"], found["changes"]) == ("steady", [], [], [])


class TestOfClusters:
    def test_parts_have_kinds(self, client: Client, cluster_id: str) -> None:
        found = client.get(f"{GROUP}/{cluster_id}", {"step_seconds": 3600}).expect(200)
        kinds = {item["labels"]["workload"]: item["kind"] for item in found["items"]}
        assert kinds == {"api": "periodic", "db": "steady", "batch": "growing"}

    def test_recurring_peaks_of_all_parts_are_told(self, client: Client, cluster_id: str) -> None:
        found = client.get(f"{GROUP}/recurring", {"cluster_id": cluster_id, "step_seconds": 3600}).expect(200)
        assert found["looked_at"] == 3
        assert {item["labels"]["workload"] for item in found["items"]} == {"api"}
        assert found["items"][0]["period_seconds"] == 86400.0

    def test_what_is_not_there_is_404(self, client: Client) -> None:
        assert client.get(f"{GROUP}/{NOWHERE}").problem(404, "not-found")["status"] == 404
        assert client.get(f"{GROUP}/recurring", {"cluster_id": NOWHERE}).problem(404, "not-found")["status"] == 404

    def test_recurring_needs_a_cluster(self, client: Client) -> None:
        assert client.get(f"{GROUP}/recurring").problem(422, "invalid-request")["errors"][0]["pointer"] == "?cluster_id"


@pytest.mark.parametrize(
    ("days", "step_hours", "name"),
    [(1, 1, "daily"), (7, 6, "weekly"), (30, 24, "monthly"), (31, 24, "monthly"), (3, 6, "other"), (0, 1, None)],
)
def test_a_season_has_the_name_of_its_length(client: Client, days: int, step_hours: int, name: str | None) -> None:
    noise, steps = np.random.default_rng(8).normal(0, 0.3, 300), np.arange(300)
    values = noise + (2 * np.sin(2 * np.pi * steps * step_hours / (24 * days)) if days else 0)
    (found,) = client.post(f"{GROUP}/seasonal", {"values": values.tolist(), "step_seconds": 3600 * step_hours}).expect(200)["series"]
    assert ([each["name"] for each in found["seasons"]] or [None])[0] == name


def test_one_event_hides_no_season(client: Client) -> None:
    values = 10 + 3 * np.sin(2 * np.pi * np.arange(336) / 24) + np.random.default_rng(5).normal(0, 0.3, 336)
    values[200:204] = 60.0
    (found,) = client.post(f"{GROUP}/seasonal", {"values": values.tolist(), "step_seconds": 3600}).expect(200)["series"]
    assert [each["period_steps"] for each in found["seasons"]] == [24]


def test_seasons_come_with_their_mean_cycle(client: Client) -> None:
    (found,) = client.post(f"{GROUP}/seasonal", {"values": BACKUPS, "step_seconds": 3600}).expect(200)["series"]
    assert found["seasons"][0]["p_value"] < 0.01
    assert found["profile"][3]["mean"] == pytest.approx(sum(BACKUPS[3::24]) / 14)


def anomalies(client: Client, **asked: Any) -> Any:
    return client.post(f"{GROUP}/anomaly-detection", {"step_seconds": 60, **asked}).expect(200)["series"][0]


class TestAnomalies:
    @pytest.mark.parametrize("causal", [True, False])
    @pytest.mark.parametrize("detector", ["standard_deviation", "z_score", "robust_z", "iqr", "percentile_band", "seasonal_residual"])
    def test_every_detector_finds_a_spike(self, client: Client, detector: str, causal: bool) -> None:
        values = [1 + NOISE[i] for i in range(200)]
        values[150] = 9.0
        asked = {"detector": detector, "causal": causal, "period_steps": 12, "threshold": 6.0}
        found = anomalies(client, values=values, start=BEGIN, **asked)
        highest = max(found["alarms"], key=lambda alarm: alarm["score"])
        assert (highest["first_step"], highest["last_step"], highest["value"], highest["start"]) == (150, 150, 9.0, "2026-11-01T02:30:00Z")
        assert found["alarm_count"] <= 2 or detector == "percentile_band"  # a band of 98 % leaves 2 % out by what it is

    def test_one_event_is_one_alarm_until_it_cooled_down(self, client: Client) -> None:
        values = [1 + n for n in NOISE[:100]]
        values[50] = values[52] = values[54] = 9.0
        assert [a["steps"] for a in anomalies(client, values=values, cool_down_steps=3)["alarms"]] == [3]
        assert [a["steps"] for a in anomalies(client, values=values, cool_down_steps=1)["alarms"]] == [1, 1, 1]

    def test_the_first_change_of_a_constant_is_found(self, client: Client) -> None:
        found = anomalies(client, values=[0.0] * 20 + [1.0], causal=True)
        assert (found["alarms"][0]["first_step"], found["score"][20]) == (20, 1e6)

    def test_streaming_does_not_change_what_was_told(self, client: Client) -> None:
        whole, part = (anomalies(client, values=BACKUPS[:n], causal=True)["score"] for n in (100, 60))
        assert whole[:60] == part

    @pytest.mark.parametrize("more", [{}, {"period_steps": 24}])
    def test_streaming_by_season_does_not_change_what_was_told(self, client: Client, more: Any) -> None:
        # The season is found on the way, and the size of what comes later is not known before.
        values, asked = [*BACKUPS[:300], 1e9, *BACKUPS[:10]], {"detector": "seasonal_residual", "causal": True} | more
        whole, part = (anomalies(client, values=values[:n], **asked)["score"] for n in (311, 200))
        assert whole[:200] == part

    def test_the_season_is_found_on_the_way(self, client: Client) -> None:
        found = anomalies(client, values=BACKUPS, detector="seasonal_residual", causal=True, threshold=8.0)
        assert found["period_steps"] == 24
        assert any("before step 128" in warning for warning in found["warnings"])
        # From there on the nightly peak is expected; before it was an alarm.
        assert {alarm["first_step"] // 128 for alarm in found["alarms"]} == {0}

    def test_scores_are_left_out_where_not_asked(self, client: Client) -> None:
        assert anomalies(client, values=BACKUPS, scores=False)["score"] is None

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({"threshold": 0}, "#/threshold"), ({"detector": "oracle"}, "#/detector"), ({"tail": 0.5}, "#/tail"), ({"cool_down_steps": 0}, "#/cool_down_steps"),
         ({"values": [1.0, 2.0] * 4000, "causal": True}, "#/window_steps"), ({"causal": 1}, "#/causal")],
    )  # fmt: skip
    def test_impossible_parameters_are_told(self, client: Client, body: Any, pointer: str) -> None:
        problem = client.post(f"{GROUP}/anomaly-detection", {"values": BACKUPS} | body).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == pointer
