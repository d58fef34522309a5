"""A real VictoriaMetrics over samples that a test writes down, on a free port."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from outside.real_prometheus import STARTED, Written, await_ready, free_address

NEEDED: Final = "this needs victoria-metrics: Debian's package of that name (scripts/install-test-services)"
BATCH: Final = 100_000


def is_installed() -> bool:
    """Tell whether VictoriaMetrics is on this machine."""
    return shutil.which("victoria-metrics") is not None


@contextlib.contextmanager
def victoriametrics(place: Path, written: Written) -> Iterator[str]:
    """Serve the samples until the block ends and give the URL."""
    address = free_address()
    options = [f"-storageDataPath={place / 'data'}", f"-httpListenAddr={address}", "-retentionPeriod=100y", "-memory.allowedBytes=64MB"]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(["victoria-metrics", *options], stdout=log, stderr=log)
    try:
        await_ready(f"http://{address}/health", process)
        _write(f"http://{address}", written)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=STARTED)


def _write(url: str, written: Written) -> None:
    """Send the samples in its form of Prometheus' text, which has times in milliseconds, and make them seen."""
    lines = [_in_milliseconds(line) for line in written.lines()]
    for at in range(0, len(lines), BATCH):
        body = "\n".join(lines[at : at + BATCH]).encode() + b"\n"
        with urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/import/prometheus", body, method="POST")) as answer:
            answer.read()
    with urllib.request.urlopen(f"{url}/internal/force_flush") as answer:
        answer.read()


def _in_milliseconds(line: str) -> str:
    head, _, moment = line.rpartition(" ")
    return f"{head} {round(float(moment) * 1000)}"
