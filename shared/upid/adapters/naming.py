"""Names of blobs, the same in every store."""

from __future__ import annotations

import re
from typing import Final

LONGEST_NAME: Final = 1000
LONGEST_PART: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


def possible(name: str) -> bool:
    """Tell whether a blob can have this name: `/`-separated parts of `A-Za-z0-9._-`, none of them `.` or `..`."""
    parts = name.split("/")
    return (
        len(name) <= LONGEST_NAME
        and bool(_NAME.fullmatch(name))
        and all(part not in {".", ".."} and len(part) <= LONGEST_PART for part in parts)
    )


def hold_name(name: str) -> str:
    """Return the name; ValueError for one that no blob can have."""
    if not possible(name):
        raise ValueError(f"{name!r} can't be a blob's name.")
    return name


def hold_prefix(prefix: str) -> str:
    """Return the prefix; ValueError for one that no name can have."""
    folder = prefix.rpartition("/")[0]
    if (folder or prefix.startswith("/")) and not possible(folder):
        raise ValueError(f"No blob's name begins with {prefix!r}.")
    return prefix
