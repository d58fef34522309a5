"""What a cluster has, live or as the last collection saw it: page by page, filtered, never held whole where it is live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from upid.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    InvalidRequestError,
    NotFoundError,
    RefusedError,
    UnauthenticatedError,
    UnavailableError,
)
from upid.domain.identity import Caller
from upid.domain.objects import WORKLOAD_KINDS, ObjectKind, ObjectPage, Row, place
from upid.domain.selectors import parse_selector
from upid.domain.times import parse_time
from upid.ports.clock import Clock
from upid.ports.kubernetes import Kubernetes, KubernetesClients
from upid.services.cluster_records import ClusterRecords
from upid.services.surveys import WORKLOADS, Surveys

LISTED_BY: Final = {"ReplicaSet": {"Deployment", "Rollout"}, "Job": {"CronJob"}}  # what these own is shown as its owner
MOST_REQUESTS: Final = 10  # to the API server for one page of workloads
PAGE: Final = 500
EXTENSIONS: Final = frozenset({"rollouts", "nodemetrics"})  # a server that does not know these has none


class AccessRefusedError(RefusedError):
    """The cluster's API server does not accept the stored credentials, or does not allow them this."""

    title = "Cluster refuses access"


class ClusterUnavailableError(UnavailableError):
    """The cluster's API server does not answer, or its circuit is open (`retry_after_seconds`)."""

    title = "Cluster unavailable"


class ListExpiredError(ConflictError):
    """A list expired on the cluster's API server between two of its pages: begin it anew, without a cursor."""

    title = "List expired"


@dataclass(frozen=True, slots=True)
class ObjectQuery:
    """Which objects, and where to go on (`after` of the page before). live: as the API server has them now."""

    namespace: str = ""
    selector: str = ""
    live: bool = False
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of rows with `age_seconds` each. observed_at: when they were so [s]; `malformed`: objects that could not be read and are left out."""

    rows: Sequence[dict[str, Any]]
    after: str | None
    source: Literal["live", "snapshot"]
    observed_at: float
    age_seconds: float
    malformed: int = 0


@contextmanager
def answering() -> Iterator[None]:
    """Tell what a cluster refuses as the cluster's refusal: its 401 and 403 are none of the caller's own."""
    try:
        yield
    except (UnauthenticatedError, ForbiddenError) as error:
        raise AccessRefusedError(error.detail) from None
    except ConflictError as error:
        raise ListExpiredError(error.detail) from None
    except UnavailableError as error:
        raise ClusterUnavailableError(error.detail, **error.members) from None


@dataclass(frozen=True, slots=True)
class ClusterObjects:
    """Lists what clusters have."""

    clusters: ClusterRecords
    surveys: Surveys
    kubernetes: KubernetesClients
    clock: Clock

    def list(self, caller: Caller, cluster_id: str, kind: str, query: ObjectQuery) -> Listed:
        """Return a page of a kind (`workloads` are several kinds at once, live without bare pods and kinds of operators).

        Raises NotFoundError, InvalidRequestError for a selector or cursor; live: AccessRefusedError, ClusterUnavailableError, ListExpiredError;
        else NotObservedError.
        """
        _hold_right(query)
        return self._live(caller, cluster_id, kind, query) if query.live else self._seen(caller, cluster_id, kind, query)

    def open(self, caller: Caller, cluster_id: str) -> Kubernetes:
        """Return a client of a cluster's API server; NotFoundError."""
        return self.kubernetes.open(self.clusters.access(caller.tenant, self.clusters.get(caller.tenant, cluster_id).body).cluster)

    def every(self, caller: Caller, cluster_id: str, kind: ObjectKind, *, live: bool) -> Iterator[Row]:
        """Yield all rows of a kind, of which no more than a page is held where they are live; errors as `list`."""
        if not live:
            yield from self.surveys.rows(caller.tenant, cluster_id, self.surveys.latest(caller.tenant, cluster_id), kind)
            return
        api, after = self.open(caller, cluster_id), None
        while True:
            with answering():
                page = _page(api, kind, ObjectQuery(), PAGE, after)
            yield from page.rows
            after = page.after
            if after is None:
                return

    def _live(self, caller: Caller, cluster_id: str, kind: str, query: ObjectQuery) -> Listed:
        api, now = self.open(caller, cluster_id), self.clock.now()
        after = query.after.removeprefix("live:") if query.after else None
        with answering():
            several = kind == WORKLOADS
            page = _workloads(api, query, after) if several else _page(api, cast("ObjectKind", kind), query, query.limit, after)
        go_on = None if page.after is None else f"live:{page.after}"
        return Listed([_aged(row, now) for row in page.rows], go_on, "live", now, 0.0, page.malformed)

    def _seen(self, caller: Caller, cluster_id: str, kind: str, query: ObjectQuery) -> Listed:
        self.clusters.get(caller.tenant, cluster_id)
        index, now = self.surveys.latest(caller.tenant, cluster_id), self.clock.now()
        matches = parse_selector(query.selector)
        behind = tuple(query.after.removeprefix("seen:").split("/", 2)) if query.after else ()
        wanted: list[Row] = []
        for row in self.surveys.rows(caller.tenant, cluster_id, index, kind):
            if query.namespace in {"", row.get("namespace")} and _key(row) > behind and matches(row["labels"]):
                if len(wanted) == query.limit:
                    return self._page_seen(wanted, f"seen:{'/'.join(_key(wanted[-1]))}", index.time, now)
                wanted.append(row)
        return self._page_seen(wanted, None, index.time, now)

    @staticmethod
    def _page_seen(rows: Sequence[Row], after: str | None, time: float, now: float) -> Listed:
        return Listed([_aged(row, now) for row in rows], after, "snapshot", time, max(0.0, round(now - time, 3)))


