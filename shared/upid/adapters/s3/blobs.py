"""Blobs as objects of a bucket: a blob's name is its key."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from upid.adapters.aws.clients import AwsClients
from upid.adapters.aws.pauses import Sleep, attempts
from upid.adapters.naming import hold_name, hold_prefix
from upid.domain.errors import NotFoundError, UnavailableError

ATTEMPTS: Final = 5
AT_ONCE: Final = 1000  # of a listing, and of a removal
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_TAKEN: Final = frozenset({"PreconditionFailed", "412"})
_BUSY: Final = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})


class S3Blobs:
    """A bucket of blobs, each with its checksum (made here, held by S3 when it is written and by us when it is read), encrypted at rest.

    `key_id`: the KMS key that encrypts them; without one the bucket's own setting counts.
    """

    def __init__(self, clients: AwsClients, bucket: str, *, key_id: str = "", sleep: Sleep = time.sleep) -> None:
        self._clients = clients
        self._bucket = bucket
        self._sleep = sleep
        self._encryption: dict[str, Any] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id, "BucketKeyEnabled": True} if key_id else {}
        )

    def put(self, name: str, data: bytes | memoryview, *, if_absent: bool = False) -> bool:
        """Write a blob whole; with `if_absent` only where there is none. Returns whether it was written.

        Raises
        ------
        ValueError
            For a name that is not made of `/`-separated parts.
        UnavailableError
            Where S3 refuses or does not answer; then it may have been written or not.
        """
        token = secrets.token_hex(8)
        condition = {"IfNoneMatch": "*", "Metadata": {"write": token}} if if_absent else {}
        arguments = {"Key": hold_name(name), "Body": bytes(data), "ChecksumAlgorithm": "CRC32", **self._encryption, **condition}
        for _ in attempts(ATTEMPTS, self._sleep):
            written = self._put(arguments, token)
            if written is not None:
                return written
        raise UnavailableError(f"{self._place} was busy with {name} in {ATTEMPTS} attempts: too many write it at once.")

    def get(self, name: str) -> bytes:
        """Return a blob, held against its checksum; NotFoundError where there is none, ValueError for an impossible name."""
        hold_name(name)
        with self._told():
            for _ in attempts(ATTEMPTS - 1, self._sleep):
                with contextlib.suppress(*_torn()):
                    return self._get(name)
            return self._get(name)

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, sorted, of any number; ValueError for a prefix that no name can have."""
        return self._list(hold_prefix(prefix))

    def delete(self, name: str) -> None:
        """Remove a blob; removing what is not there is no error."""
        with self._told():
            self._client.delete_object(Bucket=self._bucket, Key=hold_name(name))

    def delete_all(self, prefix: str) -> int:
        """Remove every blob whose name begins with `prefix`, a thousand at once, and return how many; UnavailableError that names what stays."""
        count = 0
        names = self.names(prefix)
        while batch := list(islice(names, AT_ONCE)):
            self._delete(batch)
            count += len(batch)
        return count

    @property
    def _client(self) -> Any:
        return self._clients.get("s3")

    @property
    def _place(self) -> str:
        return f"The bucket {self._bucket} of S3"

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        from upid.adapters.aws.errors import told  # noqa: PLC0415 imports botocore

        with told(self._place):
            yield

    def _put(self, arguments: dict[str, Any], token: str) -> bool | None:
        """Return whether the blob was written, None where another write of it was under way."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 takes half a second

        from upid.adapters.aws.errors import code_of, was_retried  # noqa: PLC0415 as above

        with self._told():
            try:
                self._client.put_object(Bucket=self._bucket, **arguments)
            except ClientError as error:
                if code_of(error) in _TAKEN:  # by another, or by this very request, when its answer was lost and it was sent again
                    return was_retried(error.response) and self._token(arguments["Key"]) == token
                if code_of(error) in _BUSY:
                    return None
                raise
        return True

    def _token(self, name: str) -> str:
        return str(self._client.head_object(Bucket=self._bucket, Key=name).get("Metadata", {}).get("write", ""))

    def _get(self, name: str) -> bytes:
        from botocore.exceptions import ClientError  # noqa: PLC0415 takes half a second

        from upid.adapters.aws.errors import code_of  # noqa: PLC0415 as above

        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=name, ChecksumMode="ENABLED")
        except ClientError as error:
            if code_of(error) in _MISSING:
                raise NotFoundError(f"There is no blob {name}.", name=name) from None
            raise
        # Not `with answer["Body"] as body`: that gives the bare stream, which holds no checksum.
        with contextlib.closing(answer["Body"]) as body:
            return bytes(body.read())

    def _list(self, prefix: str) -> Iterator[str]:
        with self._told():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                yield from [entry["Key"] for entry in page.get("Contents", [])]

    def _delete(self, names: Sequence[str]) -> None:
        left = list(names)
        said = ""
        for _ in attempts(ATTEMPTS, self._sleep):
            objects = [{"Key": name} for name in left]
            with self._told():
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            left = [error["Key"] for error in answer.get("Errors", [])]
            if not left:
                return
            said = "; ".join(sorted({f"{error.get('Code')}: {error.get('Message')}" for error in answer["Errors"]}))
        raise UnavailableError(f"{self._place} kept {len(left)} blobs that were to be removed, {left[0]} first: {said}.", names=left[:10])


def _torn() -> tuple[type[Exception], ...]:
    """Return the errors of an answer that broke off or does not fit its checksum: botocore does not ask again once the body has begun."""
    from botocore import exceptions as wrong  # noqa: PLC0415 takes half a second

    return (wrong.IncompleteReadError, wrong.ResponseStreamingError, wrong.ReadTimeoutError, wrong.FlexibleChecksumError)
