"""What happens to every answer on its way out, whichever group it comes from."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from upid.bootstrap import Services

LOCATION: Final = "Location"
LONGEST_BYTES: Final = 5_000_000  # a buffered answer of Lambda ends at 6 MB, its envelope and escapes included
LINK_SECONDS: Final = 300


def by_reference(answer: dict[str, Any], build: Callable[[], Services]) -> dict[str, Any]:
    """Return the answer; one that is too long for Lambda lies behind a link that works for five minutes, and 303 leads there, in both homes alike.

    Only answers of 200 go that way, whatever they are asked with: a link is read by GET, so that nothing that a client sent is done again by following it.
    UnavailableError where it cannot be stored.
    """
    body = answer.get("body") or ""
    kind = (answer.get("multiValueHeaders") or {}).get("Content-Type", ["application/json"])[0]
    if answer["statusCode"] != HTTPStatus.OK or not _is_long(body):
        return answer
    data = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    services = build()
    name = f"answers/{services.ids.secret()}"
    link = services.links.link(name, seconds=LINK_SECONDS, content_type=kind)
    services.blobs.put(name, data)
    return {
        "statusCode": HTTPStatus.SEE_OTHER.value,
        "multiValueHeaders": {LOCATION: [link], "Cache-Control": ["no-store"]},
        "body": "",
        "isBase64Encoded": False,
    }


def _is_long(body: str) -> bool:
    return len(body) > LONGEST_BYTES or (len(body) * 4 > LONGEST_BYTES and len(body.encode()) > LONGEST_BYTES)


def below_stage(answer: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Let `Location` name what the client asked for it by: API Gateway's own address has the stage before the path (`/live/api/v1/...`)."""
    path, asked = str(event.get("path") or ""), str((event.get("requestContext") or {}).get("path") or "")
    stage = asked.removesuffix(path) if path and asked.endswith(path) else ""
    headers = answer.get("multiValueHeaders") or {}
    if stage and headers.get(LOCATION, [""])[0].startswith("/"):
        headers[LOCATION] = [stage + headers[LOCATION][0]]
    return answer
