"""A kubeconfig's text read as kubectl reads it: the context, its cluster, its user."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import yaml

from upid.adapters.kubernetes.errors import KubeconfigError
from upid.adapters.kubernetes.target import Eks, Login, Target
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import InvalidRequestError

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
USER_REFUSED: Final = ("exec", "auth-provider", "tokenFile", "client-certificate", "client-key")
CLUSTER_REFUSED: Final = ("certificate-authority",)
T = TypeVar("T", dict[str, Any], list[Any])
INLINE_ONLY: Final = "Only inline data is taken here: no programs, login providers or file paths."


class Fault(Exception):  # noqa: N818 it never leaves this module: `load` turns it into the error that fits where the text came from
    """What is wrong with a kubeconfig, and where (a JSON pointer into the document)."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


def load(access: ClusterAccess) -> Target:
    """Return where the API server is and how to log in.

    Raises
    ------
    InvalidRequestError
        For an untrusted access that cannot be used, with a pointer to each fault.
    KubeconfigError
        For a trusted one.
    """
    try:
        if access.kubeconfig is not None:
            return _from_kubeconfig(access)
        if access.in_cluster:
            return _from_pod()
        return _from_eks(access) if access.eks_name else _from_fields(access)
    except Fault as fault:
        if access.trusted:
            raise KubeconfigError(f"The kubeconfig cannot be used: {fault.detail}") from None
        raise InvalidRequestError([{"pointer": f"#{fault.pointer}", "detail": fault.detail}]) from None


def _from_fields(access: ClusterAccess) -> Target:
    server = _server(access.server, "/server")
    authority = access.certificate_authority.encode()
    if authority and b"-----BEGIN CERTIFICATE-----" not in authority:
        raise Fault("/certificate_authority", "The certificate authority must be PEM text.")
    return Target(
        context=urlsplit(server).netloc, server=server, authority_pem=authority, login=Login(token=_header(access.token, "/token"))
    )


def _from_eks(access: ClusterAccess) -> Target:
    eks = Eks(access.eks_name, access.eks_region, access.role_arn, access.external_id)
    return Target(context=access.eks_name, server="", login=Login(eks=eks))


