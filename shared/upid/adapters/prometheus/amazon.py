"""Requests to Amazon Managed Service for Prometheus, signed (Signature Version 4, service `aps`). botocore is imported with the first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from upid.domain.errors import UnauthenticatedError

SERVICE: Final = "aps"
SIGNED: Final = frozenset({"content-type", "x-scope-orgid"})  # what a proxy may change on the way is not signed


def signature(method: str, url: str, body: bytes, headers: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the headers that sign a request as whoever boto3's chain of credentials says that we are.

    UnauthenticatedError where it says nothing; UnavailableError or RefusedError where AWS does not give the credentials of a role.
    """
    from botocore.auth import SigV4Auth  # noqa: PLC0415 takes half a second, and only this kind of source needs it
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 as above

    from upid.adapters.aws.errors import told  # noqa: PLC0415 imports botocore

    with told("the AWS credentials"):
        credentials = _credentials()
        if credentials is None:
            raise UnauthenticatedError("There are no AWS credentials to sign requests to Amazon Managed Prometheus with.")
        frozen = credentials.get_frozen_credentials()
    chosen = {name: value for name, value in headers.items() if name.lower() in SIGNED}
    request = AWSRequest(method=method, url=url, data=body, headers=chosen)
    SigV4Auth(frozen, SERVICE, region).add_auth(request)
    return {name: value for name, value in request.headers.items() if name not in chosen}


@cache
def _credentials() -> Any:
    """Return the credentials of boto3's chain, which renew themselves; None where there are none."""
    import boto3  # noqa: PLC0415 as above

    return boto3.Session().get_credentials()
