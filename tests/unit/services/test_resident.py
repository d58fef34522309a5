"""Working set against resident set: page cache is not need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit.engine.making import GIB, MIB, MONDAY, PER_DAY, current, prices, profile_of, samples
from worlds.analysis import TENANT, analyze, collected, listed
from worlds.collection import workload

from upid.engine.rightsizing.assess import assess
from upid.engine.rightsizing.columns import CODES
from upid.engine.rightsizing.options import Options
from upid.engine.usage.evidence import exact_evidence
from upid.ports.usage_history import HistoryScope, MetricChunk, SeriesKey
from upid.services.resident import resident_peaks
from upid.services.sizing import ContainerRow

ROWS = [ContainerRow("shop", "Deployment", "api", "uid-api", "app"), ContainerRow("shop", "Deployment", "web", "uid-web", "app")]


def chunk(values: Any, keys: list[SeriesKey]) -> MetricChunk:
    """Return resident sets of some series."""
    held = np.array(values, dtype=np.float32)
    return MetricChunk("memory_detail", keys, MONDAY, MONDAY + 300 * held.shape[1], 300, {"memory_rss_bytes": held})


def test_the_busiest_pod_counts_and_too_few_samples_tell_nothing() -> None:
    keys = [
        SeriesKey("uid-api", "app", "a"),
        SeriesKey("uid-api", "app", "b"),
        SeriesKey("uid-web", "app", "c"),
        SeriesKey("uid-x", "app", "d"),
    ]
    given = chunk([[1, 2, 3], [4, np.nan, 2], [7, np.nan, np.nan], [9, 9, 9]], keys)

    assert resident_peaks(ROWS, [given], np.array([5, 1])).tolist() == [4, 7]
    np.testing.assert_array_equal(resident_peaks(ROWS, [given], np.array([6, 2])), [np.nan, np.nan])
    np.testing.assert_array_equal(resident_peaks(ROWS, [], np.array([0, 0])), [np.nan, np.nan])


@pytest.mark.parametrize(("resident", "request_mib"), [(400 * MIB, 458), (np.nan, 1144), (2 * GIB, 1144)])
def test_a_request_is_made_of_what_is_resident_and_the_limit_leaves_room_for_the_cache(resident: float, request_mib: int) -> None:
    given = samples(np.full(7 * PER_DAY, 0.2), np.full(7 * PER_DAY, GIB))

    found = assess(
        profile_of(given), exact_evidence(given), current(memory_request_bytes=4 * GIB), prices(), Options(), resident_bytes=np.array([resident])
    ).columns  # fmt: skip

    # 1.704 decades: 400 MiB * 1.10222 + 17.04 MiB = 457.9; 1024 MiB * 1.10222 + 17.04 = 1145.7 less what rounding of the largest float32 takes.
    assert found["memory_request_bytes"][0] / MIB == pytest.approx(request_mib, abs=2)
    assert found["memory_limit_bytes"][0] > 1.2 * GIB
    assert (CODES.index("memory_page_cache") in np.flatnonzero(found["reasons"][0])) == (resident < GIB)


def test_an_analysis_of_the_history_reads_what_is_resident(tmp_path: Path) -> None:
    world, cluster_id = collected(tmp_path, workload("shop", "api"), history_seconds=86400)
    end = int(world.clock.moment) // 300 * 300
    key = SeriesKey("uid-shop-Deployment-api", "main", "api-0")
    held = chunk([np.full(288, MIB)], [key])
    stored = MetricChunk("memory_detail", [key], end - 86400, end, 300, held.samples)
    world.services.history.append(HistoryScope(TENANT, cluster_id, 0), stored)

    assert analyze(world, cluster_id, source="history")["status"] == "succeeded"

    codes = [reason["code"] for reason in listed(world, cluster_id).entries[0]["reasons"]]
    assert "memory_page_cache" in codes
