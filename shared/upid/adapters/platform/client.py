"""The HTTP API of a running platform: retries with backoff, answers behind a link, and problems as the errors that they were."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import orjson
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from upid.domain.errors import AppError, ConflictError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, UnavailableError

PREFIX: Final = "/api/v1"
ATTEMPTS: Final = 4
BACKOFF_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 30.0
TIMEOUT: Final = urllib3.Timeout(connect=10.0, read=60.0)
_PASSING: Final = frozenset({429, 500, 502, 503, 504})
_KINDS: Final[Mapping[int, type[AppError]]] = {
    400: InvalidError, 401: UnauthenticatedError, 403: ForbiddenError, 404: NotFoundError, 409: ConflictError, 412: ConflictError, 422: InvalidError,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlatformClient:
    """One platform by its URL and a token. `sleep` is replaced in tests."""

    base: str
    token: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False), init=False, repr=False)

    @classmethod
    def at(cls, url: str, token: str) -> PlatformClient:
        """Return a client; InvalidError for what is no http or https URL, or a token that cannot be sent."""
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and not parts.query
        except ValueError:
            usable = False
        if not usable:
            raise InvalidError(f"{url!r} is no URL of a platform: it is http or https, without user and query.")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise InvalidError("The token holds characters that no header may.")
        return cls(url.rstrip("/").removesuffix(PREFIX), token)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return what a path below `/api/v1` answers; what is too long for an answer is fetched from where it lies."""
        return self._patiently("GET", f"{self.base}{PREFIX}{path}" + (f"?{urlencode(query)}" if query else ""), None, {})

    def post(self, path: str, body: Mapping[str, Any], *, repeatable_as: str = "") -> dict[str, Any]:
        """Return what it answers to a POST; sent again only where it is repeatable."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": repeatable_as} if repeatable_as else {})
        return self._patiently("POST", f"{self.base}{PREFIX}{path}", orjson.dumps(body), headers, attempts=ATTEMPTS if repeatable_as else 1)

    def _patiently(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], attempts: int = ATTEMPTS) -> dict[str, Any]:
        for attempt in range(attempts):
            try:
                return self._once(method, url, body, headers)
            except UnavailableError as error:
                wait = error.members.get("retry_after_seconds")
                if wait is None or attempt == attempts - 1:
                    raise
                self.sleep(min(float(str(wait)) or BACKOFF_SECONDS * 2**attempt, LONGEST_WAIT_SECONDS))
        raise AssertionError("The last attempt returns or raises.")

    def _once(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = self._send(method, url, body, {**headers, "Authorization": f"Bearer {self.token}"})
            if answer.status == 303:
                # The link is its own permission, and may be another host's: nobody else is shown the token.
                answer = self._send("GET", urljoin(url, answer.headers.get("Location", "")), None, {})
        except HTTPError as error:
            raise UnavailableError(f"{self.base} does not answer: {_cause(error)}.", retry_after_seconds=0.0) from error
        return self._document(answer)

    def _send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> BaseHTTPResponse:
        sent = {"Accept": "application/json", "Accept-Encoding": "gzip", **headers}
        return self._pool.request(method, url, body=body, headers=sent, timeout=TIMEOUT, redirect=False)

    def _document(self, answer: BaseHTTPResponse) -> dict[str, Any]:
        try:
            document = orjson.loads(answer.data)
        except orjson.JSONDecodeError:
            document = None
        if 200 <= answer.status < 300 and isinstance(document, dict):
            return document
        detail = document.get("detail") if isinstance(document, dict) else None
        if answer.status in _PASSING:
            after = answer.headers.get("Retry-After", "")
            wait = float(after) if after.isdigit() else 0.0
            raise UnavailableError(f"{self.base} answered {answer.status}: {detail or 'no reason given'}", retry_after_seconds=wait)
        if answer.status in _KINDS and detail:
            faults = document.get("errors") if isinstance(document, dict) else None
            raise _KINDS[answer.status](str(detail), **({"errors": faults} if isinstance(faults, list) else {}))
        raise UnavailableError(f"What answers at {self.base} is no UPID platform: it answered {answer.status}.")


def _cause(error: HTTPError) -> str:
    inner: BaseException = error
    while inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    return str(inner).rpartition(": ")[2].strip(" .") or type(inner).__name__
