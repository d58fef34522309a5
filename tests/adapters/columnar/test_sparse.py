"""Stored chunks of very many short series: small, and read bit for bit as they were written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from upid.adapters.columnar.packing import ON_LANES, packed, unpacked
from upid.adapters.columnar.sparse import laid, taken_up
from upid.engine.arrays import pack, unpack
from upid.ports.usage_history import MetricChunk, SeriesKey, UsageChunk

STEPS = 288


def minutely(pods: int = 1440, *, steps: int = STEPS) -> UsageChunk:
    """A day of a CronJob each minute: each pod has a sample in the step that it ran in, every fifth also in the next."""
    values = np.full((pods, steps), np.nan, np.float32)
    place = np.arange(pods) * steps // pods
    values[np.arange(pods), place] = 0.1 + np.arange(pods) % 7
    later = np.flatnonzero((np.arange(pods) % 5 == 0) & (place + 1 < steps))
    values[later, place[later] + 1] = 0.25
    kills = (np.arange(pods) % 100 == 0).astype(np.int32)
    keys = [SeriesKey("uid-1", "work", f"tick-{28_000_000 + pod}-x") for pod in range(pods)]
    limit = np.where(kills > 0, 5e8, np.nan)
    return UsageChunk(keys, 0, 300, values, values * np.float32(1e8), np.full_like(values, np.nan), kills, kills * 0, limit)


def assert_alike(found: UsageChunk | MetricChunk, expected: UsageChunk) -> None:
    assert isinstance(found, UsageChunk)
    assert (list(found.keys), found.start, found.step_seconds) == (list(expected.keys), expected.start, expected.step_seconds)
    for name in ("cpu_cores", "memory_bytes", "throttled", "oom_kills", "restarts", "oom_limit_bytes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_a_day_of_a_cronjob_each_minute_is_read_as_it_was_and_takes_a_tenth_of_the_room() -> None:
    day = minutely()

    data = packed(day)

    assert_alike(unpacked(data), day)
    rows = unpack(data)[0]["cpu_cores"].shape[0]
    # Five pods begin in each step; one of them is still there in the next, where five more begin.
    assert rows == 6
    assert len(data) < day.cpu_cores.nbytes * 2 / 10


@pytest.mark.parametrize("change", ["dense", "few", "all at once"])
def test_what_has_nothing_to_win_is_stored_as_ever(change: str) -> None:
    chunk = minutely(10, steps=48) if change == "few" else minutely(288, steps=16)
    if change == "dense":
        chunk = replace(chunk, cpu_cores=np.ones_like(chunk.cpu_cores))
    if change == "all at once":  # no lane holds two
        values = np.full_like(chunk.cpu_cores, np.nan)
        values[:, 3] = 1.0
        chunk = replace(chunk, cpu_cores=values, memory_bytes=values)

    assert unpack(packed(chunk))[1]["format"] != ON_LANES
    assert_alike(unpacked(packed(chunk)), chunk)


def test_a_series_without_a_sample_and_one_of_another_metric_alone_come_out_whole() -> None:
    day = minutely()
    cpu, memory = day.cpu_cores.copy(), day.memory_bytes.copy()
    cpu[3], memory[3], cpu[4] = np.nan, np.nan, np.nan
    memory[4, 280:288] = np.arange(8)
    holes = replace(day, cpu_cores=cpu, memory_bytes=memory)

    assert_alike(unpacked(packed(holes)), holes)


def test_another_family_is_laid_too() -> None:
    day = minutely()
    chunk = MetricChunk("network", day.keys, 0, 300 * STEPS, 300, {"network_receive_bytes_per_second": day.cpu_cores})

    found = unpacked(packed(chunk))

    assert isinstance(found, MetricChunk)
    assert unpack(packed(chunk))[1]["format"] == ON_LANES
    np.testing.assert_array_equal(found.samples["network_receive_bytes_per_second"], day.cpu_cores)


def test_random_series_come_out_bit_for_bit() -> None:
    random = np.random.default_rng(4)
    for _ in range(20):
        series, steps = int(random.integers(80, 200)), int(random.integers(60, 120))
        begin, length = random.integers(0, steps, series), random.integers(0, 6, series)
        there = (
            (np.arange(steps) >= begin[:, None]) & (np.arange(steps) < (begin + length)[:, None]) & (random.random((series, steps)) < 0.8)
        )
        samples = {name: np.where(there, random.random((series, steps)), np.nan).astype(np.float32) for name in ("a", "b")}
        found = laid(samples)
        assert found is not None
        for name, values in taken_up(found.samples, found.places).items():
            np.testing.assert_array_equal(values, samples[name])


def test_places_that_cannot_be_are_damage() -> None:
    arrays, meta = unpack(packed(minutely()))

    with pytest.raises(ValueError, match="no lane"):
        unpacked(pack(dict(arrays) | {"lane": arrays["lane"] + 100}, meta))