def _from_pod() -> Target:
    """Return the API server of the cluster that the platform runs in, by the service account of its pod."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise Fault("/in_cluster", "The platform does not run in a pod here.")
    try:
        authority = (Path(SERVICE_ACCOUNT) / "ca.crt").read_bytes()
    except OSError as error:
        raise Fault("/in_cluster", f"The pod's service account cannot be read: {error.strerror}.") from None
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return Target(context="in-cluster", server=server, authority_pem=authority, login=Login(token_file=f"{SERVICE_ACCOUNT}/token"))


def _from_kubeconfig(access: ClusterAccess) -> Target:
    document = document_of(access.kubeconfig or "")
    if not access.trusted:
        refused = [{"pointer": f"#{pointer}", "detail": INLINE_ONLY} for pointer in _refused(document)]
        if refused:
            raise InvalidRequestError(refused)
    name = access.context or _text(document, "current-context", "/kubeconfig")
    if not name:
        raise Fault("/kubeconfig/current-context", "It has no current-context: name one.")
    missing = "/context" if access.context else "/kubeconfig/current-context"
    context, _ = _entry(document, "contexts", "context", name, missing)
    cluster, at_cluster = _entry(document, "clusters", "cluster", _text(context, "cluster", "/kubeconfig/contexts"), "/kubeconfig/clusters")
    user_name = _text(context, "user", "/kubeconfig/contexts")
    user, at_user = _entry(document, "users", "user", user_name, "/kubeconfig/users") if user_name else ({}, "/kubeconfig/users")
    base, proxy = Path(access.base_path or "."), _text(cluster, "proxy-url", at_cluster)
    return Target(
        context=name,
        server=_server(_text(cluster, "server", at_cluster), f"{at_cluster}/server"),
        authority_pem=_pem(cluster, "certificate-authority", at_cluster, base),
        insecure=cluster.get("insecure-skip-tls-verify") is True,
        server_name=_text(cluster, "tls-server-name", at_cluster),
        proxy_url=_server(proxy, f"{at_cluster}/proxy-url") if proxy else "",
        system_proxies=access.trusted,
        login=_login(user, at_user, base),
    )


def _login(user: Mapping[str, Any], at: str, base: Path) -> Login:
    provider = _part(user, "auth-provider", dict, at)
    token = _text(user, "token", at) or _text(_part(provider, "config", dict, at), "id-token", at)
    plugin = user.get("exec")
    if provider and not token:
        raise Fault(f"{at}/auth-provider", f"Its login provider {provider.get('name')!r} left kubectl with 1.26: use an exec plugin.")
    if plugin is not None and not (isinstance(plugin, dict) and isinstance(plugin.get("command"), str)):
        raise Fault(f"{at}/exec", "Its exec plugin names no command.")
    for key in ("args", "env"):
        _part(plugin or {}, key, list, f"{at}/exec")
    token_file = _text(user, "tokenFile", at)
    return Login(
        token=_header(token, f"{at}/token"),
        token_file=str(base / token_file) if token_file else "",
        username=_text(user, "username", at),
        password=_text(user, "password", at),
        certificate_pem=_pem(user, "client-certificate", at, base),
        key_pem=_pem(user, "client-key", at, base),
        plugin=plugin,
        base_path=str(base),
        headers=tuple(_impersonation(user, at)),
    )


def _impersonation(user: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    if user.get("as"):
        yield "Impersonate-User", _header(_text(user, "as", at), f"{at}/as")
    if user.get("as-uid"):
        yield "Impersonate-Uid", _header(_text(user, "as-uid", at), f"{at}/as-uid")
    for group in _part(user, "as-groups", list, at):
        yield "Impersonate-Group", _header(str(group), f"{at}/as-groups")


def _part(holder: Mapping[str, Any], key: str, kind: type[T], at: str) -> T:
    """Return a part of the document that must be of this kind where it is there; an empty one where it is not."""
    found = holder.get(key)
    if found is None:
        return kind()
    if not isinstance(found, kind):
        raise Fault(f"{at}/{key}", f"Its {key} must be a {'list' if kind is list else 'map'}.")
    return found


def document_of(text: str) -> Mapping[str, Any]:
    """Return what a kubeconfig's text holds; Fault for what is no kubeconfig."""
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 both are safe loaders, one is in C
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise Fault("/kubeconfig", f"It is not YAML{line}.") from None
    if not isinstance(document, dict) or not any(isinstance(document.get(key), list) for key in ("clusters", "contexts", "users")):
        raise Fault("/kubeconfig", "It is no kubeconfig: it has no clusters and contexts.")
    return document


def _refused(document: Mapping[str, Any]) -> Iterator[str]:
    for section, inner, keys in (("clusters", "cluster", CLUSTER_REFUSED), ("users", "user", USER_REFUSED)):
        entries = document.get(section)
        for position, entry in enumerate(entries if isinstance(entries, list) else ()):
            body = entry.get(inner) if isinstance(entry, dict) else None
            for key in keys:
                if isinstance(body, dict) and key in body:
                    yield f"/kubeconfig/{section}/{position}/{inner}/{key}"


def _entry(document: Mapping[str, Any], section: str, inner: str, name: str, missing: str) -> tuple[Mapping[str, Any], str]:
    entries = document.get(section)
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and entry.get("name") == name:
            body = entry.get(inner)
            at = f"/kubeconfig/{section}/{position}/{inner}"
            if body is not None and not isinstance(body, dict):
                raise Fault(at, f"The {inner} {name!r} is not a mapping.")
            return body or {}, at
    raise Fault(missing, f"It has no {inner} {name!r}.")


def _text(body: Mapping[str, Any], key: str, at: str) -> str:
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Fault(f"{at}/{key}", f"{key} must be text.")
    return value


def _header(value: str, at: str) -> str:
    if not value.isascii() or any(ord(character) < 32 or ord(character) == 127 for character in value.strip()):
        raise Fault(at, "It holds characters that cannot stand in an HTTP header.")
    return value.strip()


def _server(url: str, at: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise Fault(at, f"{url!r} is no http or https URL.")
    return url.rstrip("/")


def _pem(body: Mapping[str, Any], key: str, at: str, base: Path) -> bytes:
    data = _text(body, f"{key}-data", at)
    if data:
        try:
            return base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Fault(f"{at}/{key}-data", f"{key}-data is not base64.") from None
    path = _text(body, key, at)
    if not path:
        return b""
    try:
        return (base / path).read_bytes()
    except OSError as error:
        raise Fault(f"{at}/{key}", f"{key} {path!r} cannot be read: {error.strerror}.") from None
