"""Links to blobs that work without a token, for a short time: where an answer is too long for the edge to carry."""

from __future__ import annotations

from typing import Protocol


class Links(Protocol):
    """Makes links. Who has one reads the blob until it expires, and nothing else."""

    def link(self, name: str, *, seconds: int, content_type: str) -> str:
        """Return a URL that gives the blob of this name with this content type; whether there is one shows when it is read."""
        ...
