"""The port `Kubernetes` over a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from upid.adapters.kubernetes.assembly import Assembly
from upid.adapters.kubernetes.errors import ApiServerError, ListExpiredError
from upid.adapters.kubernetes.kubeconfig import load
from upid.adapters.kubernetes.lists import PAGE, Lister
from upid.adapters.kubernetes.paths import LISTS
from upid.adapters.kubernetes.reader import Reader
from upid.adapters.kubernetes.rows import row_of
from upid.adapters.kubernetes.session import Patience, Session
from upid.adapters.kubernetes.sessions import Sessions
from upid.adapters.resilience.guards import Guards
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import ForbiddenError, NotFoundError
from upid.domain.inventory import Inventory
from upid.domain.objects import SURVEYED, Connection, ObjectKind, ObjectPage, Permission, Survey, place
from upid.domain.selectors import parse_selector
from upid.ports.kubernetes import Observation

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class ApiServer:
    """One API server over HTTP."""

    lister: Lister

    @property
    def context(self) -> str:
        """The name of the kubeconfig's context, or the server's host where there is none."""
        return self.lister.session.target.context

    def version(self) -> str:
        """Return the server's gitVersion."""
        try:
            document = self.lister.get("/version")
        except NotFoundError:
            document = {}
        if "gitVersion" not in document:
            raise ApiServerError(f"What answers at {self.lister.session.target.server} is no Kubernetes API: it tells no version.")
        return str(document["gitVersion"])

    def inventory(self, *, namespaces: Sequence[str] = (), selector: str = "") -> Inventory:
        """Return what the cluster lists, of these namespaces and this label selector."""
        matches = parse_selector(selector)
        listing = Reader(self.lister, namespaces).read()
        return Assembly(listing, matches, selected=bool(selector)).inventory(self._version_if_told())

    def observe(self) -> Observation:
        """Return the inventory of the whole cluster with the rows of what is shown."""
        listing = Reader(self.lister, observing=True).read()
        inventory = Assembly(listing, parse_selector(""), selected=False).inventory(self._version_if_told())
        reasons = {part.what: part.reason for part in listing.unreadable}
        missing: dict[str, str] = {kind: listing.missing.get(kind, reasons.get(kind, "")) for kind in SURVEYED if kind not in listing.rows}
        return Observation(inventory, Survey({kind: sorted(rows, key=place) for kind, rows in listing.rows.items()}, missing))

    def objects(
        self, kind: ObjectKind, *, namespace: str = "", selector: str = "", limit: int = 500, after: str | None = None
    ) -> ObjectPage:
        """Return one page of a list."""
        query = {"limit": str(limit)} | ({"labelSelector": selector} if selector else {}) | ({"continue": after} if after else {})
        path = LISTS[kind].path(namespace)
        try:
            document = self.lister.get(path, query)
        except ListExpiredError as error:
            if not error.go_on:
                raise
            document = self.lister.get(path, query | {"continue": error.go_on})
        items, metadata = document.get("items") or (), document.get("metadata") or {}
        rows = [row for body in items if (row := row_of(kind, body)) is not None]
        return ObjectPage(rows, str(metadata.get("continue") or "") or None, len(items) - len(rows))

    def connection(self) -> Connection:
        """Return how the server is reached."""
        return self.lister.session.connection()

    def allows(self, permission: Permission) -> bool:
        """Return whether the server allows these credentials something in the whole cluster."""
        resource, _, subresource = permission.resource.partition("/")
        wanted = {"group": permission.group, "resource": resource, "subresource": subresource, "verb": permission.verb}
        answer = self.lister.post(REVIEWS, {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": wanted},
        })  # fmt: skip
        status = answer.get("status")
        if not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
            raise ApiServerError(f"What answers at {self.lister.session.target.server} does not tell what it allows.")
        return bool(status["allowed"])

    def serves(self, group_version: str, resource: str) -> bool:
        """Return whether the server has a resource (`pods/resize`) of a group and version (`v1`, `apps/v1`)."""
        try:
            document = self.lister.get(f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}")
        except NotFoundError:
            return False
        return any(isinstance(found, dict) and found.get("name") == resource for found in document.get("resources") or ())

    def _version_if_told(self) -> str:
        try:
            return self.version()
        except (ApiServerError, ForbiddenError):
            return ""


@dataclass(frozen=True, slots=True)
class ApiServers:
    """Opens API servers over HTTP. Nothing is asked of the server, and no exec plugin is run, before the first request.

    An access that names its system keeps its connections from one `open` to the next, and stands behind the guard of its name.
    """

    patience: Patience = field(default_factory=Patience)
    page: int = PAGE
    guards: Guards | None = None
    sessions: Sessions = field(default_factory=Sessions, repr=False)

    def open(self, access: ClusterAccess) -> ApiServer:
        """Return a client for an access."""
        guard = self.guards.of(access.system) if self.guards and access.system else None
        return ApiServer(Lister(self.sessions.of(access, lambda new: Session(load(new), self.patience, guard=guard)), self.page))

    def forget(self, prefix: str) -> None:
        """Close the connections to systems whose names begin with `prefix`, and forget their credentials."""
        self.sessions.forget(prefix)
