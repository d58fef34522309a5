"""Lists of one kind, page by page: what a page holds is reduced at once, so that no more than one parsed page is in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, TypeVar

import orjson

from upid.adapters.kubernetes.errors import ApiServerError, ListExpiredError
from upid.adapters.kubernetes.session import Answer, Session
from upid.domain.errors import AppError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError

PAGE: Final = 500
T = TypeVar("T")


@dataclass(slots=True)
class Lister:
    """Reads lists through one session; pages of several threads are parsed one at a time."""

    session: Session
    page: int = PAGE
    _parsing: Lock = field(default_factory=Lock, repr=False)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return a document; the fitting error for an answer that is none (NotFoundError for 404, ApiServerError for what is no Kubernetes API)."""
        answer = self.session.get(path, query)
        with self._parsing:
            return _document(answer, path)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document that the server answers to one; errors as `get` raises them."""
        answer = self.session.post(path, orjson.dumps(body))
        with self._parsing:
            return _document(answer, path)

    def rows(self, path: str, reduce: Callable[[dict[str, Any]], T], *, page: int = 0) -> list[T] | None:
        """Return every object of a list, reduced; None where the server does not know the kind (404). page: most objects at once.

        A list that expired between two pages (410) is read anew once. Raises what `get` raises.
        """
        for attempt in (1, 2):
            try:
                return self._all(path, reduce, page or self.page)
            except NotFoundError:
                return None
            except ListExpiredError as error:
                if attempt == 2:
                    raise ApiServerError(error.detail) from None
        return None

    def _all(self, path: str, reduce: Callable[[dict[str, Any]], T], page: int) -> list[T]:
        rows: list[T] = []
        query = {"limit": str(page)}
        while True:
            answer = self.session.get(path, query)
            with self._parsing:
                document = _document(answer, path)
                rows.extend(reduce(item) for item in document.get("items") or () if isinstance(item, dict))
                metadata = document.get("metadata")
            go_on = metadata.get("continue") if isinstance(metadata, dict) else None
            if not go_on:
                return rows
            if go_on == query.get("continue"):
                raise ApiServerError(f"The Kubernetes API does not get on in its list {path}.")
            query["continue"] = str(go_on)


def _document(answer: Answer, path: str) -> dict[str, Any]:
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        document = None
    if not 200 <= answer.status < 300:
        raise _error(answer.status, document, path)
    if not isinstance(document, dict):
        raise ApiServerError(f"What answers at {path} is no Kubernetes API: its answer is not JSON.")
    return document


def _error(status: int, document: Any, path: str) -> AppError:
    said = document.get("message") if isinstance(document, dict) else None
    words = " ".join(str(said).split())[:300] if said else f"answer {status} to {path}"
    match status:
        case 401:
            return UnauthenticatedError(f"The Kubernetes API does not accept these credentials: {words}")
        case 403:
            return ForbiddenError(f"The Kubernetes API refuses: {words}")
        case 404:
            return NotFoundError(f"The Kubernetes API has no {path}.")
        case 410:
            metadata = document.get("metadata") if isinstance(document, dict) else None
            offered = metadata.get("continue") if isinstance(metadata, dict) else None
            return ListExpiredError(f"The list {path} expired on the API server while it was read.", str(offered or ""))
        case 400 | 422:
            return InvalidError(f"The Kubernetes API cannot take this: {words}")
        case _:
            return ApiServerError(f"The Kubernetes API answers {status}: {words}")
