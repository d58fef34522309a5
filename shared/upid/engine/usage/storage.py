"""Profiles as arrays: histograms sparse (a bit per bucket, then what is not 0), integers as narrow as they fit, what nobody has left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from upid.engine.arrays import Array
from upid.engine.usage.daily import Daily
from upid.engine.usage.histogram import BUCKETS, DAY_SLOTS, Histogram
from upid.engine.usage.hourly import Hourly
from upid.engine.usage.profile import Beside, UsageProfile
from upid.engine.usage.resident import Resident, no_resident
from upid.engine.usage.runs import UNKNOWN, Runs, no_runs
from upid.engine.usage.startups import Startups, no_startups

PREFIX: Final = "profile."
_SCALARS: Final = ("folded_until", "folded_from", "step_seconds", "first_day", "newest_day", "reference_day")
_COUNTS: Final = ("workload", "pods", "steps", "throttled_count", "oom_kills", "restarts", "last_seen")
_FLOATS: Final = ("throttled_total", "oom_limit_bytes", "startup_cpu_cores", "startup_memory_bytes")
_RUNS: Final = ("index", "cpu", "memory", "end")
_THROTTLED: Final = ("throttled_total", "throttled_count")
_HOURLY: Final = ("mean", "peak", "past_mean", "past_peak")
_DTYPES: Final[Mapping[str, type[np.generic]]] = {"workload": np.int64, "last_seen": np.int64}


def _narrow(array: Array) -> Array:
    """Return non-negative integers in the smallest type that holds them."""
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))


def _put_histogram(arrays: dict[str, Array], name: str, histogram: Histogram) -> None:
    arrays[f"{name}.top"] = histogram.top
    for part, values in (("days", histogram.days), ("older", histogram.older)):
        held = values != 0
        arrays[f"{name}.{part}.mask"] = np.packbits(held.reshape(-1))
        arrays[f"{name}.{part}"] = _narrow(values[held]) if part == "days" else values[held]


def _put_daily(arrays: dict[str, Array], name: str, daily: Daily) -> None:
    arrays |= {
        f"{name}.count": _narrow(daily.count),
        f"{name}.total": daily.total,
        f"{name}.squares": daily.squares,
        f"{name}.peak": daily.peak,
    }


def _of_one_pod(daily: Daily, steps: Array) -> Array:
    """Return a day's total of one pod: that of all where there was one at a time, and as much as the mean pod's where nothing else is known."""
    return np.where(daily.count == steps, daily.total, daily.total / np.maximum(daily.count, 1) * steps)


def _put_hourly(arrays: dict[str, Array], name: str, hourly: Hourly) -> None:
    arrays[f"{name}.count"] = _narrow(hourly.count)
    for part in _HOURLY:
        values = getattr(hourly, part)
        if not np.isnan(values).all():
            arrays[f"{name}.{part}"] = values


def to_arrays(profile: UsageProfile) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return a profile as arrays and a JSON-able meta, for `arrays.pack`; same profile, same bytes. Names begin with `profile.`."""
    arrays: dict[str, Array] = {name: _narrow(getattr(profile, name)) for name in _COUNTS}
    arrays |= {name: getattr(profile, name) for name in _FLOATS}
    for metric in ("cpu", "memory"):
        _put_histogram(arrays, metric, getattr(profile, metric))
        _put_daily(arrays, f"{metric}_daily", getattr(profile, f"{metric}_daily"))
        _put_hourly(arrays, f"{metric}_hourly", getattr(profile, f"{metric}_hourly"))
    if not np.array_equal(profile.cpu_busiest_total, _of_one_pod(profile.cpu_daily, profile.steps)):
        arrays["cpu_busiest_total"] = profile.cpu_busiest_total
    for name, beside in (("busiest", profile.busiest), ("summed", profile.summed)):
        arrays[f"{name}.index"] = _narrow(beside.index)
        _put_histogram(arrays, f"{name}.cpu", beside.cpu)
        _put_histogram(arrays, f"{name}.memory", beside.memory)
    if len(profile.runs.index):
        arrays |= {f"runs.{name}": getattr(profile.runs, name) for name in _RUNS}
        arrays |= {"runs.length": _narrow(profile.runs.end - profile.runs.begin), "runs.pod": _narrow(profile.runs.pod - UNKNOWN)}
    if profile.resident.count.any():
        arrays |= {"resident.peak": profile.resident.peak, "resident.count": _narrow(profile.resident.count)}
    if len(profile.startups.index):
        arrays["startups.index"] = _narrow(profile.startups.index)
        arrays |= {f"startups.{name}": getattr(profile.startups, name) for name in _THROTTLED}
        _put_histogram(arrays, "startups.cpu", profile.startups.cpu)
    scalars = {name: int(getattr(profile, name)) for name in _SCALARS}
    return {PREFIX + name: array for name, array in arrays.items()}, {"profile": scalars | {"resident_until": profile.resident.until}}


