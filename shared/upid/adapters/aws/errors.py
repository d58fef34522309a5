"""What AWS answers, as errors of the product: which service, which operation, what it said, and whether asking again can help."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from upid.domain.errors import RefusedError, UnavailableError

THROTTLED: Final = frozenset({
    "ThrottlingException", "Throttling", "ThrottledException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "TooManyRequestsException", "LimitExceededException", "SlowDown", "KMSThrottlingException",
})  # fmt: skip
REFUSED: Final = frozenset({
    "AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "ExpiredToken", "ExpiredTokenException", "ValidationException", "InvalidSignatureException", "DisabledException", "KMSInvalidStateException",
})  # fmt: skip


class ThrottledError(UnavailableError):
    """AWS allows fewer requests than were sent, also after the retries."""

    title = "Too many requests to AWS"


def code_of(error: ClientError) -> str:
    """Return AWS' code of an error ("" where it gave none)."""
    return str(error.response.get("Error", {}).get("Code", ""))


def was_retried(answer: Any) -> bool:
    """Tell whether an answer, or an error's, came to a request that had been sent before: the first may have taken effect."""
    return int(answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)) > 0


@contextlib.contextmanager
def told(place: str) -> Iterator[None]:
    """Turn botocore's errors into the product's. `place`: what is talked to, for a person ("the table upid of DynamoDB").

    Raises ThrottledError where AWS slows us down, RefusedError where the role or the request is not allowed, UnavailableError for the rest.
    """
    try:
        yield
    except ClientError as error:
        raise translated(error, place) from error
    except BotoCoreError as error:
        raise UnavailableError(f"{place} does not answer: {str(error).rstrip('.')}.") from error


def translated(error: ClientError, place: str) -> UnavailableError:
    """Return the product's error for one of AWS."""
    code, said = code_of(error), str(error.response.get("Error", {}).get("Message", "")).rstrip(".")
    detail = f"{place} answered {error.operation_name} with {code or 'an error'}: {said or 'no reason given'}."
    if code in THROTTLED:
        return ThrottledError(detail)
    return RefusedError(detail) if code in REFUSED else UnavailableError(detail)
