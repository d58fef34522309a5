"""Errors of this adapter, each a kind that every caller knows."""

from __future__ import annotations

from upid.domain.errors import UnavailableError


class KubeconfigError(UnavailableError):
    """A kubeconfig from a file that cannot be used: missing, unreadable, not YAML, without the context."""

    title = "Kubeconfig not usable"


class ApiServerError(UnavailableError):
    """The API server does not answer, or not as a Kubernetes API does. `status`: its HTTP status, 0 where there was no answer."""

    title = "Kubernetes API not usable"

    def __init__(self, detail: str, status: int = 0) -> None:
        super().__init__(detail, status=status)
        self.status = status
