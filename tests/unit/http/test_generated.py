"""The documents that are generated from the code are the ones that are committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from upid.cli.openapi import documents, openapi

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", ["openapi.json", "problems.md"])
def test_it_is_current(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == documents()[name], "write it anew: upid openapi --write docs"


def test_every_problem_of_the_document_is_in_the_table() -> None:
    import re

    found = documents()
    assert set(re.findall(r"`(/problems/[a-z-]+)`", found["openapi.json"])) <= set(
        re.findall(r"`(/problems/[a-z-]+)`", found["problems.md"])
    )


def test_they_are_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    openapi(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"openapi.json", "problems.md"}
    openapi()
    assert '"openapi": "3.1.0"' in capsys.readouterr().out
