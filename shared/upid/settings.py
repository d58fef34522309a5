"""One frozen model of the environment, read once at the start and passed down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs.

    home: data directory of the embedded platform. workers: processes for workflow tasks. admin_password: sets the admin's password
    instead of a generated one. token_seconds: life of an access token. public_url: where the API is reached, for links.
    """

    home: Path
    port: int = 8080
    host: str = "127.0.0.1"
    workers: int = 2
    admin_password: str = ""
    token_seconds: int = 900
    schedules: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that environment variables give; ValueError that names the variable that is wrong."""
        env = os.environ if environment is None else environment
        return cls(
            home=Path(env.get("UPID_HOME") or ".upid").resolve(),
            port=_whole(env, "PORT", 8080, low=0, high=65535),
            host=env.get("UPID_HOST") or "127.0.0.1",
            workers=_whole(env, "UPID_WORKERS", os.cpu_count() or 1, low=1, high=256),
            admin_password=env.get("UPID_ADMIN_PASSWORD", ""),
            token_seconds=_whole(env, "UPID_TOKEN_SECONDS", 900, low=60, high=86400),
            schedules=env.get("UPID_SCHEDULES", "on") != "off",
        )


def _whole(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"{name}={text!r} must be a whole number from {low} to {high}.")
    return int(text)
