"""Clients of AWS services: made when they are first used, one for each service, with bounded times and retries.

`AWS_ENDPOINT_URL`, credentials and the region come from the environment, as botocore reads it.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Final

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 5.0  # of silence, not of a whole blob
ATTEMPTS: Final = 4  # in all, the first included: with the pauses between them within the 29 s of an API function
POOL: Final = 32


class AwsClients:
    """Clients by service, shared by the threads of a process. boto3 is imported when the first is made: that takes half a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def get(self, service: str) -> Any:
        """Return the client of a service (`dynamodb`, `s3` ...); UnavailableError where the environment names no region or a wrong endpoint."""
        found = self._clients.get(service)
        if found is None:
            with self._lock:  # making clients is not safe across threads, using them is
                found = self._clients.get(service) or self._make(service)
                self._clients[service] = found
        return found

    def _make(self, service: str) -> Any:
        import boto3  # noqa: PLC0415 takes half a second
        from botocore.config import Config  # noqa: PLC0415 as above

        from upid.adapters.aws.errors import told  # noqa: PLC0415 imports botocore

        # An emulator at an endpoint of its own has no host name for each bucket.
        own = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"))
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=POOL,
            tcp_keepalive=True,
            s3={"addressing_style": "path"} if own else {},
            signature_version="s3v4"
            if service == "s3"
            else None,  # links to what KMS seals need it, and older ones are the default for links
        )
        with told(service):
            return boto3.Session().client(service, config=config)
