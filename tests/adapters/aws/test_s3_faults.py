"""S3 when it slows down, breaks off, damages or refuses: bounded attempts, nothing lost or half read, and an error that tells what."""

from __future__ import annotations

import base64
import zlib

import pytest
from adapters.aws.endpoint import HANG_UP, Answer, Endpoint, Request, s3_failure

from upid.adapters.aws.clients import ATTEMPTS, AwsClients
from upid.adapters.s3 import blobs as s3
from upid.adapters.s3.blobs import S3Blobs
from upid.domain.errors import NotFoundError, UnavailableError

DATA = bytes(range(256)) * 400


def checksum(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


WHOLE = Answer(200, DATA, {"x-amz-checksum-crc32": checksum(DATA), "x-amz-checksum-type": "FULL_OBJECT"})


@pytest.fixture
def blobs(clients: AwsClients) -> S3Blobs:
    return S3Blobs(clients, "upid", key_id="alias/upid", sleep=lambda _: None)


def test_a_blob_is_sent_again_after_503_and_whole_each_time(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.says(s3_failure("SlowDown", 503), s3_failure("ServiceUnavailable", 503), Answer())
    assert blobs.put("a/b", DATA)
    assert [request.headers["x-amz-checksum-crc32"] for request in endpoint.requests] == [checksum(DATA)] * 3
    assert all(request.body == DATA for request in endpoint.requests)
    assert endpoint.requests[0].headers["x-amz-server-side-encryption"] == "aws:kms"


def test_a_bucket_that_slows_down_for_good_is_told_after_bounded_attempts(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.says(s3_failure("SlowDown", 503))
    with pytest.raises(UnavailableError, match="The bucket upid of S3 answered PutObject with SlowDown"):
        blobs.put("a/b", DATA)
    assert len(endpoint.requests) == ATTEMPTS


def test_a_bucket_that_is_gone_is_told_as_such(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.close()
    with pytest.raises(UnavailableError, match="The bucket upid of S3 does not answer"):
        blobs.get("a/b")


@pytest.mark.parametrize(
    "first", [Answer(200, DATA, cut=1000), Answer(200, b"x" + DATA[1:], WHOLE.headers), HANG_UP], ids=["cut", "damaged", "gone"]
)
def test_a_blob_that_broke_off_or_was_damaged_is_read_again(endpoint: Endpoint, blobs: S3Blobs, first: Answer) -> None:
    endpoint.says(first, WHOLE)
    assert blobs.get("a/b") == DATA
    assert len(endpoint.requests) == 2


def test_a_blob_that_never_fits_its_checksum_is_an_error(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.says(Answer(200, b"x" + DATA[1:], WHOLE.headers))
    with pytest.raises(UnavailableError, match="checksum"):
        blobs.get("a/b")
    assert len(endpoint.requests) == s3.ATTEMPTS


def test_a_bucket_that_is_not_there_is_no_missing_blob(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.says(s3_failure("NoSuchBucket", 404))
    with pytest.raises(UnavailableError, match="NoSuchBucket"):
        blobs.get("a/b")
    endpoint.says(s3_failure("NoSuchKey", 404))
    with pytest.raises(NotFoundError, match="a/b"):
        blobs.get("a/b")


@pytest.mark.parametrize("own", [True, False])
def test_who_was_first_is_known_even_when_the_answer_was_lost(endpoint: Endpoint, blobs: S3Blobs, own: bool) -> None:
    def head(_: Request) -> Answer:
        token = endpoint.requests[0].headers["x-amz-meta-write"] if own else "another"
        return Answer(200, headers={"x-amz-meta-write": token})

    endpoint.says(HANG_UP, s3_failure("PreconditionFailed", 412), head)
    assert blobs.put("a/b", DATA, if_absent=True) is own


def test_a_write_that_met_another_of_the_same_blob_is_tried_again(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.says(s3_failure("ConditionalRequestConflict", 409), s3_failure("PreconditionFailed", 412))
    assert not blobs.put("a/b", DATA, if_absent=True)
    assert [request.headers["If-None-Match"] for request in endpoint.requests] == ["*", "*"]


LISTED = Answer(200, b"<ListBucketResult><Contents><Key>a/1</Key></Contents><Contents><Key>a/2</Key></Contents></ListBucketResult>")
REFUSED = Answer(
    200, b"<DeleteResult><Error><Key>a/2</Key><Code>InternalError</Code><Message>We encountered an error</Message></Error></DeleteResult>"
)


def test_only_the_blobs_that_were_not_removed_are_asked_for_again(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.says(LISTED, REFUSED, Answer(200, b"<DeleteResult/>"))
    assert blobs.delete_all("a/") == 2
    assert [request.body.count(b"<Key>") for request in endpoint.requests[1:]] == [2, 1]


def test_blobs_that_cannot_be_removed_are_named(endpoint: Endpoint, blobs: S3Blobs) -> None:
    endpoint.says(LISTED, REFUSED)
    with pytest.raises(UnavailableError, match="kept 1 blobs that were to be removed, a/2 first: InternalError: We encountered"):
        blobs.delete_all("a/")
