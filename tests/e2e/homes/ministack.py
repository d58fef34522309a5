"""MiniStack, an emulator of AWS on PyPI that runs functions as local processes, on a free port."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3
from outside.ports import free_port

START_SECONDS = 60
HOST = "localhost"  # APIs are named under it


def missing() -> str:
    """Return why MiniStack cannot run here, "" where it can."""
    return "" if program() else "ministack is not installed (pip install -e '.[dev]')"


def program() -> str | None:
    """Return MiniStack's program beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("ministack")
    return str(beside) if beside.exists() else shutil.which("ministack")


@contextmanager
def started(folder: Path, **more: str) -> Iterator[str]:
    """Run MiniStack with all that it writes in `folder`, and yield its URL. The functions that it runs find the project's packages."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "UPID_", "COV_", "COVERAGE"))}
    environment = kept | {
        "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": HOST, "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
        "AUTH": "true", "TMPDIR": str(folder), "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true", "LOG_LEVEL": "WARNING", "PYTHONDONTWRITEBYTECODE": "1",
    } | more  # fmt: skip
    log = folder / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program())], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def answers(url: str) -> bool:
    """Tell whether it is MiniStack that answers at a URL."""
    try:
        return urllib3.PoolManager(retries=False, timeout=2.0).request("GET", f"{url}/_ministack/health").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if answers(url):
            return
        time.sleep(0.1)
    raise AssertionError(f"MiniStack did not start: {log.read_text(errors='replace')[-2000:]}")
