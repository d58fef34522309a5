"""How long it takes to start: `upid --help`, and the import of each API group, in fresh processes."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def starts(repeat: int) -> dict[str, Any]:
    """Return the median seconds of `upid --help` (the whole process) and of each group's import (within a process that is up)."""
    command = [sys.executable, "-P", "-m", "upid.cli.main", "--help"]
    help_seconds = statistics.median(_process_seconds(command) for _ in range(repeat))
    imports = {group: round(statistics.median(_import_seconds(f"functions.{group}.app") for _ in range(repeat)), 3) for group in groups()}
    return {"help_seconds": round(help_seconds, 3), "import_seconds": imports}


def groups() -> list[str]:
    """Return the API groups: the folders of `functions` with an entry point and routes."""
    found = importlib.util.find_spec("functions")
    places = [Path(place) for place in (found.submodule_search_locations or ()) if found] if found else []
    folders = [folder for place in places for folder in place.iterdir() if (folder / "app.py").exists()]
    return sorted(folder.name for folder in folders if (folder / "routes.py").exists() or (folder / "routes").is_dir())


def _process_seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 our own interpreter and module
    return time.perf_counter() - begun


def _import_seconds(module: str) -> float:
    script = f"import time; begun = time.perf_counter(); import {module}; print(time.perf_counter() - begun)"
    return float(subprocess.run([sys.executable, "-P", "-c", script], check=True, capture_output=True, text=True).stdout)  # noqa: S603 the same
