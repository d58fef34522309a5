"""`upid bench engine`: right-sizing on arrays in memory, without storage, workflow or service around it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from upid.cli.benching.analyze import BenchmarkError
from upid.cli.benching.usage import Size

PROCESSES: Final = 2
READS: Final = 100
ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def engine(size: Size) -> dict[str, Any]:
    """Return what right-sizing of `size` takes: from profiles on one core, from raw samples on two, and of a hundred times as many on two.

    Seconds are the slower process' wall time, processor seconds what all used. Making the data is in neither. `of_sorting`: processor time over that
    of sorting the same samples, which depends less on the machine. Raises BenchmarkError where a process fails.
    """
    with tempfile.TemporaryDirectory(prefix="upid-bench-") as folder:
        stored = Path(folder) / "profile.bin"
        profiles = _run(["profiles"], size)[0]
        half = Size(size.containers // PROCESSES or 1, size.days, size.step_seconds)
        samples = _run(["samples"], half, processes=PROCESSES)
        _run(["store"], size, str(stored))
        many = _run(["shards"], size, str(stored), str(READS // PROCESSES), processes=PROCESSES)
    sorting = sum(part["sorting"] for part in samples)
    told = _together(samples)
    return {
        "containers": size.containers, "metrics": 2, "days": size.days, "step_seconds": size.step_seconds,
        "from_profiles": {name: _rounded(profiles[name]) for name in ("requests", "assessed")},
        "from_samples": told | {"processes": PROCESSES, "of_sorting": round(told["processor_seconds"] / sorting, 2)},
        "many": {"containers": size.containers * READS, "processes": PROCESSES} | _together(many),
    }  # fmt: skip


def _together(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return _rounded({
        "seconds": max(part["seconds"] for part in parts), "processor_seconds": sum(part["processor_seconds"] for part in parts),
        "peak_rss_bytes": sum(part["peak_rss_bytes"] for part in parts),
    })  # fmt: skip


def _rounded(told: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in told.items()}


def _run(task: Sequence[str], size: Size, *more: str, processes: int = 1) -> list[dict[str, Any]]:
    """Run the task in so many fresh processes at once and return what each tells."""
    arguments = [*task, str(size.containers), str(size.days), str(size.step_seconds), *more]
    command = [sys.executable, "-P", "-m", "upid.cli.benching.sizing_task", *arguments]
    running = [
        subprocess.Popen(command, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE)  # noqa: S603 our own interpreter and module
        for _ in range(processes)
    ]
    output = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise BenchmarkError(f"The measured process ended with status {max(process.returncode for process in running)}.")
    return [orjson.loads(told) for told in output]
