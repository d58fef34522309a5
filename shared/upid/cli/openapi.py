"""`upid openapi`: the documents that are generated from the code."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path | None, typer.Option("--write", help="Write openapi.json and problems.md into this folder instead.", file_okay=False)
]


def openapi(write: Folder = None) -> None:
    """Print the OpenAPI document of the API, or write the generated documents."""
    if write is None:
        print(documents()["openapi.json"], end="")
        return
    for name, text in documents().items():
        (write / name).write_text(text, "utf-8")
        print(write / name)


def documents() -> dict[str, str]:
    """Return every generated document by its file's name. The functions are known by name only, as they are to the runtime."""
    groups = importlib.import_module("functions.gateway.groups")
    return {"openapi.json": groups.openapi_text(), "problems.md": groups.problems_text()}
