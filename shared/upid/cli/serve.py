"""`upid serve`: the platform in one process."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from upid.settings import Settings

if TYPE_CHECKING:
    from upid.runtime.server import PlatformServer

Port = Annotated[
    int | None, typer.Option(help="Port to listen on; 0 takes any free one.", envvar="PORT", show_envvar=True, min=0, max=65535)
]
Home = Annotated[Path | None, typer.Option(help="Data folder.", envvar="UPID_HOME", show_envvar=True)]


def serve(port: Port = None, home: Home = None) -> None:
    """Run the platform until Ctrl-C or SIGTERM.

    The first start makes an admin and prints the password once; UPID_ADMIN_PASSWORD sets it instead.
    """
    from upid.runtime.signals import until_signalled

    start_logging()
    settings = settings_for(port=port, home=home)
    with until_signalled() as ending:  # before the platform is imported: that takes longer than some wait until they end it
        from upid.runtime.server import PlatformError
        from upid.runtime.server import serve as run

        try:
            run(settings, announce, ending)
        except PlatformError as error:
            print(f"upid: {error}", file=sys.stderr)
            raise typer.Exit(1) from None


def settings_for(*, port: int | None = None, home: Path | None = None) -> Settings:
    """Return the settings of the environment with the options of the command line, which worker processes inherit; exits with 2 where they are wrong."""
    for name, value in (("PORT", port), ("UPID_HOME", home)):
        if value is not None:
            os.environ[name] = str(value)
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        print(f"upid: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    if settings.aws is not None:
        print("upid: UPID_HOME=aws is for functions on AWS: the platform here needs a folder.", file=sys.stderr)
        raise typer.Exit(2)
    return settings


def announce(server: PlatformServer) -> None:
    """Print where the platform is, and the admin's password where it was made now."""
    print(f"UPID is running on {server.url} (data in {server.settings.home}).")
    print(f"API       {server.url}/api/v1")
    print(f"OpenAPI   {server.url}/api/v1/docs")
    print(password_line(server), flush=True)


def password_line(server: PlatformServer, width: int = 10) -> str:
    """Return the line that tells how the admin logs in; its label is `width` characters wide."""
    if server.admin_password is not None:
        told = f"{server.admin_password}   (shown this once; UPID_ADMIN_PASSWORD sets another)"
    elif server.settings.admin_password:
        told = "the password in UPID_ADMIN_PASSWORD"
    else:
        told = "the password that the first start printed (UPID_ADMIN_PASSWORD sets another)"
    return f"{'Admin':<{width}}admin / {told}"


def start_logging() -> None:
    """Send warnings and errors to standard error, one line each but for a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
