"""The page that shows the OpenAPI document, whole in itself: nothing is loaded from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

HEADERS: Final = {
    "Cache-Control": "public, max-age=60",
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}


@cache
def page() -> str:
    """Return the page's text, read once per process."""
    return (Path(__file__).parent / "page.html").read_text("utf-8")
