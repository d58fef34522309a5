"""Work that outlasts a request: what every 202 points to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

WorkStatus = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
ENDED: Final = frozenset({"succeeded", "partial", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class WorkError:
    """One thing that went wrong in a piece of work: a code for machines, a text for people, and what it hit."""

    code: str
    detail: str
    subject: str = ""