def _page(api: Kubernetes, kind: ObjectKind, query: ObjectQuery, limit: int, after: str | None) -> ObjectPage:
    try:
        return api.objects(kind, namespace=query.namespace, selector=query.selector, limit=limit, after=after)
    except NotFoundError:
        if kind not in EXTENSIONS:
            raise UnavailableError(f"What answers as the cluster's API server lists no {kind}.") from None
        return ObjectPage(())
    except InvalidError as error:
        raise InvalidRequestError([{"pointer": "?cursor" if after else "?selector", "detail": error.detail}]) from None


def _workloads(api: Kubernetes, query: ObjectQuery, after: str | None) -> ObjectPage:
    """Return a page of workloads, one kind after the other; where the kind's place and the server's token go on is the page's own token."""
    rows: list[Row] = []
    malformed = 0
    number, _, token = (after or "0:").partition(":")
    if not (number.isascii() and number.isdigit() and int(number) < len(WORKLOAD_KINDS)):
        raise _no_cursor()
    at = int(number)
    for _ in range(MOST_REQUESTS + len(WORKLOAD_KINDS)):
        page = _page(api, WORKLOAD_KINDS[at], query, max(query.limit - len(rows), 1), token or None)
        rows += [row for row in page.rows if not _is_owned(row)]
        malformed += page.malformed
        at, token = (at, page.after) if page.after else (at + 1, "")
        if at == len(WORKLOAD_KINDS):
            return ObjectPage(rows, None, malformed)
        if len(rows) >= query.limit:
            break
    return ObjectPage(rows, f"{at}:{token}", malformed)


def _is_owned(row: Row) -> bool:
    owner = row.get("owner")
    return owner is not None and owner["kind"] in LISTED_BY.get(row["kind"], ())


def _key(row: Row) -> tuple[str, ...]:
    """Return the order of a row in its list: objects of several kinds may share a name."""
    return (*place(row), str(row["kind"])) if "kind" in row else place(row)


def _aged(row: Mapping[str, Any], now: float) -> dict[str, Any]:
    created_at = row["created_at"]
    return {**row, "age_seconds": max(0.0, round(now - parse_time(created_at), 3)) if created_at else None}


def _hold_right(query: ObjectQuery) -> None:
    try:
        parse_selector(query.selector)
    except InvalidError as error:
        raise InvalidRequestError([{"pointer": "?selector", "detail": error.detail}]) from None
    after = query.after
    if after is None:
        return
    mode, _, rest = after.partition(":")
    if mode != ("live" if query.live else "seen") or not rest:
        raise _no_cursor()


def _no_cursor() -> InvalidRequestError:
    return InvalidRequestError([{"pointer": "?cursor", "detail": "This is no cursor of this list: send the query of the page before."}])
