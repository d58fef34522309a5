"""Folding samples into profiles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from upid.engine.usage.beside import Pooled, fold_beside
from upid.engine.usage.blocks import Block, Slots, Sums, add_samples, add_sums, blocks_of, busiest_by_day, empty_sums, put_sums
from upid.engine.usage.counting import Grid, grid_of, valid_samples
from upid.engine.usage.daily import Daily
from upid.engine.usage.histogram import DAY_SLOTS, copied, day_weight
from upid.engine.usage.hourly import Hourly, add_hours, copy_hourly
from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.runs import fold_runs
from upid.engine.usage.samples import Samples
from upid.engine.usage.shifting import at_days
from upid.engine.usage.starts import Starts, behind, starts_of
from upid.engine.usage.startups import fold_startups


def fold(profile: UsageProfile, samples: Samples) -> UsageProfile:
    """Return the profile with `samples` folded in. Rows and workloads of both are the same.

    Samples that end at or before `folded_until` change nothing (the very same profile is returned); of samples that overlap it only the steps
    behind it count, those in front of it tell which series have just begun (`context_seconds` of them are enough, and with them folding chunk after chunk
    equals folding all at once: counts exactly, sums and the older part to 1e-12, hourly means to 1e-6).

    Raises
    ------
    ValueError
        If rows or the step differ from the profile's, or shapes do not match.
    """
    _check(profile, samples)
    whole, samples = samples, _behind(samples, profile.folded_until)
    if samples.cpu_cores.shape[1] == 0:
        return profile
    grid = grid_of(samples.start, samples.step_seconds, samples.cpu_cores.shape[1])
    begun = starts_of(whole)
    starts = behind(begun, whole.cpu_cores.shape[1] - grid.steps)
    runs = fold_runs(profile.runs, whole, profile.folded_until)
    after = at_days(replace(profile, runs=runs), int(grid.days[0]), int(grid.days[-1]))
    slot = after.newest_day - grid.days
    slots = Slots(slot, np.where(slot >= DAY_SLOTS, day_weight(grid.days, after.reference_day), 0.0))
    after = _with_beside(after, samples, starts, grid, slots)
    after = _with_metrics(after, samples, starts, grid, slots)
    after = replace(after, startups=fold_startups(after.startups, samples, starts, grid, slots, reference_day=after.reference_day))
    return _with_peaks(_with_events(after, samples, grid), whole, (begun, starts_of(whole, batch=True)))


def _check(profile: UsageProfile, samples: Samples) -> None:
    shape = samples.cpu_cores.shape
    if not shape == samples.memory_bytes.shape == samples.throttled.shape or samples.row.shape != shape[:1]:
        raise ValueError(f"All samples must have one shape and one row per series, got {shape} and {samples.row.shape}.")
    events = {part.shape for part in (samples.oom_kills, samples.restarts, samples.oom_limit_bytes)}
    if events != {shape[:1]}:
        raise ValueError(f"Events must have one value per series, got shapes {sorted(events)} for {shape[0]} series.")
    if samples.rows != profile.rows or ((samples.row < 0) | (samples.row >= profile.rows)).any():
        raise ValueError(f"Samples of {samples.rows} rows do not fit a profile of {profile.rows} rows.")
    if samples.step_seconds <= 0 or profile.step_seconds not in {0, samples.step_seconds}:
        raise ValueError(f"A profile of steps of {profile.step_seconds} s cannot take samples of {samples.step_seconds} s.")


def _behind(samples: Samples, folded_until: int) -> Samples:
    """Return the steps that begin at or after `folded_until`; all of them where nothing overlaps."""
    skip = -(-(folded_until - samples.start) // samples.step_seconds)
    if skip <= 0:
        return samples
    return replace(
        samples, start=samples.start + min(skip, samples.cpu_cores.shape[1]) * samples.step_seconds, cpu_cores=samples.cpu_cores[:, skip:],
        memory_bytes=samples.memory_bytes[:, skip:], throttled=samples.throttled[:, skip:],
    )  # fmt: skip


def _with_beside(profile: UsageProfile, samples: Samples, starts: Starts, grid: Grid, slots: Slots) -> UsageProfile:
    workload = profile.workload
    by_row = Pooled(profile.cpu, profile.memory, profile.startups, np.arange(profile.rows))
    by_workload = replace(by_row, group=workload)
    return replace(
        profile,
        busiest=fold_beside(profile.busiest, by_row, samples, samples.row, how="max", starts=starts, grid=grid, slots=slots),
        summed=fold_beside(profile.summed, by_workload, samples, workload[samples.row], how="sum", starts=starts, grid=grid, slots=slots),
    )


def _with_metrics(profile: UsageProfile, samples: Samples, starts: Starts, grid: Grid, slots: Slots) -> UsageProfile:
    """Fold CPU and memory: histograms, days, hours, and the steps with a sample of either."""
    sums = empty_sums(profile.rows, grid), empty_sums(profile.rows, grid)
    is_alone = len(np.unique(samples.row)) == len(samples.row)
    hours = sums[0] if is_alone and not len(starts.series) else empty_sums(profile.rows, grid)
    histograms = (copied(profile.cpu), copied(profile.memory))
    steps, last_seen = profile.steps.copy(), profile.last_seen.copy()
    busiest: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    column = grid.days - profile.first_day
    for block in blocks_of(samples.row, grid.steps):
        seen = np.zeros((len(block.local), grid.steps), dtype=bool)
        for values, metric, histogram in zip((samples.cpu_cores, samples.memory_bytes), sums, histograms, strict=True):
            chosen = valid_samples(values[block.series])
            valid = ~np.isnan(chosen)
            seen |= valid
            add_sums(metric, block, chosen, valid, grid)
            add_samples(histogram, block, chosen, grid, slots)
            if metric is sums[0] is not hours:
                _put_hours(hours, sums[0], block, starts.without(chosen, block.series, len(samples.row)), same=chosen, grid=grid)
            if metric is sums[0] and not block.is_single:
                busiest.append((block.groups, busiest_by_day(chosen, block, grid)))
        if not block.is_single:
            seen = np.logical_or.reduceat(seen, block.starts, axis=0)
        with_sample = np.add.reduceat(seen, grid.day_starts, axis=1, dtype=np.int32)
        steps[np.ix_(block.groups, column[column >= 0])] += with_sample[:, column >= 0]
        last = samples.start + samples.step_seconds * (grid.steps - np.argmax(seen[:, ::-1], axis=1))
        last_seen[block.groups] = np.where(seen.any(axis=1), last, last_seen[block.groups])
    by_day = np.add.reduceat(sums[0].total, grid.hour_day_starts, axis=1)
    for groups, total in busiest:
        by_day[groups] = total
    busiest_total = profile.cpu_busiest_total.copy()
    busiest_total[:, column[column >= 0]] += by_day[:, column >= 0]
    seen_hour = -1 if profile.folded_until == 0 else (profile.folded_until - 1) // 3600
    return replace(
        profile, folded_until=samples.end, folded_from=profile.folded_from or samples.start, step_seconds=samples.step_seconds, steps=steps,
        last_seen=last_seen, cpu=histograms[0], memory=histograms[1], cpu_busiest_total=busiest_total,
        cpu_daily=_days(profile.cpu_daily, sums[0], grid, column), memory_daily=_days(profile.memory_daily, sums[1], grid, column),
        cpu_hourly=_hours(profile.cpu_hourly, hours, grid, seen_hour), memory_hourly=_hours(profile.memory_hourly, sums[1], grid, seen_hour),
    )  # fmt: skip


def _put_hours(hours: Sums, known: Sums, block: Block, values: NDArray[np.float32], *, same: NDArray[np.float32], grid: Grid) -> None:
    """Add the samples of each group's busiest series at each step to sums that the caller owns, in place; `known` has those of the `same` array."""
    if block.is_single:
        put_sums(hours, known, block, values, same=same, grid=grid)
        return
    most = np.fmax.reduceat(values, block.starts, axis=0)
    single = Block(slice(0, len(block.groups)), block.groups, np.arange(len(block.groups)))
    add_sums(hours, single, most, ~np.isnan(most), grid)


