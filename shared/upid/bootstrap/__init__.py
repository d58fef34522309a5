"""The only place that chooses adapters. Services are built on first use, never at import, and import what they need then."""

from __future__ import annotations

from functools import cache

from upid.bootstrap.managing import Managing
from upid.domain.errors import InvalidError
from upid.settings import Settings


class Services(Managing):
    """The services of one process, in the home that the settings name. A test replaces a port by setting the attribute of its name before it is used."""


@cache
def build_services() -> Services:
    """Return the services of this process, built on first use from its environment; InvalidError that names a variable that is wrong."""
    try:
        return Services(Settings.from_environment())
    except ValueError as error:
        raise InvalidError(str(error)) from None
