"""The platform in one process, as `upid serve` starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.homes.home import ADMIN_PASSWORD, Home


@contextmanager
def embedded_home(folder: Path) -> Iterator[Home]:
    """Run `upid serve` on a free port with its data in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPID_", "PORT", "AWS_"))}
    settings = {
        "UPID_HOME": str(folder / "home"),
        "PORT": "0",
        "UPID_SCHEDULES": "off",
        "UPID_WORKERS": "1",
        "UPID_ADMIN_PASSWORD": ADMIN_PASSWORD,
    }
    command = [sys.executable, "-m", "upid.cli.main", "serve"]
    process = subprocess.Popen(command, env=kept | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, (line, process.communicate())
        yield Home("embedded", f"{found[0]}/api/v1", settings)
    finally:
        process.terminate()
        process.communicate(timeout=15)