def _days(daily: Daily, sums: Sums, grid: Grid, column: NDArray[np.int64]) -> Daily:
    inside = column >= 0
    at = column[inside]
    result = Daily(daily.count.copy(), daily.total.copy(), daily.squares.copy(), daily.peak.copy())
    result.count[:, at] += np.add.reduceat(sums.count, grid.hour_day_starts, axis=1)[:, inside]
    result.total[:, at] += np.add.reduceat(sums.total, grid.hour_day_starts, axis=1)[:, inside]
    result.squares[:, at] += sums.squares[:, inside]
    result.peak[:, at] = np.fmax(result.peak[:, at], np.fmax.reduceat(sums.peak, grid.hour_day_starts, axis=1)[:, inside])
    return result


def _hours(hourly: Hourly, sums: Sums, grid: Grid, seen: int) -> Hourly:
    result = copy_hourly(hourly)
    add_hours(result, grid.hours, sums.count, sums.total, sums.peak, seen=seen)
    return result


def _with_events(profile: UsageProfile, samples: Samples, grid: Grid) -> UsageProfile:
    """Fold throttling by day, events on the samples' last day, and the number of pods."""
    column = grid.days - profile.first_day
    last = int(column[-1])
    throttled_total, throttled_count = profile.throttled_total.copy(), profile.throttled_count.copy()
    oom_kills, restarts, oom_limit = profile.oom_kills.copy(), profile.restarts.copy(), profile.oom_limit_bytes.copy()
    np.add.at(oom_kills[:, last], samples.row, samples.oom_kills)
    np.add.at(restarts[:, last], samples.row, samples.restarts)
    np.fmax.at(oom_limit[:, last], samples.row, samples.oom_limit_bytes)
    measured = np.flatnonzero(~np.isnan(samples.throttled).all(axis=1))
    if len(measured):
        share = np.clip(samples.throttled[measured], 0, 1)
        total = np.add.reduceat(np.nan_to_num(share, nan=0.0), grid.day_starts, axis=1, dtype=np.float64).astype(np.float32)
        count = np.add.reduceat(~np.isnan(share), grid.day_starts, axis=1, dtype=np.int32)
        for day in np.flatnonzero(column >= 0):
            np.add.at(throttled_total[:, column[day]], samples.row[measured], total[:, day])
            np.add.at(throttled_count[:, column[day]], samples.row[measured], count[:, day])
    pods = np.maximum(profile.pods, np.bincount(samples.row, weights=samples.pods_of_series, minlength=profile.rows)).astype(np.int32)
    return replace(
        profile, throttled_total=throttled_total, throttled_count=throttled_count, oom_kills=oom_kills, restarts=restarts, oom_limit_bytes=oom_limit,
        pods=pods,
    )  # fmt: skip


def _with_peaks(profile: UsageProfile, samples: Samples, starts: tuple[Starts, Starts]) -> UsageProfile:
    """Fold the peaks of starts, from steps that may be folded already: a peak that is taken twice is the same peak."""
    cpu, memory = profile.startup_cpu_cores.copy(), profile.startup_memory_bytes.copy()
    for each in starts:
        for peaks, values in ((cpu, samples.cpu_cores), (memory, samples.memory_bytes)):
            np.fmax.at(peaks, samples.row[each.series], np.fmax.reduce(each.values(values), axis=1))
    return replace(profile, startup_cpu_cores=cpu, startup_memory_bytes=memory)
