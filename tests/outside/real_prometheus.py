"""A real Prometheus over samples that a test writes down: blocks made by promtool, a server on a free port."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from outside.ports import free_port

STARTED = 20.0  # seconds that a start may take on a busy machine

Sample = tuple[float, str]  # of a moment [s]; the value's text


class Written:
    """Series as OpenMetrics text; metrics are written together, as the format wants."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def add(self, metric: str, labels: Mapping[str, str], samples: Iterable[Sample]) -> None:
        """Write one series."""
        inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
        self._lines.setdefault(metric, []).extend(f"{metric}{{{inside}}} {value} {moment:.3f}" for moment, value in samples)

    def lines(self) -> Iterator[str]:
        """Yield every sample as a line, its moment in seconds."""
        for lines in self._lines.values():
            yield from lines

    def text(self) -> str:
        return "".join(f"# TYPE {metric} unknown\n" + "\n".join(lines) + "\n" for metric, lines in self._lines.items()) + "# EOF\n"


def is_installed() -> bool:
    """Tell whether Prometheus and promtool are on this machine."""
    return shutil.which("prometheus") is not None and shutil.which("promtool") is not None


@dataclass
class Prometheus:
    """A server on a folder of blocks, which may be killed and started again at its address."""

    place: Path
    address: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def start(self) -> None:
        """Start it, and return at once."""
        options = [f"--config.file={self.place / 'prometheus.yml'}", f"--storage.tsdb.path={self.place / 'blocks'}"]
        command = ["prometheus", *options, "--storage.tsdb.retention.time=100y", f"--web.listen-address={self.address}"]
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def await_ready(self) -> None:
        assert self.process
        await_ready(f"{self.url}/-/ready", self.process)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process
        self.process.kill()
        self.process.wait(timeout=STARTED)

    def stop(self) -> None:
        assert self.process
        self.process.terminate()
        self.process.wait(timeout=STARTED)


@contextlib.contextmanager
def prometheus_process(place: Path, written: Written) -> Iterator[Prometheus]:
    """Serve the samples until the block ends and give the server."""
    (place / "metrics.txt").write_text(written.text())
    (place / "prometheus.yml").write_text("scrape_configs: []\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(place / "metrics.txt"), str(place / "blocks")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    server = Prometheus(place, free_address())
    server.start()
    try:
        server.await_ready()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def prometheus(place: Path, written: Written) -> Iterator[str]:
    """Serve the samples until the block ends and give the URL."""
    with prometheus_process(place, written) as server:
        yield server.url


def free_address() -> str:
    """Return a host and port on loopback that nobody listens on."""
    return f"127.0.0.1:{free_port()}"


def await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a URL answers; RuntimeError where the process ends before."""
    deadline = time.monotonic() + STARTED
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with status {process.returncode}.")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {STARTED} s.")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
