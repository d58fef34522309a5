"""Statistics over the API."""

from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client

GROUP = "/statistics"
RAMP = [float(i) for i in range(1, 21)]


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
