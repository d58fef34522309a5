"""EnsureAdmin: what the first start of a home does, for one that has no process to start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.events.app import app
from upid.bootstrap import build_services


@app.lambda_function(name="EnsureAdmin")
def handler(event: Mapping[str, Any], _context: object) -> dict[str, str | None]:
    """Return `{"admin_password"}`: the one that was made now, None where there is an admin already or the event's `password` was set."""
    identity = build_services().identity
    identity.prepare()
    return {"admin_password": identity.ensure_admin(str(event.get("password") or ""))}
