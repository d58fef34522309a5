"""Circuits to outside systems: whether one is asked, left alone, or tried out."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["closed", "open", "half_open"]


class Circuit(NamedTuple):
    """A circuit as it last changed, in whichever process. `failures`: in a row; `changed_at`: in seconds since the epoch."""

    state: State
    failures: int
    last_error: str
    changed_at: float
