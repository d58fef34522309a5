"""What people write on the command line, read; what cannot be read is a usage error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import UnavailableError
from upid.domain.times import parse_duration, parse_time

LAST_MOMENT = 253_402_300_800.0  # the end of the year 9999, the last that can be written
DEFAULT_KUBECONFIG = "~/.kube/config"


def duration(text: str) -> int:
    """Return whole seconds, more than none."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if seconds < 1 or seconds != int(seconds):
        raise typer.BadParameter(f"{text!r} must be whole seconds, more than none.")
    return int(seconds)


def moment(text: str) -> float:
    """Return seconds since the epoch, before the year 10000."""
    try:
        seconds = parse_time(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error)) from None
    if not 0 <= seconds < LAST_MOMENT:
        raise typer.BadParameter(f"{text!r} is no time between the years 1970 and 9999.")
    return seconds


def header(text: str) -> tuple[str, str]:
    """Return the name and value of `NAME:VALUE`."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise typer.BadParameter(f"{text!r} is no header: write NAME:VALUE.")
    return name.strip(), value.strip()


def basic_auth(text: str) -> tuple[str, str]:
    """Return the user and the password of `user:password`."""
    user, colon, password = text.partition(":")
    if not colon or not user:
        raise typer.BadParameter("Write it as user:password.")
    return user, password


def cluster_access(kubeconfig: str, context: str) -> ClusterAccess:
    """Return the access that kubeconfig files give; UnavailableError where one cannot be read, or there is none.

    `kubeconfig` may be a list of files as `KUBECONFIG` has it: those that exist count as one, merged as kubectl merges them.
    """
    paths = _kubeconfig_paths(kubeconfig or DEFAULT_KUBECONFIG)
    there = [path for path in paths if path.exists()] or paths[:1]
    files = [(path.resolve(), _text_of(path)) for path in there]
    if len(files) == 1:
        return ClusterAccess(kubeconfig=files[0][1], context=context, trusted=True, base_path=str(files[0][0].parent))
    from upid.adapters.kubernetes.kubeconfigs import merged

    return ClusterAccess(kubeconfig=merged(files), context=context, trusted=True, base_path=str(files[0][0].parent))


def _kubeconfig_paths(kubeconfig: str) -> list[Path]:
    whole = Path(kubeconfig).expanduser()
    if whole.exists():
        return [whole]
    return [Path(part).expanduser() for part in kubeconfig.split(":") if part] or [whole]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnavailableError(f"The kubeconfig {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UnavailableError(f"The kubeconfig {path} is no text.") from None


def token_from(file: Path | None, token: str) -> str:
    """Return the token that a file holds, or the one that was given without one; UnavailableError where the file cannot be read."""
    if file is None:
        return token
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(f"The bearer token's file {file} cannot be read: {error}.") from None


def authority_from(file: Path | None) -> str:
    """Return the certificates that a file holds, "" without one; UnavailableError where it cannot be read or holds none."""
    if file is None:
        return ""
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(f"The certificate authority's file {file} cannot be read: {error}.") from None
    if not text.strip():
        raise UnavailableError(f"The certificate authority's file {file} is empty.")
    return text


def metrics_access(access: MetricsAccess, headers: list[str], matchers: list[str]) -> MetricsAccess:
    """Return the access with its headers (`NAME:VALUE`) and more matchers; a usage error where what its kind needs is missing."""
    if access.kind == "metrics-server":
        if access.url:
            raise typer.BadParameter("metrics-server is reached through the cluster's own API.", param_hint="--prometheus-url")
    elif not access.url:
        raise typer.BadParameter("Say where usage is measured.", param_hint="--prometheus-url")
    labels = ",".join(filter(None, (access.cluster_label, *matchers)))
    return replace(access, headers=tuple(header(text) for text in headers), cluster_label=labels)
