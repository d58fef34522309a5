"""The platform's HTTP API as any client uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import urllib3

from upid.domain.errors import UnavailableError

PREFIX: Final = "/api/v1"
TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=60.0)


@dataclass(slots=True)
class PlatformClient:
    """Requests to the platform at `url`; `login` gives an access token, and a new one when that has expired."""

    url: str
    login: Callable[[], str]
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=TIMEOUT), repr=False)
    _token: str = field(default="", repr=False)

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Return what a GET answers; UnavailableError with the problem's words where it fails."""
        return self._answer("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a POST answers; UnavailableError as with `get`."""
        return self._answer("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a PUT answers; UnavailableError as with `get`."""
        return self._answer("PUT", path, body)

    def items(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page after page."""
        page = self.get(path, **query)
        while True:
            yield from page["items"]
            if not page["next_cursor"]:
                return
            page = self.get(path, **query, cursor=page["next_cursor"])

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        self._token = self._token or self.login()
        response = self._send(method, path, body)
        if response.status == HTTPStatus.UNAUTHORIZED:
            self._token = self.login()
            response = self._send(method, path, body)
        document = _document(response.data)
        if response.status >= HTTPStatus.BAD_REQUEST:
            faults = "".join(f" {fault['pointer']}: {fault['detail']}" for fault in document.get("errors", ()) if isinstance(fault, dict))
            raise UnavailableError(f"{method} {path} answered {response.status}: {document.get('detail', '')}{faults}")
        return dict(document)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None if body is None else orjson.dumps(body)
        headers |= {} if data is None else {"Content-Type": "application/json"}
        try:
            return self._pool.request(method, f"{self.url}{PREFIX}{path}", headers=headers, body=data)
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(f"The platform at {self.url} does not answer: {error}") from None


def _document(data: bytes) -> Mapping[str, Any]:
    """Return an answer's JSON object, an empty one for anything else: the status says the rest."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
