"""A Kubernetes API server, read side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from upid.domain.clusters import ClusterAccess
from upid.domain.inventory import Inventory


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


class KubernetesClients(Protocol):
    """Opens API servers."""

    def open(self, access: ClusterAccess) -> Kubernetes:
        """Return a client. InvalidRequestError (pointers into the kubeconfig) for what can't be used, UnavailableError for a file that can't be read."""
        ...
