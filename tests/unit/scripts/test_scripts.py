from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_a_missing_interpreter_is_told_in_one_line(tmp_path: Path) -> None:
    done = run([str(ROOT / "scripts/make-venv"), "", "."], tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "upid: Python 3.11 or newer is needed and none was found; install it or set PYTHON=/path/to/python3."
    ]


def test_an_interpreter_that_cannot_make_an_environment_is_told_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'ensurepip is not available' >&2\nexit 1\n")
    broken.chmod(0o755)

    done = run([str(ROOT / "scripts/make-venv"), str(broken), "."], tmp_path)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "apt install python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_finds_no_interpreter_that_is_too_old(tmp_path: Path) -> None:
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        old = tmp_path / name
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())

    done = run(["make", "--eval", 'show:;@echo "[$(PYTHON)]"', "show"], tmp_path, PATH=f"{tmp_path}:/usr/bin:/bin")

    assert done.stdout.strip() == "[]"


def test_the_gate_fails_below_the_share_of_lines_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text("import sys\nif len(sys.argv) > 5:\n    a = 1\n    b = 2\n")
    (tmp_path / ".coveragerc").write_text("[run]\nbranch = true\n")
    run([sys.executable, "-m", "coverage", "run", "half.py"], tmp_path)

    low = run([sys.executable, str(ROOT / "scripts/coverage_gate.py"), "90"], tmp_path)
    enough = run([sys.executable, str(ROOT / "scripts/coverage_gate.py"), "50"], tmp_path)

    assert (low.returncode, enough.returncode) == (1, 0)
    assert "coverage: 50.0 % of lines, 50.0 % of branches" in low.stdout


def test_the_gate_fails_without_any_data(tmp_path: Path) -> None:
    done = run([sys.executable, str(ROOT / "scripts/coverage_gate.py"), "90"], tmp_path)

    assert done.returncode == 1
    assert "no coverage data" in done.stderr
