"""HTTP to an InfluxDB: line protocol in, InfluxQL out, a circuit breaker between, and errors that say what is wrong."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from upid.adapters.resilience.guards import Guard
from upid.domain.errors import AppError, ForbiddenError, NotFoundError, RefusedError, UnauthenticatedError, UnavailableError
from upid.settings import InfluxSettings

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 60.0
QUEUE_SECONDS: Final = 30.0
PIECE: Final = 1 << 20
POINTS_AT_ONCE: Final = 10_000  # of a streamed answer; the server's own default
SMALLEST_GZIP: Final = 1024  # bytes below which compression costs more than it saves

Series = dict[str, Any]


class BrokenError(UnavailableError):
    """The server does not answer, breaks off, or answers that it is broken."""

    title = "InfluxDB unavailable"


@dataclass(slots=True)
class InfluxClient:
    """One server with its credentials; safe for threads. Nothing is tried again here: who writes has a buffer, who reads an error to show."""

    settings: InfluxSettings
    guard: Guard | None = None
    read_seconds: float = READ_SECONDS
    _pool: urllib3.PoolManager = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=8, retries=False)

    def write(self, database: str, lines: bytes) -> None:
        """Write points with times in seconds. NotFoundError without the database, RefusedError for what it will never take, else UnavailableError."""
        body = gzip.compress(lines, 1) if len(lines) >= SMALLEST_GZIP else lines
        encoding = {"Content-Encoding": "gzip"} if body is not lines else {}
        self.send("POST", "/write", {"db": database, "precision": "s"}, body, {"Content-Type": "text/plain; charset=utf-8"} | encoding)

    def query(self, database: str, query: str, params: Mapping[str, str | int] | None = None) -> Iterator[Series]:
        """Yield the series of a query as the server streams them, each with `columns`, `values` and where grouped `tags`; times in seconds.

        One series may come in several pieces. A database that is not there has no series. Errors as `write` raises them.
        """
        asked = {"db": database, "q": query, "epoch": "s", "chunked": "true", "chunk_size": str(POINTS_AT_ONCE)}
        if params:
            asked["params"] = orjson.dumps(dict(params)).decode()
        try:
            with self._attempt():
                response = self._request("GET", "/query", asked, b"", {"Accept": "application/json"})
                yield from _streamed(self.settings.url, response)
        except NotFoundError:
            return

    def execute(self, statement: str, database: str = "") -> list[Series]:
        """Run one statement of InfluxQL that may change something and return the series it answers with; errors as `write` raises them."""
        where = {"db": database} if database else {}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.send("POST", "/query", where, urlencode({"q": statement}).encode(), form)
        return list(_series(orjson.loads(answer)))

    def send(self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
        """Return the whole answer to one request; errors as `write` raises them."""
        with self._attempt():
            return _whole(self._request(method, path, query, body, headers or {}))

    def version(self) -> str:
        """Return the server's version, such as `1.8.10`; UnavailableError where it names none."""
        with self._attempt():
            response = self._request("GET", "/ping", {}, b"", {})
            response.read()
            response.release_conn()
        found = str(response.headers.get("X-Influxdb-Version", "")).lstrip("v")
        if not found:
            raise UnavailableError(f"{self.settings.url} does not answer as an InfluxDB: it tells no version.")
        return found

    def _attempt(self) -> AbstractContextManager[object]:
        return self.guard.attempt((BrokenError,), wait_seconds=QUEUE_SECONDS) if self.guard else nullcontext()

    def _request(self, method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> BaseHTTPResponse:
        url = f"{self.settings.url}{path}" + (f"?{urlencode(query)}" if query else "")
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=self.read_seconds)
        sent = {**headers, **self.settings.headers, "Accept-Encoding": "gzip"}
        try:
            response = self._pool.request(
                method, url, body=body or None, headers=sent, timeout=timeout, preload_content=False, redirect=False
            )
        except HTTPError as error:
            raise BrokenError(f"{self.settings.url} does not answer: {_cause(error)}.") from error
        if response.status >= 300:
            raise _refusal(self.settings.url, response)
        return response


def _whole(response: BaseHTTPResponse) -> bytes:
    try:
        return response.read(decode_content=True)
    except HTTPError as error:
        response.close()
        raise BrokenError(f"InfluxDB broke off: {_cause(error)}.") from error
    finally:
        response.release_conn()


def _streamed(base: str, response: BaseHTTPResponse) -> Iterator[Series]:
    """Yield the series of an answer that is one JSON document a line; a connection is used again only where all of it was read."""
    whole, left = False, b""
    try:
        for piece in response.stream(PIECE, decode_content=True):
            *lines, left = (left + piece).split(b"\n")
            for line in filter(None, lines):
                yield from _series(orjson.loads(line))
        yield from _series(orjson.loads(left)) if left.strip() else ()
        whole = True
    except HTTPError as error:
        raise BrokenError(f"{base} broke off: {_cause(error)}.") from error
    except orjson.JSONDecodeError as error:
        raise BrokenError(f"{base} does not answer as an InfluxDB: {error}.") from error
    finally:
        response.release_conn() if whole else response.close()


def _series(document: Mapping[str, Any]) -> Iterator[Series]:
    for result in [document, *document.get("results", ())]:
        if "error" in result:
            raise _error_of(str(result["error"]))
        yield from result.get("series", ())


def _refusal(base: str, response: BaseHTTPResponse) -> AppError:
    text = _whole(response)[:2000]
    try:
        document = orjson.loads(text)
        reason = str(document.get("error") or document.get("message") or document) if isinstance(document, dict) else str(document)
    except orjson.JSONDecodeError:
        reason = text[:200].decode(errors="replace").strip() or "no reason given"
    if response.status == 401:
        return UnauthenticatedError(f"{base} refuses the credentials for usage history (401).")
    if response.status == 403:
        return ForbiddenError(f"{base} does not allow this with these credentials (403): {reason}.")
    if response.status == 404:
        return NotFoundError(f"{base}: {reason}.")
    if response.status >= 500 or response.status == 429:
        return BrokenError(f"{base} answered {response.status}: {reason}.")
    return RefusedError(f"{base} refused ({response.status}): {reason}.")


def _error_of(reason: str) -> AppError:
    return NotFoundError(f"InfluxDB: {reason}.") if "not found" in reason.lower() else RefusedError(f"InfluxDB refused a query: {reason}.")


def _cause(error: HTTPError) -> str:
    """Return what went wrong without the addresses of objects in memory."""
    return str(error).rpartition(": ")[2].strip(" .") or type(error).__name__
