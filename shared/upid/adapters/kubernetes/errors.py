"""Errors of this adapter, each a kind that every caller knows."""

from __future__ import annotations

from upid.domain.errors import ConflictError, UnavailableError


class KubeconfigError(UnavailableError):
    """A kubeconfig from a file that cannot be used: missing, unreadable, not YAML, without the context."""

    title = "Kubeconfig not usable"


class ApiServerError(UnavailableError):
    """The API server does not answer as a Kubernetes API does."""

    title = "Kubernetes API not usable"


class NoAnswerError(ApiServerError):
    """The API server does not answer at all."""

    title = "Kubernetes API not reachable"


class ListExpiredError(ConflictError):
    """A list expired on the API server between two of its pages: read it from the beginning."""

    title = "List expired"

    def __init__(self, detail: str, go_on: str = "") -> None:
        super().__init__(detail)
        self.go_on = go_on  # where the server offers to go on with what is there now
