"""A Kubernetes API server, read side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from upid.domain.clusters import ClusterAccess
from upid.domain.inventory import Inventory
from upid.domain.objects import Connection, ObjectKind, ObjectPage, Permission, Survey


class Observation(NamedTuple):
    """A cluster read once: what sizing needs, and the rows that are shown."""

    inventory: Inventory
    survey: Survey


class Kubernetes(Protocol):
    """One API server, with the credentials that it was opened with."""

    @property
    def context(self) -> str:
        """The name of the kubeconfig's context, or the server's host where there is none."""
        ...

    def version(self) -> str:
        """Return the server's gitVersion; UnavailableError where it does not answer, UnauthenticatedError or ForbiddenError as it says."""
        ...

    def inventory(self, *, namespaces: Sequence[str] = (), selector: str = "") -> Inventory:
        """Return what the cluster lists, of these namespaces (all without) and this label selector.

        A kind that the server does not know (404) is left out. A kind or namespace that it refuses, or that fails after retries, stands in `unreadable`.
        NotFoundError for a namespace that does not exist; UnavailableError, UnauthenticatedError, ForbiddenError where nothing at all could be read.
        """
        ...

    def observe(self) -> Observation:
        """Return the whole inventory as `inventory` does, with the rows of what is shown; a list that is only shown is missing where it is refused."""
        ...

    def objects(
        self, kind: ObjectKind, *, namespace: str = "", selector: str = "", limit: int = 500, after: str | None = None
    ) -> ObjectPage:
        """Return one page of a list as it is now, of one namespace or of all; `after`: of the page before.

        NotFoundError where the server does not know the kind, ConflictError where the list expired in between, InvalidError for a selector or `after`
        that it does not take; otherwise as `version`.
        """
        ...

    def connection(self) -> Connection:
        """Return how the server is reached; UnavailableError where it is not, or cannot be trusted."""
        ...

    def allows(self, permission: Permission) -> bool:
        """Return whether the server allows these credentials something in the whole cluster; errors as `version`."""
        ...

    def serves(self, group_version: str, resource: str) -> bool:
        """Return whether the server has a resource (`pods/resize`) of a group and version (`v1`, `apps/v1`); errors as `version`."""
        ...


class KubernetesClients(Protocol):
    """Opens API servers."""

    def open(self, access: ClusterAccess) -> Kubernetes:
        """Return a client. InvalidRequestError (pointers into the kubeconfig) for what can't be used, UnavailableError for a file that can't be read."""
        ...

    def forget(self, prefix: str) -> None:
        """Close the connections to systems whose names begin with `prefix`, and forget their credentials."""
        ...
