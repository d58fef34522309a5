"""Samples, profiles and current resources for tests, in as few words as a test needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.assess import CurrentResources, PriceColumns, assess
from upid.engine.rightsizing.options import Options
from upid.engine.usage.evidence import exact_evidence
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import UsageProfile, empty_profile
from upid.engine.usage.samples import Samples

DAY = 86400
MONDAY = 1_699_833_600  # 2023-11-13 00:00 UTC, a Monday
STEP = 300
PER_DAY = DAY // STEP
MIB = 2.0**20
GIB = 2.0**30


def samples(
    cpu: Any, memory: Any = None, *, row: Any = None, workload: Any = None, start: int = MONDAY, step: int = STEP, **given: Any
) -> Samples:
    """Return samples of series [series, steps]; each series its own row and each row its own workload unless told; memory 100 MiB unless told."""
    cores = np.atleast_2d(np.asarray(cpu, dtype=np.float32))
    memory_bytes = np.where(np.isnan(cores), np.nan, 100 * MIB) if memory is None else np.atleast_2d(memory)
    rows = np.arange(len(cores)) if row is None else np.asarray(row)
    none: dict[str, Any] = {
        "throttled": np.full(cores.shape, np.nan, dtype=np.float32),
        "oom_kills": np.zeros(len(cores), dtype=np.int32),
        "restarts": np.zeros(len(cores), dtype=np.int32),
        "oom_limit_bytes": np.full(len(cores), np.nan),
    }
    shown = np.arange(int(rows.max(initial=-1)) + 1) if workload is None else np.asarray(workload)
    return Samples(start, step, cores, memory_bytes.astype(np.float32), row=rows.astype(np.int64), workload=shown, **(none | given))


def profile_of(given: Samples) -> UsageProfile:
    """Return the profile of these samples alone."""
    return fold(empty_profile(given.workload), given)


def part(given: Samples, begin: int, end: int) -> Samples:
    """Return the steps [begin, end) of samples."""
    cut = {name: getattr(given, name)[:, begin:end] for name in ("cpu_cores", "memory_bytes", "throttled")}
    rest = {name: getattr(given, name) for name in ("oom_kills", "restarts", "oom_limit_bytes", "row", "workload", "is_batch", "pod_keys")}
    return Samples(start=given.start + begin * given.step_seconds, step_seconds=given.step_seconds, **cut, **rest)


def current(rows: int = 1, **given: Any) -> CurrentResources:
    """Return rows with 1 core and 1 GiB requested, no limits, two replicas, unless told otherwise."""
    unset, no = np.full(rows, np.nan), np.zeros(rows, dtype=bool)
    columns: dict[str, Any] = {
        "cpu_request_cores": np.ones(rows), "cpu_limit_cores": unset, "memory_request_bytes": np.full(rows, GIB), "memory_limit_bytes": unset,
        "heap_bytes": unset, "replicas": np.full(rows, 2), "is_init": no, "scaled_on_cpu": no, "scaled_on_memory": no, "is_batch": no,
        "largest_node_cores": np.full(rows, 64.0), "largest_node_bytes": np.full(rows, 256 * GIB),
    }  # fmt: skip
    return CurrentResources(**(columns | {name: np.broadcast_to(value, (rows,)) for name, value in given.items()}))


def prices(rows: int = 1, *, cpu: float = 0.03, memory: float = 0.004) -> PriceColumns:
    """Return the same price for each row."""
    return PriceColumns(np.full(rows, cpu), np.full(rows, memory))


def assessed(
    given: Samples, now: CurrentResources | None = None, options: Options | None = None, **price: float
) -> dict[str, NDArray[Any]]:
    """Return the assessment's columns of samples folded at once."""
    rows = given.rows
    chosen = current(rows) if now is None else now
    return assess(profile_of(given), exact_evidence(given), chosen, prices(rows, **price), options or Options()).columns


def noise(days: float = 7, *, mean: float = 0.2, series: int = 1, seed: int = 7, step: int = STEP) -> NDArray[np.float32]:
    """Return gamma noise around a mean, shape (series, steps)."""
    generator = np.random.default_rng(seed)
    return generator.gamma(8.0, mean / 8.0, size=(series, round(days * DAY / step))).astype(np.float32)
