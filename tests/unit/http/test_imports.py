"""What a cold start of a group must not load. Times are for benchmarks; what is loaded is for tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

from functions.gateway.groups import apis

HEAVY = ("numpy", "scipy", "pandas", "kubernetes", "boto3", "cryptography", "argon2", "jwt", "uvicorn", "typer", "rich", "urllib3", "yaml")


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("group", [*apis(), "authorizer"])
def test_a_group_loads_nothing_heavy(group: str) -> None:
    loaded = loaded_by(f"import functions.{group}.app")
    assert f"functions.{group}.app" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_command_line_loads_no_command() -> None:
    loaded = loaded_by("import upid.cli.main")
    assert loaded.isdisjoint(set(HEAVY) - {"typer"} | {"pydantic", "aws_lambda_powertools"})
    assert not [name for name in loaded if name.startswith("upid.") and name.split(".")[1] not in {"cli", "domain"}]
