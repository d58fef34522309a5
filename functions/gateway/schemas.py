"""What the gateway group takes and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class HealthOut(BaseModel):
    """Whether the platform can serve."""

    status: Literal["ok"]
    version: str
    time: str
