"""HTTP to a Prometheus API: a rate limit, retries with backoff, and errors that say what is wrong."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from upid.adapters.prometheus.access import Endpoint
from upid.adapters.prometheus.amazon import signature
from upid.adapters.resilience.guards import Guard
from upid.adapters.resilience.trust import distrust
from upid.domain.errors import AppError, ForbiddenError, RefusedError, UnauthenticatedError, UnavailableError

ATTEMPTS: Final = 4
BACKOFF_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 10.0
QUEUE_SECONDS: Final = 60.0
PIECE: Final = 1 << 21
_PASSING: Final = frozenset({429, 500, 502, 503, 504})
_REFUSING: Final = frozenset({400, 413, 422})

Params = Mapping[str, str | list[str]]


class UnreadableAnswerError(ValueError):
    """An answer that is not what the API promises."""


class PassingError(UnavailableError):
    """What a second try may heal."""


class BrokenError(PassingError):
    """It does not answer, breaks off, or answers that it is broken."""


class ThrottledError(PassingError):
    """Asked too often: it is well, and wants to be asked later."""


class SlowError(PassingError):
    """Too busy: a second try may heal it, a smaller query too."""


class TimedOutError(SlowError):
    """No answer in time: the same again would take as long, a smaller query may not."""


class UntrustedError(UnavailableError):
    """Its certificate or its TLS is refused: a second try heals nothing."""


@dataclass(slots=True)
class PrometheusClient:
    """One API with the credentials of its endpoint; safe for threads. `sleep` and `now` are replaced in tests.

    skew_seconds: by how much the source's clock was ahead of ours at its last answer, by its `Date` header, which is whole seconds; 0 = not known.
    """

    endpoint: Endpoint
    timeout_seconds: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    guard: Guard | None = None
    attempts: int = ATTEMPTS
    now: Callable[[], float] = time.time
    skew_seconds: float = field(default=0.0, init=False)
    _pool: urllib3.PoolManager = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _next: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=4, retries=False, ssl_context=self.endpoint.tls)

    def document(self, path: str, params: Params, *, within_seconds: float | None = None) -> dict[str, Any]:
        """Return the JSON object that `path` (`/api/v1/...`) answers with; errors as `ask` raises them."""
        return self.ask(path, params, lambda pieces: _parse(b"".join(pieces)), within_seconds=within_seconds)

    def instant(self, query: str, moment: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the series of an instant query, each with `metric` and `value`, and the document; UnavailableError for another form."""
        document = self.document("/api/v1/query", {"query": query, "time": str(moment)})
        data = document.get("data")
        result = data.get("result") if isinstance(data, dict) else None
        if not isinstance(result, list) or not all(map(_is_instant, result)):
            raise UnavailableError(f"{self.endpoint.base} does not answer as a Prometheus API: a query's answer has no vector.")
        return result, document

    def ask(
        self, path: str, params: Params, read: Callable[[Iterator[bytes]], dict[str, Any]], *, within_seconds: float | None = None
    ) -> dict[str, Any]:
        """Return what `read` makes of the pieces of an answer, tried again where that may help; `within_seconds`: longest silence.

        UnauthenticatedError, ForbiddenError; RefusedError where the query as it stands is refused; SlowError where it is too much for now;
        UnavailableError for all else.
        """
        for attempt in range(self.attempts):
            try:
                return self._guarded(path, params, read, within_seconds or self.timeout_seconds)
            except PassingError as error:
                if attempt == self.attempts - 1 or isinstance(error, TimedOutError):
                    raise
                wait = error.members.get("retry_after_seconds") or BACKOFF_SECONDS * 2**attempt
                self.sleep(min(float(str(wait)), LONGEST_WAIT_SECONDS))
        raise AssertionError("The last attempt returns or raises.")

    def _guarded(
        self, path: str, params: Params, read: Callable[[Iterator[bytes]], dict[str, Any]], within_seconds: float
    ) -> dict[str, Any]:
        """Do one request unless the circuit is open; only what does not answer or is broken counts against it, not what is asked too much of."""
        if self.guard is None:
            return self._once(path, params, read, within_seconds)
        kept: PassingError | None = None
        with self.guard.attempt((BrokenError, TimedOutError, UntrustedError), wait_seconds=QUEUE_SECONDS):
            try:
                return self._once(path, params, read, within_seconds)
            except (ThrottledError, SlowError) as error:
                if isinstance(error, TimedOutError):
                    raise
                kept = error
        raise kept

    def _once(self, path: str, params: Params, read: Callable[[Iterator[bytes]], dict[str, Any]], within_seconds: float) -> dict[str, Any]:
        self._hold_rate()
        try:
            document = self._read(self._send(path, params, within_seconds), read)
        except HTTPError as error:
            if why := distrust(error):
                raise UntrustedError(f"{self.endpoint.base} cannot be trusted: {why}.") from None
            raise _failure(self.endpoint.base, error) from error
        except UnreadableAnswerError as error:
            raise UnavailableError(f"{self.endpoint.base} does not answer as a Prometheus API: {error}") from None
        if document.get("status") != "success":
            raise RefusedError(f"Prometheus refused a query: {document.get('error', 'no reason given')}.")
        return document

    def _read(self, response: BaseHTTPResponse, read: Callable[[Iterator[bytes]], dict[str, Any]]) -> dict[str, Any]:
        """Return what `read` makes of an answer; its connection is used again only where all of it was read."""
        whole = False
        try:
            self.skew_seconds = _skew_of(response.headers.get("Date", ""), self.now())
            if response.status != 200:
                raise _error_of(self.endpoint.base, response)
            document = read(response.stream(PIECE, decode_content=True))
            whole = True
        finally:
            response.release_conn() if whole else response.close()
        return document

    def _send(self, path: str, params: Params, within_seconds: float) -> BaseHTTPResponse:
        encoding = {} if self.endpoint.is_loopback else {"Accept-Encoding": "gzip"}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"} | encoding | self.endpoint.headers
        body, url = urlencode({**params, **self.endpoint.params}, doseq=True).encode(), self.endpoint.base + path
        method = "POST"
        if path.startswith("/api/v1/label/"):  # the one path that takes no POST
            method, url, body = "GET", f"{url}?{body.decode()}", b""
        if self.endpoint.aws_region:
            headers |= signature(method, url, body, headers, self.endpoint.aws_region)
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, within_seconds), read=within_seconds)
        return self._pool.request(method, url, body=body or None, headers=headers, timeout=timeout, preload_content=False, redirect=False)

    def _hold_rate(self) -> None:
        if self.endpoint.max_qps <= 0:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1.0 / self.endpoint.max_qps
        if turn > now:
            self.sleep(turn - now)


