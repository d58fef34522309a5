"""The same suites against an emulator that is a server: there rivals of several processes meet, which moto cannot show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from contract.cloud import ENDPOINT, FAKE
from e2e.homes import ministack

SUITES = ["test_records.py", "test_record_queries.py", "test_records_model.py", "test_event_store.py", "test_rival_processes.py", "test_blobs.py", "test_sealer.py"]  # fmt: skip
HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.skipif(bool(ENDPOINT), reason="this is such a run")
@pytest.mark.skipif(bool(ministack.missing()), reason=ministack.missing())
def test_the_contracts_hold_between_processes_on_an_emulator(tmp_path: Path) -> None:
    with ministack.started(tmp_path, AUTH="false") as url:
        environment = {**os.environ, **FAKE, "AWS_ENDPOINT_URL": url, "PYTHONPATH": ""}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-k",
            "dynamodb or s3 or kms",
            *(str(HERE / suite) for suite in SUITES),
        ]
        done = subprocess.run(command, env=environment, cwd=HERE.parents[1], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "skipped" not in done.stdout, done.stdout[-4000:]
