"""Where an API server is and how to log in there: what a kubeconfig comes down to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Eks:
    """An EKS cluster by name, and the role to be in for it ("" = the platform's own), taken on with an external id."""

    name: str
    region: str
    role_arn: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """What proves who is calling; empty = not used. `plugin`: the `exec` section; `base_path`: what relative paths start from."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    certificate_pem: bytes = field(default=b"", repr=False)
    key_pem: bytes = field(default=b"", repr=False)
    plugin: Mapping[str, Any] | None = field(default=None, repr=False)
    base_path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    eks: Eks | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """An API server: its URL without a slash at the end, whom to trust (empty = the system's store), what it is reached through.

    Where an EKS cluster is, is asked of AWS with its first use: until then its server is empty.
    """

    context: str
    server: str
    authority_pem: bytes = field(default=b"", repr=False)
    insecure: bool = False
    server_name: str = ""
    proxy_url: str = ""
    system_proxies: bool = False
    login: Login = field(default_factory=Login)