class _Reader:
    """Reads what `to_arrays` wrote."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.arrays = arrays

    def get(self, name: str) -> Array:
        """Return an array by its name without the prefix."""
        return self.arrays[PREFIX + name]

    def plain(self, scalars: Mapping[str, Any]) -> dict[str, Any]:
        """Return the scalars, and the arrays that are stored as they are."""
        numbers: dict[str, Any] = {name: int(scalars[name]) for name in _SCALARS}
        counts = {name: self.get(name).astype(_DTYPES.get(name, np.int32)) for name in _COUNTS}
        return numbers | counts | {name: self.get(name) for name in _FLOATS}

    def histogram(self, name: str) -> Histogram:
        """Return a histogram with all its buckets."""
        top = self.get(f"{name}.top").astype(np.int32)
        rows = len(top)
        return Histogram(
            top,
            self._dense(f"{name}.days", (rows, DAY_SLOTS, BUCKETS), np.int32),
            self._dense(f"{name}.older", (rows, BUCKETS), np.float64),
        )

    def _dense(self, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> Any:
        size = int(np.prod(shape))
        held = np.unpackbits(self.get(f"{name}.mask"), count=size).view(bool)
        result = np.zeros(size, dtype=dtype)
        result[held] = self.get(name)
        return result.reshape(shape)

    def daily(self, name: str) -> Daily:
        """Return the daily figures of a metric."""
        total = self.get(f"{name}.total")
        return Daily(self.get(f"{name}.count").astype(np.int32), total, self.get(f"{name}.squares"), self.get(f"{name}.peak"))

    def busiest_total(self, daily: Daily) -> Array:
        """Return the totals of the busiest pod; where there was one at a time, or the profile was stored before these were told, those of one pod."""
        stored = self.arrays.get(f"{PREFIX}cpu_busiest_total")
        return _of_one_pod(daily, self.get("steps")) if stored is None else stored

    def hourly(self, name: str) -> Hourly:
        """Return the hourly figures of a metric."""
        count = self.get(f"{name}.count").astype(np.int32)
        parts = (self.arrays.get(f"{PREFIX}{name}.{part}") for part in _HOURLY)
        return Hourly(count, *(np.full(count.shape, np.nan, dtype=np.float32) if part is None else part for part in parts))

    def runs(self) -> Runs:
        """Return the runs, none where nothing comes and goes or the profile was stored before runs were told.

        Those stored before pods were told apart did not overlap: they begin where they end.
        """
        if f"{PREFIX}runs.index" not in self.arrays:
            return no_runs()
        index, cpu, memory, end = (self.get(f"runs.{name}") for name in _RUNS)
        if f"{PREFIX}runs.pod" not in self.arrays:
            return Runs(index, cpu, memory, end, end, np.full(end.shape, UNKNOWN, dtype=np.int64))
        begin, pod = end - self.get("runs.length").astype(np.int64), self.get("runs.pod").astype(np.int64) + UNKNOWN
        return Runs(index, cpu, memory, begin, end, pod)

    def resident(self, until: int) -> Resident:
        """Return what was resident, nothing where no source told it or the profile was stored before that was asked."""
        if f"{PREFIX}resident.peak" not in self.arrays:
            return replace(no_resident(*self.get("steps").shape), until=until)
        return Resident(until, self.get("resident.peak"), self.get("resident.count").astype(np.int32))

    def startups(self) -> Startups:
        """Return the start-ups; none where no pod was seen to start or the profile was stored before they stood apart: those count as all samples do."""
        if f"{PREFIX}startups.index" not in self.arrays:
            return no_startups()
        throttled = (self.get(f"startups.{name}") for name in _THROTTLED)
        return Startups(self.get("startups.index").astype(np.int64), self.histogram("startups.cpu"), *throttled)

    def beside(self, name: str) -> Beside:
        """Return histograms beside the pooled ones."""
        return Beside(self.get(f"{name}.index").astype(np.int64), self.histogram(f"{name}.cpu"), self.histogram(f"{name}.memory"))


def from_arrays(arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> UsageProfile:
    """Return the profile that `to_arrays` was given; other keys of `arrays` and `meta` are ignored. ValueError where something is missing or malformed."""
    reader = _Reader(arrays)
    try:
        cpu_daily = reader.daily("cpu_daily")
        return UsageProfile(
            **reader.plain(meta["profile"]),
            cpu=reader.histogram("cpu"),
            memory=reader.histogram("memory"),
            cpu_daily=cpu_daily,
            cpu_busiest_total=reader.busiest_total(cpu_daily),
            memory_daily=reader.daily("memory_daily"),
            cpu_hourly=reader.hourly("cpu_hourly"),
            memory_hourly=reader.hourly("memory_hourly"),
            busiest=reader.beside("busiest"),
            summed=reader.beside("summed"),
            runs=reader.runs(),
            resident=reader.resident(int(meta["profile"].get("resident_until", 0))),
            startups=reader.startups(),
        )
    except KeyError as missing:
        raise ValueError(f"These arrays are no usage profile: {missing} is missing.") from None
