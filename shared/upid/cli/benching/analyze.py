"""`upid bench analyze`: stored usage to persisted recommendations, through the workflow."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from upid.bootstrap import Services
from upid.cli.benching.data import make
from upid.cli.benching.memory import PeakMemory
from upid.cli.benching.usage import Size
from upid.cli.progress import Steps
from upid.settings import Settings


class BenchmarkError(Exception):
    """The measured process did not do what it was to do."""


def analyze(size: Size, source: str, *, repeat: int) -> list[dict[str, Any]]:
    """Return the figures of `repeat` runs on the same data, each in a fresh process; making the data is not in them.

    Raises
    ------
    BenchmarkError
        If an analysis did not succeed, or left out a recommendation.
    """
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="upid-bench-") as folder, Steps(sys.stderr) as steps:
        home = Path(folder)
        make(Services(Settings(home=home)), size, history=source == "history", show=steps.show)
        for number in range(repeat):
            steps.show(f"Analyzing from {source}", number, repeat)
            runs.append(run(home, size, source))
    return runs


def run(home: Path, size: Size, source: str) -> dict[str, Any]:
    """Return the figures of one analysis of the data in `home`.

    `load`, `analyze` and `persist` are seconds of a worker: what all shards took together, divided by the number of workers.
    """
    settings = Settings.from_environment()
    environment = {**os.environ, "UPID_HOME": str(home), "UPID_WORKERS": str(settings.workers)}
    command = [sys.executable, "-P", "-m", "upid.cli.benching.execution", source]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process, PeakMemory(process.pid) as memory:  # noqa: S603 our own interpreter and module
        output = process.communicate()[0]
    if process.returncode != 0:
        raise BenchmarkError(f"The measured process ended with status {process.returncode}.")
    told = orjson.loads(output)
    if told["status"] != "succeeded" or told["recommendations"] != size.containers:
        raise BenchmarkError(f"{told['recommendations']} of {size.containers} recommendations, {told['status']}: {told['errors']}")
    return {
        "containers": size.containers, "from": source, "seconds": _seconds(told, settings.workers),
        "recommendations": told["recommendations"], "peak_rss_bytes": memory.peak_bytes,
    }  # fmt: skip


def _seconds(told: Mapping[str, Any], workers: int) -> dict[str, float]:
    return {stage: round(seconds / workers, 3) for stage, seconds in told["seconds"].items()} | {"total": round(told["total"], 3)}
