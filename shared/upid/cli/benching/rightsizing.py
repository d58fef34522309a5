"""`upid bench rightsizing`: our sizing rule against the published ones, on traces."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.cli.benching.analyze import BenchmarkError
from upid.engine.rightsizing.yardstick.report import report
from upid.engine.rightsizing.yardstick.requests import Requests, all_requests
from upid.engine.rightsizing.yardstick.trace import Resource, Trace

KEYS: Final[tuple[tuple[Resource, str, str], ...]] = (
    ("cpu", "cpu_cores", "capacity_cores"),
    ("memory", "memory_bytes", "capacity_bytes"),
)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """How to measure: days that every rule sees, days that its request then holds for, and where to write every request."""

    fit_days: float
    horizon_days: float
    requests: Path | None


def rightsizing(paths: Sequence[Path], yardstick: Yardstick) -> dict[str, Any]:
    """Return what each set told; a folder stands for the traces in it, and a set that is too short is named and left out.

    Raises
    ------
    BenchmarkError
        If a file is no trace, or no set is long enough.
    """
    sets: list[dict[str, Any]] = []
    written: dict[str, NDArray[Any]] = {}
    for path in _files(paths):
        for trace in read(path):
            try:
                made = all_requests(trace, fit_days=yardstick.fit_days, horizon_days=yardstick.horizon_days)
                sets.append({"set": path.stem, **report(trace, made)})
                written |= _columns(f"{path.stem}.{trace.resource}", made)
            except ValueError as error:
                sets.append({"set": path.stem, "resource": trace.resource, "left_out": str(error)})
    judged = [each for each in sets if "left_out" not in each]
    if not judged:
        raise BenchmarkError("; ".join(each["left_out"] for each in sets) or "no trace to judge on")
    if yardstick.requests is not None:
        _write(yardstick.requests, written)
    return {
        "fit_days": yardstick.fit_days, "horizon_days": yardstick.horizon_days, "ours": "needs before floors and rounding, capped at capacity",
        "holds": all(each["holds"] for each in judged), "sets": sets,
    }  # fmt: skip


def _files(paths: Sequence[Path]) -> list[Path]:
    return [file for path in paths for file in (sorted(path.glob("*.npz")) if path.is_dir() else [path])]


def read(path: Path) -> list[Trace]:
    """Return the traces of a file: CPU, memory or both.

    Raises
    ------
    BenchmarkError
        If the file cannot be read or is no trace.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = [
                Trace(resource, values, int(file["start"]), int(file["step_seconds"]), _capacity(file, capacity, len(values)))
                for resource, name, capacity in KEYS
                if name in file
                for values in [np.asarray(file[name], dtype=np.float64)]
            ]
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise BenchmarkError(f"{path} is no trace: {error}") from None
    if not found:
        raise BenchmarkError(f"{path} is no trace: it has neither cpu_cores nor memory_bytes")
    return found


def _capacity(file: Any, name: str, containers: int) -> NDArray[np.float64]:
    known = np.asarray(file[name], dtype=np.float64) if name in file else np.float64(np.nan)
    return np.broadcast_to(known, (containers,))


def _columns(name: str, made: Requests) -> dict[str, NDArray[Any]]:
    """Return every request, shape (points, days, containers), with the points' names and knobs (NaN = a rule's) and where each horizon begins."""
    rules, knobs = len(made.rules), np.asarray(made.knobs)
    return {
        f"{name}.requests": made.values, f"{name}.rules": np.array([*made.rules, *["ours"] * len(knobs)]),
        f"{name}.knobs": np.concatenate([np.full(rules, np.nan), knobs]), f"{name}.starts": made.starts,
    }  # fmt: skip


def _write(path: Path, columns: dict[str, NDArray[Any]]) -> None:
    try:
        np.savez_compressed(path, allow_pickle=False, **columns)
    except OSError as error:
        raise BenchmarkError(f"cannot write {path}: {error}") from None
