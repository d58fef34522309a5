"""Reads every list that an inventory is made of, a few at a time; what is refused or fails stands beside what could be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final, TypeVar

from upid.adapters.kubernetes.cluster_parts import Target, reduce_autoscaler, reduce_claim, reduce_node
from upid.adapters.kubernetes.errors import ApiServerError, NoAnswerError
from upid.adapters.kubernetes.lists import Lister
from upid.adapters.kubernetes.objects import meta_of
from upid.adapters.kubernetes.paths import CLAIM, HEAVY, HEAVY_PAGE, LISTS, NAMESPACE, NODE, SHOWN
from upid.adapters.kubernetes.pods import PodRow, reduce_pod
from upid.adapters.kubernetes.rows import row_of
from upid.adapters.kubernetes.workloads import POD, ROLLOUT, TEMPLATED, Found, Kind, reduce_workload, unreadable
from upid.domain.errors import AppError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from upid.domain.inventory import Autoscaler, Claim, Node, Unreadable
from upid.domain.objects import SURVEYED, ObjectKind, Row

AT_ONCE: Final = 4
AUTOSCALERS: Final = tuple(
    Kind("HorizontalPodAutoscaler", f"/apis/autoscaling/{version}", "horizontalpodautoscalers") for version in ("v2", "v1")
)
ONLY_SHOWN: Final[tuple[ObjectKind, ...]] = ("services", "configmaps", "secrets", "nodemetrics")
T = TypeVar("T")


@dataclass(slots=True)
class Listing:
    """Everything that was read, reduced, in no particular order."""

    namespaces: list[str] = field(default_factory=list)
    workloads: dict[str, list[Found]] = field(default_factory=dict)
    pods: list[PodRow] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    autoscalers: dict[Target, Autoscaler] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reader:
    """Reads lists of some namespaces, or of all where none is named. observing: keep a row of each surveyed object, and list what is only shown."""

    lister: Lister
    namespaces: Sequence[str] = ()
    observing: bool = False
    listing: Listing = field(default_factory=Listing)
    _silent: Event = field(default_factory=Event, repr=False)
    _refused: list[AppError] = field(default_factory=list, repr=False)

    def read(self) -> Listing:
        """Return what could be read.

        Raises NotFoundError for a namespace that does not exist; UnauthenticatedError, ForbiddenError or ApiServerError where no workload at all
        could be read.
        """
        self._read_namespaces()
        scopes = list(dict.fromkeys(self.namespaces)) or [""]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            # Pods are by far the longest list: they start first.
            pods = [pool.submit(self._rows, POD, scope, reduce_pod) for scope in scopes]
            kinds = [(kind, pool.submit(self._rows, kind, scope, _reducer(kind))) for scope in scopes for kind in TEMPLATED]
            scalers = [pool.submit(self._autoscalers, scope) for scope in scopes]
            claims = [pool.submit(self._claims, scope) for scope in scopes]
            nodes = pool.submit(self._rows, NODE, "", reduce_node)
            if self.observing:
                deque(pool.map(self._show, ONLY_SHOWN), maxlen=0)
        answers = [*(task.result() for task in pods), *(task.result() for _, task in kinds)]
        self._hold_readable(answers)
        for kind, task in kinds:
            if kind is not ROLLOUT or task.result() is not None:
                self.listing.workloads.setdefault(kind.name, []).extend(self._kept(task.result()))
        for rows in pods:
            self.listing.pods.extend(self._kept(rows.result()))
        self.listing.nodes.extend(self._kept(nodes.result()))
        self.listing.autoscalers.update(pair for task in scalers for pair in self._kept(task.result()))
        self.listing.claims.extend(claim for task in claims for claim in self._kept(task.result()))
        return self.listing

    def _read_namespaces(self) -> None:
        try:
            rows = self._observed(NAMESPACE, _namespace, NAMESPACE.path())
        except ForbiddenError as error:
            self.listing.namespaces = self._existing()
            if not self.namespaces:
                self.listing.unreadable.append(Unreadable("namespaces", error.detail))
            return
        if rows is None:
            raise ApiServerError(f"What answers at {self.lister.session.target.server} is no Kubernetes API: it has no {NAMESPACE.path()}.")
        names = self._kept(rows)
        missing = [name for name in self.namespaces if name not in set(names)]
        if missing:
            raise NotFoundError(f"There is no namespace {missing[0]!r} in the cluster.", namespace=missing[0])
        self.listing.namespaces = sorted(set(self.namespaces) or set(names))

    def _existing(self) -> list[str]:
        """Hold that each named namespace exists, one by one, where listing them is not allowed; one that may not be looked at counts as there."""
        for name in self.namespaces:
            try:
                self.lister.get(f"{NAMESPACE.path()}/{name}")
            except NotFoundError:
                raise NotFoundError(f"There is no namespace {name!r} in the cluster.", namespace=name) from None
            except ForbiddenError:
                continue
        return sorted(set(self.namespaces))

    def _rows(self, kind: Kind, scope: str, reduce: Callable[[dict[str, Any]], T]) -> list[T] | None:
        """Return a list's rows; None where there is none to be had, which is noted unless the server just does not know the kind."""
        return self._first_known((kind,), scope, reduce)

    def _autoscalers(self, scope: str) -> list[tuple[Target, Autoscaler] | Unreadable] | None:
        return self._first_known(AUTOSCALERS, scope, reduce_autoscaler)

    def _claims(self, scope: str) -> list[Claim | Unreadable] | None:
        """Return the claims of a scope; None where they may not be listed, which holds up nothing: pods still tell which they mount."""
        try:
            return self.lister.rows(CLAIM.path(scope), reduce_claim)
        except ForbiddenError:
            return None
        except (ApiServerError, InvalidError) as error:
            self.listing.unreadable.append(Unreadable(CLAIM.plural, error.detail))
            return None

    def _first_known(self, kinds: Sequence[Kind], scope: str, reduce: Callable[[dict[str, Any]], T]) -> list[T] | None:
        """Return the rows of the first of these kinds (versions of one) that the server knows; None where it knows none, or refuses."""
        what = f"{kinds[0].plural} of namespace {scope}" if scope else kinds[0].plural
        if self._silent.is_set():
            self.listing.unreadable.append(Unreadable(what, "The Kubernetes API no longer answers."))
            return None
        try:
            for kind in kinds:
                rows = self._observed(kind, reduce, kind.path(scope))
                if rows is not None:
                    return rows
        except (ForbiddenError, ApiServerError, InvalidError) as error:
            if kinds[0] is ROLLOUT and isinstance(error, ForbiddenError) and not self._serves(ROLLOUT.group):
                return None  # who may not list what nobody installed is refused all the same
            if isinstance(error, NoAnswerError):
                self._silent.set()
            self._refused.append(error)
            self.listing.unreadable.append(Unreadable(what, error.detail))
        return None

    def _observed(self, kind: Kind, reduce: Callable[[dict[str, Any]], T], path: str) -> list[T] | None:
        """Return a list's rows, and keep what is shown of each object where that is asked for."""
        shown = SHOWN.get(kind.name)
        if not self.observing or shown not in SURVEYED:
            return self.lister.rows(path, reduce)
        pairs = self.lister.rows(path, lambda body: (reduce(body), row_of(shown, body)))
        if pairs is None:
            return None
        self.listing.rows.setdefault(shown, []).extend(row for _, row in pairs if row is not None)
        return [reduced for reduced, _ in pairs]

    def _show(self, kind: ObjectKind) -> None:
        """Read a list that is only shown: one that is refused is no fault of the inventory."""
        listed = LISTS[kind]
        found: list[Row] = []
        for scope in dict.fromkeys(self.namespaces) or ("",):
            try:
                path = listed.path("" if kind == "nodemetrics" else scope)
                rows = self.lister.rows(path, lambda body: row_of(kind, body), page=HEAVY_PAGE if kind in HEAVY else 0)
            except AppError as error:
                self.listing.missing[kind] = error.detail
                return
            if rows is None:
                self.listing.missing[kind] = ""
                return
            found += [row for row in rows if row is not None]
        self.listing.rows[kind] = found

    def _serves(self, group: str) -> bool:
        try:
            self.lister.get(group)
        except NotFoundError:
            return False
        except AppError:
            return True
        return True

    def _hold_readable(self, answers: Sequence[list[Any] | None]) -> None:
        if any(rows is not None for rows in answers):
            return
        order = (UnauthenticatedError, ForbiddenError, ApiServerError)
        for kind in order:
            for error in self._refused:
                if isinstance(error, kind):
                    raise error
        raise ApiServerError(f"What answers at {self.lister.session.target.server} lists no workloads.")

    def _kept(self, rows: list[T | Unreadable] | None) -> list[T]:
        kept: list[T] = []
        for row in rows or ():
            if isinstance(row, Unreadable):
                self.listing.unreadable.append(row)
            else:
                kept.append(row)
        return kept


def _namespace(body: dict[str, Any]) -> str | Unreadable:
    try:
        return meta_of(body).name
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return unreadable("Namespace", body, error)


def _reducer(kind: Kind) -> Callable[[dict[str, Any]], Found | Unreadable]:
    return lambda body: reduce_workload(kind, body)
