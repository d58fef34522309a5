"""From a login to what goes with each request: headers and a client certificate. What ends is made anew before its end, and after a 401."""

from __future__ import annotations

import base64
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from upid.adapters.kubernetes import eks
from upid.adapters.kubernetes.errors import KubeconfigError
from upid.adapters.kubernetes.target import Login, Target
from upid.domain.times import parse_time

PLUGIN_SECONDS: Final = 60.0
FILE_SECONDS: Final = 60.0  # a token in a file is read as often as the official Go client does


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers of every request, and a client certificate with its key (PEM, empty = none). `until`: when to ask anew, in seconds since the epoch."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    certificate_pem: bytes = field(default=b"", repr=False)
    key_pem: bytes = field(default=b"", repr=False)
    until: float = math.inf


def obtain(target: Target, now: float) -> Credentials:
    """Return what proves the caller at a moment; KubeconfigError where a plugin or a token file fails."""
    login, until = target.login, math.inf
    token, certificate, key = login.token, login.certificate_pem, login.key_pem
    if login.token_file:
        token, until = _read_token(login.token_file), now + FILE_SECONDS
    if login.eks is not None:
        token, until = eks.token(login.eks), now + eks.TOKEN_SECONDS
    if login.plugin is not None and not token:
        status = _run(login.plugin, target)
        token, until = str(status.get("token") or ""), _end_of(status)
        if status.get("clientCertificateData"):
            certificate, key = str(status["clientCertificateData"]).encode(), str(status.get("clientKeyData") or "").encode()
    headers = list(login.headers)
    if token:
        headers.append(("Authorization", f"Bearer {token}"))
    elif login.username:
        pair = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        headers.append(("Authorization", f"Basic {pair}"))
    return Credentials(tuple(headers), certificate, key, until)


def renewable(login: Login) -> bool:
    """Tell whether asking again may give other credentials."""
    return bool(login.token_file) or login.plugin is not None or login.eks is not None


def _read_token(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"The token file {path!r} cannot be read: {getattr(error, 'strerror', None) or 'not text'}.") from None


def _run(plugin: Mapping[str, Any], target: Target) -> Mapping[str, Any]:
    command = str(plugin["command"])
    program = str(Path(target.login.base_path) / command) if "/" in command else command
    interactive = plugin.get("interactiveMode") in {None, "IfAvailable", "Always"} and sys.stdin is not None and sys.stdin.isatty()
    try:
        done = subprocess.run(  # noqa: S603 the kubeconfig's owner names the program, as with kubectl; untrusted ones never get here
            [program, *(str(argument) for argument in plugin.get("args") or ())],
            env=_environment(plugin, target, interactive=interactive),
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            timeout=PLUGIN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise KubeconfigError(f"The exec plugin {command!r} took more than {PLUGIN_SECONDS:.0f} s.") from None
    except OSError as error:
        hint = " ".join(str(plugin.get("installHint") or "").split())
        raise KubeconfigError(f"The exec plugin {command!r} cannot be run: {error.strerror}. {hint}".rstrip()) from None
    if done.returncode != 0:
        words = (done.stderr or b"").decode(errors="replace").strip().splitlines()
        raise KubeconfigError(
            f"The exec plugin {command!r} failed with status {done.returncode}: {words[-1][:300] if words else 'no word'}"
        )
    return _status(done.stdout, command)


def _end_of(status: Mapping[str, Any]) -> float:
    """Return when a plugin's answer ends, never where it does not tell."""
    try:
        return parse_time(str(status["expirationTimestamp"]))
    except (KeyError, ValueError):
        return math.inf


def _environment(plugin: Mapping[str, Any], target: Target, *, interactive: bool) -> dict[str, str]:
    given = {
        str(pair["name"]): str(pair["value"])
        for pair in plugin.get("env") or ()
        if isinstance(pair, dict) and "name" in pair and "value" in pair
    }
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo") is True:
        authority = base64.b64encode(target.authority_pem).decode()
        spec["cluster"] = {"server": target.server, "certificate-authority-data": authority, "insecure-skip-tls-verify": target.insecure}
    version = str(plugin.get("apiVersion") or "client.authentication.k8s.io/v1")
    info = orjson.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec}).decode()
    return {**os.environ, **given, "KUBERNETES_EXEC_INFO": info}


def _status(output: bytes, command: str) -> Mapping[str, Any]:
    try:
        answer = orjson.loads(output)
    except orjson.JSONDecodeError:
        answer = None
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict) or not (status.get("token") or status.get("clientCertificateData")):
        raise KubeconfigError(f"The exec plugin {command!r} answered no ExecCredential with a token or certificate.")
    return status
