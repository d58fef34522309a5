"""`upid bench store`: the embedded store of usage, written, read, and a year of it for one container."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson

from upid.bootstrap import Services
from upid.cli.benching.analyze import BenchmarkError
from upid.cli.benching.data import make_days
from upid.cli.benching.memory import PeakMemory
from upid.cli.benching.usage import Size
from upid.cli.benching.years import make_year
from upid.cli.progress import Steps
from upid.settings import Settings

WRITTEN_CONTAINERS = 100_000


def stores(size: Size, *, repeat: int, written: int = WRITTEN_CONTAINERS) -> list[dict[str, Any]]:
    """Return the figures of `repeat` runs, each task of each in a fresh process; making the data is not in them.

    `read`: every sample of CPU and memory of `size`, by the day as scheduled collections leave them. `write`: one step of `written` containers, forced
    to the disk. `year`: the daily figures of one container of a full shard over a year. `nodes`: a query of all of `size`, CPU and memory of every node
    by the hour, where seven of ten pods have moved. Seconds are of the task alone, without the start of Python.
    """
    with tempfile.TemporaryDirectory(prefix="upid-bench-") as folder, Steps(sys.stderr) as steps:
        services = Services(Settings(home=Path(folder)))
        make_days(services, size, show=steps.show)
        make_year(services.rollups)
        told = []
        for number in range(repeat):
            steps.show("Measuring the store", number, repeat)
            runs = {
                task: measured(Path(folder), task, n)
                for task, n in (("read", size.days), ("write", written), ("year", number), ("nodes", size.days))
            }
            told.append({"containers": size.containers, "days": size.days, "step_seconds": size.step_seconds, "written": written} | runs)
    return told


def measured(home: Path, task: str, number: int) -> dict[str, Any]:
    """Return what a task in a process of its own took; BenchmarkError where it failed."""
    command = [sys.executable, "-P", "-m", "upid.cli.benching.store_tasks", task, str(number)]
    environment = {**os.environ, "UPID_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process, PeakMemory(process.pid) as memory:  # noqa: S603 our own interpreter and module
        output = process.communicate()[0]
    if process.returncode != 0:
        raise BenchmarkError(f"The measured process ended with status {process.returncode}.")
    figures: dict[str, Any] = orjson.loads(output)
    return figures | {"peak_rss_bytes": memory.peak_bytes}
