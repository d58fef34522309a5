"""`upid openapi`: the documents that are generated from the code."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from upid.http.openapi import problems_page

Folder = Annotated[
    Path | None, typer.Option("--write", help="Write openapi.json and problems.md into this folder instead.", file_okay=False)
]


def openapi(write: Folder = None) -> None:
    """Print the OpenAPI document of the API, or write the generated documents."""
    if write is None:
        print(openapi_document(), end="")
        return
    for name, text in documents().items():
        (write / name).write_text(text, "utf-8")
        print(write / name)


def documents() -> dict[str, str]:
    """Return every generated document by its file's name."""
    return {"openapi.json": openapi_document(), "problems.md": problems_page()}


def openapi_document() -> str:
    """Return the OpenAPI document; the functions are known by name only, as they are to the runtime."""
    return str(importlib.import_module("functions.gateway.groups").openapi_text())
