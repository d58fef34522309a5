"""Bytes by name: profiles, chunks, results (S3, or a directory embedded)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Blobs(Protocol):
    """A store of immutable-by-convention blobs. Names are `/`-separated parts of `A-Za-z0-9._-`; writing is atomic: no reader sees half a blob."""

    def put(self, name: str, data: bytes | memoryview, *, if_absent: bool = False) -> bool:
        """Write a blob whole; with `if_absent` only where there is none. Returns whether it was written. ValueError for an impossible name."""
        ...

    def get(self, name: str) -> bytes:
        """Return a blob; NotFoundError where there is none."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Remove a blob; removing what is not there is no error."""
        ...

    def delete_all(self, prefix: str) -> int:
        """Remove every blob whose name begins with `prefix` and return how many."""
        ...
