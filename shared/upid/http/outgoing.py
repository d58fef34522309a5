"""What happens to every answer on its way out, whichever group it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LOCATION: Final = "Location"


def below_stage(answer: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Let `Location` name what the client asked for it by: API Gateway's own address has the stage before the path (`/live/api/v1/...`)."""
    path, asked = str(event.get("path") or ""), str((event.get("requestContext") or {}).get("path") or "")
    stage = asked.removesuffix(path) if path and asked.endswith(path) else ""
    headers = answer.get("multiValueHeaders") or {}
    if stage and headers.get(LOCATION, [""])[0].startswith("/"):
        headers[LOCATION] = [stage + headers[LOCATION][0]]
    return answer
