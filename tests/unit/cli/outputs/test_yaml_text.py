from __future__ import annotations

from typing import Any

import pytest
import yaml
from outside.scanned import document, entry, together, withheld

from upid.cli.outputs.yaml_text import render_yaml, yaml_text


@pytest.mark.parametrize(
    "found",
    [
        document(entry(), withheld()), document(), together(document(entry(), withheld(), cluster="a"), document(cluster="b")),
        together(document(entry()) | {"recommendations": [entry(name="läufer: # 1"), entry(name="- x")]}),
    ],
)  # fmt: skip
def test_it_is_the_same_document_as_the_json(found: dict[str, Any]) -> None:
    assert yaml.safe_load(render_yaml(found)) == found


@pytest.mark.parametrize(
    "text", ["1e3", "0o17", "0x1f", "1_000", "yes", "null", "1.5", "2", "2023-11-15", "1:30", ".5", "~", "", "on", "1E+4", "0b1"]
)
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    written = yaml_text({"name": text}).strip()

    assert written.removeprefix("name: ")[0] in "'\""
    assert yaml.safe_load(written) == {"name": text}


@pytest.mark.parametrize("text", ["web", "250m", "1Gi", "e3", "v1", "a.b-c"])
def test_other_text_is_not(text: str) -> None:
    assert yaml_text({"name": text}) == f"name: {text}\n"


def test_the_same_value_twice_is_written_twice() -> None:
    shared = {"a": 1}

    assert yaml_text([shared, shared]) == "- a: 1\n- a: 1\n"
