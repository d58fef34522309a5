"""`upid openapi`: the documents that are generated from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from functions.gateway.groups import openapi_text
from upid.http.openapi import problems_page

Folder = Annotated[
    Path | None, typer.Option("--write", help="Write openapi.json and problems.md into this folder instead.", file_okay=False)
]


def openapi(write: Folder = None) -> None:
    """Print the OpenAPI document of the API, or write the generated documents."""
    if write is None:
        print(openapi_text(), end="")
        return
    for name, text in documents().items():
        (write / name).write_text(text, "utf-8")
        print(write / name)


def documents() -> dict[str, str]:
    """Return every generated document by its file's name."""
    return {"openapi.json": openapi_text(), "problems.md": problems_page()}
