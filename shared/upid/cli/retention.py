"""`upid retention`: how long usage of a tenant is kept."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from typing import Annotated

import typer

from upid.bootstrap import Services
from upid.domain.errors import InvalidError, InvalidRequestError
from upid.services.retention import RetentionPolicy
from upid.settings import Settings

Home = Annotated[str | None, typer.Option(help="Data folder, or aws.", envvar="UPID_HOME", show_envvar=True)]
Tenant = Annotated[str, typer.Option(help="Whose usage.")]
Days = Annotated[int | None, typer.Option(metavar="DAYS")]


def retention(home: Home = None, tenant: Tenant = "default", resource: Days = None, performance: Days = None, cost: Days = None) -> None:
    """Print how many days usage is kept, as JSON; with any of the options change that first.

    --resource: samples and five-minute steps. --performance: hours. --cost: days. Longer steps are kept at least as long as shorter ones.
    """
    services = opened(home)
    policy = services.retention.of(tenant)
    asked = {"resource_days": resource, "performance_days": performance, "cost_days": cost}
    given = {name: days for name, days in asked.items() if days is not None}
    if given:
        policy = replace(policy, **given)
        _set(services, tenant, policy)
    print(json.dumps(asdict(policy)))


def opened(home: str | None) -> Services:
    """Return the services of a home, of that which UPID_HOME names without one; InvalidError that names a variable that is wrong."""
    try:
        return Services(Settings.from_environment(os.environ | ({"UPID_HOME": home} if home else {})))
    except ValueError as error:
        raise InvalidError(str(error)) from None


def _set(services: Services, tenant: str, policy: RetentionPolicy) -> None:
    try:
        services.retention.set(tenant, policy)
    except InvalidRequestError as error:
        listed = error.members["errors"]
        faults = listed if isinstance(listed, list) else []
        raise InvalidError("; ".join(f"--{fault['pointer'][2:].removesuffix('_days')}: {fault['detail']}" for fault in faults)) from None
