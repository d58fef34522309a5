"""The port `Kubernetes` over a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from upid.adapters.kubernetes.assembly import Assembly
from upid.adapters.kubernetes.errors import ApiServerError
from upid.adapters.kubernetes.kubeconfig import load
from upid.adapters.kubernetes.lists import PAGE, Lister
from upid.adapters.kubernetes.reader import Reader
from upid.adapters.kubernetes.selectors import parse_selector
from upid.adapters.kubernetes.session import Patience, Session
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import ForbiddenError, NotFoundError
from upid.domain.inventory import Inventory


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

    def _version_if_told(self) -> str:
        try:
            return self.version()
        except (ApiServerError, ForbiddenError):
            return ""


@dataclass(frozen=True, slots=True)
class ApiServers:
    """Opens API servers over HTTP. Nothing is asked of the server, and no exec plugin is run, before the first request."""

    patience: Patience = field(default_factory=Patience)
    page: int = PAGE

    def open(self, access: ClusterAccess) -> ApiServer:
        """Return a client for an access."""
        return ApiServer(Lister(Session(load(access), self.patience), self.page))
