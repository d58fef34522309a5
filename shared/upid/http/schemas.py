"""What every body and every answer is made from. Validators are built on first use: a cold start pays for the models that its request meets."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """What we say, and parts of what we are told."""

    model_config = ConfigDict(defer_build=True)


class Body(BaseModel):
    """What we are told: a field that we don't know is refused, not ignored."""

    model_config = ConfigDict(defer_build=True, extra="forbid")
