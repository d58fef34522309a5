"""`upid erase`: a tenant's clusters and usage, removed for good."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from upid.cli.retention import Home, opened

Tenant = Annotated[str, typer.Argument(help="Whose clusters and usage.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def erase(tenant: Tenant, home: Home = None, yes: Yes = False) -> None:
    """Delete all clusters of a tenant, with credentials, profiles and results, and all usage that was stored of them, samples and longer steps.

    Users, events and settings stay. Broken off, the same command does it again.
    """
    if not yes:
        typer.confirm(f"Delete all clusters of {tenant} and their usage for good?", abort=True, err=True)
    print(json.dumps(opened(home).erasure.erase(tenant)))