def _skew_of(date: str, now: float) -> float:
    """Return how far a moment of a header is ahead of `now`, 0 for one that can't be read. [s]"""
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except (TypeError, ValueError):
        return 0.0


def _is_instant(one: Any) -> bool:
    try:
        float(one["value"][1])
        return isinstance(one["metric"], dict)
    except (IndexError, KeyError, TypeError, ValueError):
        return False


def _parse(text: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UnreadableAnswerError(_looks_like(text)) from None
    if not isinstance(document, dict):
        raise UnreadableAnswerError("it is no JSON object.")
    return document


def _looks_like(text: bytes) -> str:
    return "it is an HTML page." if text.lstrip()[:1] == b"<" else f"it is no JSON: {text[:60].decode(errors='replace')!r}."


def _error_of(base: str, response: BaseHTTPResponse) -> AppError:
    status, reason = response.status, _reason(response)
    if status == 401:
        return UnauthenticatedError(f"{base} refuses the credentials for metrics (401).")
    if status == 403:
        return ForbiddenError(f"{base} does not allow reading metrics with these credentials (403).")
    if 300 <= status < 400:
        return UnavailableError(f"{base} redirects to {response.headers.get('Location', 'elsewhere')!r}; it may want a log-in.")
    if status in _REFUSING:
        return RefusedError(f"Prometheus refused a query ({status}): {reason}.")
    if status in _PASSING:
        after = response.headers.get("Retry-After", "")
        kind = _passing(status, reason)
        return kind(f"{base} answered {status}: {reason}.", retry_after_seconds=float(after) if after.isdigit() else 0.0)
    return UnavailableError(f"{base} does not answer as a Prometheus API: it answered {status}.")


def _passing(status: int, reason: str) -> type[PassingError]:
    if status in (503, 504):
        return TimedOutError if "timed out" in reason else SlowError
    return ThrottledError if status == 429 else BrokenError


def _reason(response: BaseHTTPResponse) -> str:
    text = response.read(1 << 16, decode_content=True)
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return "it is an HTML page" if text.lstrip()[:1] == b"<" else text[:200].decode(errors="replace").strip() or "no reason given"
    error = document.get("error") if isinstance(document, dict) else None
    return str(error or "no reason given")[:300].rstrip(".")


def _failure(base: str, error: HTTPError) -> PassingError:
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError | urllib3.exceptions.NewConnectionError):
        return BrokenError(f"{base} does not answer: {_cause(error)}.")
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return TimedOutError(f"{base} did not answer in time.")
    return BrokenError(f"{base} broke off: {_cause(error)}.")


def _cause(error: HTTPError) -> str:
    """Return what the system said, without addresses of objects in memory or lines of libraries."""
    inner: BaseException = error
    while inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    text = str(inner)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        text = text.rpartition(": ")[2]
    return re.sub(r"\s*\(_ssl\.c:\d+\)", "", text).strip(" .") or type(inner).__name__
