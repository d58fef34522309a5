"""Requests to one API server: pooled, with timeouts, bounded answers, and retries with backoff."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from threading import Lock
from typing import Final
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, InsecureRequestWarning, ReadTimeoutError

from upid.adapters.kubernetes.credentials import Credentials, obtain, renewable
from upid.adapters.kubernetes.eks import locate
from upid.adapters.kubernetes.errors import ApiServerError, NoAnswerError
from upid.adapters.kubernetes.target import Target
from upid.adapters.kubernetes.tls import tls_context
from upid.adapters.resilience.breaker import CircuitOpenError
from upid.adapters.resilience.guards import BusyError, Guard
from upid.adapters.resilience.trust import distrust
from upid.domain.objects import Connection

RETRIED: Final = frozenset({429, 500, 502, 503, 504})
BROKEN: Final = RETRIED - {429}
PIECE_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server. Waits double from `backoff_seconds`; a server may ask for more (Retry-After), up to `longest_wait_seconds`.

    queue_seconds: for a place among the requests that one server takes at once.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    attempts: int = 5
    backoff_seconds: float = 0.25
    longest_wait_seconds: float = 10.0
    answer_bytes: int = 256 << 20
    queue_seconds: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer: its status and its whole body."""

    status: int
    body: bytes


@dataclass(slots=True)
class Session:
    """Requests to one target. Safe for use by several threads."""

    target: Target
    patience: Patience = field(default_factory=Patience)
    connections: int = 8
    guard: Guard | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)
    _open: tuple[urllib3.PoolManager, Credentials] | None = field(default=None, repr=False)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET, whatever its status but for those worth a retry.

        Credentials from a program or a file are asked anew once after a 401. Raises ApiServerError where the server does not answer in time, or still
        with a server error after all retries; KubeconfigError where there are no usable credentials.
        """
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    def post(self, path: str, body: bytes) -> Answer:
        """Return the answer to a POST of JSON that changes nothing and so may be sent again (a review of access); errors as `get` raises them."""
        return self._ask("POST", path, body)

    def connection(self) -> Connection:
        """Return how the server is reached, by a handshake of its own; NoAnswerError where there is none, KubeconfigError for unusable credentials."""
        credentials = self._opened()[1]
        parts = urlsplit(self.target.server)
        if parts.scheme != "https" or self._proxy():
            return Connection(self.target.server)
        context = tls_context(self.target, credentials)
        host = parts.hostname or ""
        try:
            with (
                socket.create_connection((host, parts.port or 443), self.patience.connect_seconds) as plain,
                context.wrap_socket(plain, server_hostname=self.target.server_name or host) as secured,
            ):
                certificate = secured.getpeercert() or {}
                until = certificate.get("notAfter")
                ends = ssl.cert_time_to_seconds(str(until)) if until else None
                return Connection(self.target.server, secured.version() or "", not self.target.insecure, ends)
        except OSError as error:
            if why := distrust(error):
                raise NoAnswerError(f"{self._where()} cannot be trusted: {why}.") from None
            raise NoAnswerError(f"{self._where()} cannot be reached: {error.strerror or error}") from None

    def close(self) -> None:
        """Close the connections and forget the credentials."""
        with self._lock:
            opened, self._open = self._open, None
        if opened:
            opened[0].clear()

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        answer = self._with_retries(method, path, body)
        if answer.status == HTTPStatus.UNAUTHORIZED and renewable(self.target.login):
            self.close()
            answer = self._with_retries(method, path, body)
        return answer

    def _with_retries(self, method: str, path: str, body: bytes | None) -> Answer:
        patience, wait = self.patience, self.patience.backoff_seconds
        attempt = 0
        while True:
            attempt += 1
            last = attempt >= patience.attempts
            try:
                answer, asked = self._guarded(method, path, body)
            except HTTPError as error:
                last = last or bool(distrust(error))  # whom one does not trust, one does not trust a second later
                attempt += isinstance(error, ReadTimeoutError)  # each has cost a long wait already, so half as many are made
                if last:
                    raise self._failure(error) from None
                asked = 0.0
            else:
                if answer.status not in RETRIED:
                    return answer
                if last:
                    raise ApiServerError(f"{self._where()} answers {answer.status} to {urlsplit(path).path}, {attempt} times.")
            patience.sleep(min(max(wait, asked), patience.longest_wait_seconds))
            wait *= 2

    def _guarded(self, method: str, path: str, body: bytes | None) -> tuple[Answer, float]:
        """Do one request unless the server's circuit is open; what does not answer, or answers that it is broken, counts against the server."""
        if self.guard is None:
            return self._once(method, path, body)
        try:
            with self.guard.attempt((HTTPError, NoAnswerError), wait_seconds=self.patience.queue_seconds) as attempt:
                try:
                    answer, asked = self._once(method, path, body)
                except ReadTimeoutError:
                    attempt.weight = 2  # each has cost a long wait: two of them tell as much as four refusals
                    raise
                attempt.error = f"It answers {answer.status}." if answer.status in BROKEN else ""
        except CircuitOpenError as error:
            raise NoAnswerError(error.detail, **error.members) from None
        except BusyError as error:
            raise ApiServerError(error.detail, **error.members) from None
        return answer, asked

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[Answer, float]:
        pool, credentials = self._opened()
        headers = urllib3.HTTPHeaderDict({"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "upid"})
        for name, value in credentials.headers:
            headers.add(name, value)
        timeout = urllib3.Timeout(connect=self.patience.connect_seconds, read=self.patience.read_seconds)
        if body is not None:
            headers.add("Content-Type", "application/json")
        url = f"{self.target.server}{path}"
        response = pool.request(
            method, url, body=body, headers=headers, timeout=timeout, retries=False, redirect=False, preload_content=False
        )
        try:
            asked = response.headers.get("Retry-After", "")
            text = self._body(response)
        finally:
            response.release_conn()
        return Answer(response.status, text), float(asked) if asked.isdigit() else 0.0

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        pieces, size = [], 0
        for piece in response.stream(PIECE_BYTES, decode_content=True):
            size += len(piece)
            if size > self.patience.answer_bytes:
                response.close()
                raise ApiServerError(f"{self._where()} answers with more than {self.patience.answer_bytes >> 20} MiB at once.")
            pieces.append(piece)
        return b"".join(pieces)

    def _opened(self) -> tuple[urllib3.PoolManager, Credentials]:
        with self._lock:
            if self._open is None:
                if self.target.login.eks and not self.target.server:
                    server, authority = locate(self.target.login.eks)
                    self.target = replace(self.target, server=server, authority_pem=authority)
                credentials = obtain(self.target, self.patience.now())
                self._open = self._pool(credentials), credentials
            elif self._open[1].until <= self.patience.now():
                self._open = self._renewed(*self._open)
            return self._open

    def _renewed(self, pool: urllib3.PoolManager, old: Credentials) -> tuple[urllib3.PoolManager, Credentials]:
        """Return what to go on with: the connections stay where only the token is another."""
        new = obtain(self.target, self.patience.now())
        if (new.certificate_pem, new.key_pem) != (old.certificate_pem, old.key_pem):
            pool.clear()
            pool = self._pool(new)
        return pool, new

    def _pool(self, credentials: Credentials) -> urllib3.PoolManager:
        target = self.target
        options: dict[str, object] = {"maxsize": self.connections, "block": True}
        if target.server.startswith("https:"):
            options["ssl_context"] = tls_context(target, credentials)
            if target.insecure:  # its kubeconfig says so: a warning with every request would tell nothing new
                urllib3.disable_warnings(InsecureRequestWarning)
            if target.server_name:
                options |= {"server_hostname": target.server_name, "assert_hostname": target.server_name}
        proxy = self._proxy()
        return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)  # type: ignore[arg-type] # keyword options of several types

    def _proxy(self) -> str:
        return self.target.proxy_url or self._system_proxy()

    def _system_proxy(self) -> str:
        parts = urlsplit(self.target.server)
        host = parts.hostname or ""
        if not self.target.system_proxies or host in {"localhost", "127.0.0.1", "::1"} or proxy_bypass(host):
            return ""
        return getproxies().get(parts.scheme, "")

    def _where(self) -> str:
        return f"The Kubernetes API at {self.target.server}"

    def _failure(self, error: HTTPError) -> NoAnswerError:
        cause: BaseException = getattr(error, "reason", None) or error
        if not isinstance(cause, BaseException):
            cause = error
        if why := distrust(error):
            return NoAnswerError(f"{self._where()} cannot be trusted: {why}.")
        if "imeout" in type(cause).__name__:
            return NoAnswerError(f"{self._where()} does not answer in time.")
        return NoAnswerError(f"{self._where()} cannot be reached: {_words(cause)}")


def _words(error: BaseException) -> str:
    """Return an error's own words in one line, without the name of the connection object in front."""
    text = " ".join(str(error.__cause__ or error).split())
    return text.rsplit(": ", 1)[-1][:200] if text.startswith("HTTP") else text[:200]
