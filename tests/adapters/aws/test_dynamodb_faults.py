"""DynamoDB when it slows down, loses answers or is gone: bounded attempts, nothing twice, and an error that tells what."""

from __future__ import annotations

import random
from typing import Any

import pytest
from adapters.aws.endpoint import HANG_UP, Answer, Endpoint, Request, dynamo, failure
from contract.stores import SetClock

from upid.adapters.aws.clients import ATTEMPTS, AwsClients
from upid.adapters.aws.errors import ThrottledError
from upid.adapters.dynamodb import table as tables
from upid.adapters.dynamodb.log import EventLog
from upid.adapters.dynamodb.records import DynamoRecords
from upid.adapters.dynamodb.table import Table, TooLargeError, key_of
from upid.domain.errors import InvalidError, RefusedError, UnavailableError, VersionConflictError
from upid.ports.records import Check, Delete, Key, Put, Record

KEY = Key("t#a#clusters", "cl_1")
SLOW = failure("ProvisionedThroughputExceededException", "The level of configured provisioned throughput was exceeded.")


@pytest.fixture
def table(clients: AwsClients) -> Table:
    return Table(clients, "upid", sleep=lambda _: None)


@pytest.fixture
def records(table: Table) -> DynamoRecords:
    return DynamoRecords(table, EventLog(table, SetClock()), SetClock())


def operations(endpoint: Endpoint) -> list[str]:
    return [request.headers["X-Amz-Target"].partition(".")[2] for request in endpoint.requests]


def cancelled(*codes: str) -> Answer:
    return failure("TransactionCanceledException", "Transaction cancelled", CancellationReasons=[{"Code": code} for code in codes])


def test_a_throttled_write_is_sent_again_until_it_is_taken(endpoint: Endpoint, records: DynamoRecords) -> None:
    endpoint.says(SLOW, SLOW, dynamo({}))
    assert records.put(KEY, {"n": 1}, expect=0) == Record(KEY, {"n": 1}, 1)
    assert operations(endpoint) == ["PutItem"] * 3
    assert len({request.body for request in endpoint.requests}) == 1


def test_a_table_that_throttles_for_good_is_told_after_bounded_attempts(endpoint: Endpoint, records: DynamoRecords) -> None:
    endpoint.says(SLOW)
    with pytest.raises(ThrottledError, match="The table upid of DynamoDB answered GetItem with ProvisionedThroughputExceededException"):
        records.get(KEY)
    assert len(endpoint.requests) == ATTEMPTS


def test_a_table_that_is_gone_is_told_as_such(endpoint: Endpoint, records: DynamoRecords) -> None:
    endpoint.close()
    with pytest.raises(UnavailableError, match="The table upid of DynamoDB does not answer"):
        records.get(KEY)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_what_is_not_allowed_is_not_tried_again(endpoint: Endpoint, records: DynamoRecords, code: str) -> None:
    endpoint.says(failure(code))
    with pytest.raises(RefusedError, match=code):
        records.get(KEY)
    assert len(endpoint.requests) == 1


def answered_by_own_write(version: int) -> Any:
    """A condition that failed because the request, whose answer was lost, had been done: what is there bears its token."""

    def answer(request: Request) -> Answer:
        asked = request.json
        token = asked["Item"]["write"] if "Item" in asked else asked["ExpressionAttributeValues"][":w"]
        item = {"version": {"N": str(version)}, "write": token}
        return failure("ConditionalCheckFailedException", Item=item)

    return answer


@pytest.mark.parametrize(("expect", "version"), [(0, 1), (4, 5), (None, 8)])
def test_a_write_whose_answer_was_lost_is_known_again(endpoint: Endpoint, records: DynamoRecords, expect: int | None, version: int) -> None:
    endpoint.says(HANG_UP, answered_by_own_write(version))
    assert records.put(KEY, {}, expect=expect).version == version


def test_a_write_that_lost_to_another_after_a_lost_answer_is_a_conflict(endpoint: Endpoint, records: DynamoRecords) -> None:
    endpoint.says(HANG_UP, failure("ConditionalCheckFailedException", Item={"version": {"N": "1"}, "write": {"S": "another"}}))
    with pytest.raises(VersionConflictError, match="has version 1, not 0"):
        records.put(KEY, {}, expect=0)


def test_a_removal_and_a_transaction_sent_twice_bear_one_token_so_that_they_are_done_once(
    endpoint: Endpoint, records: DynamoRecords
) -> None:
    endpoint.says(HANG_UP, dynamo({}))
    records.delete(KEY, expect=3)
    tokens = [request.json["ClientRequestToken"] for request in endpoint.requests]
    assert operations(endpoint) == ["TransactWriteItems"] * 2
    assert len(set(tokens)) == 1


def test_a_transaction_that_met_another_is_tried_again(endpoint: Endpoint, records: DynamoRecords) -> None:
    endpoint.says(cancelled("None", "TransactionConflict"), cancelled("ThrottlingError", "None"), dynamo({}))
    records.transact([Put(KEY, {}), Check(Key("t#a#clusters", "cl_2"), expect=1)])
    assert len(endpoint.requests) == 3


def test_a_transaction_that_always_meets_another_ends_with_an_error(endpoint: Endpoint, records: DynamoRecords) -> None:
    endpoint.says(cancelled("TransactionConflict"))
    with pytest.raises(UnavailableError, match="TransactionCanceledException"):
        records.transact([Delete(KEY, expect=1)])
    assert len(endpoint.requests) == tables.ATTEMPTS


def test_a_failed_condition_counts_more_than_a_throttled_neighbour(endpoint: Endpoint, records: DynamoRecords) -> None:
    endpoint.says(cancelled("ThrottlingError", "ConditionalCheckFailed"))
    with pytest.raises(VersionConflictError):
        records.transact([Put(KEY, {}), Check(Key("t#a#clusters", "cl_2"), expect=1)])
    assert len(endpoint.requests) == 1


def test_the_part_of_a_batch_that_was_not_read_is_read_again(endpoint: Endpoint, table: Table) -> None:
    one, two = key_of("p", "1"), key_of("p", "2")
    left = {"upid": {"Keys": [two], "ConsistentRead": True}}
    endpoint.says(
        dynamo({"Responses": {"upid": [one]}, "UnprocessedKeys": left}), dynamo({"Responses": {"upid": [two]}, "UnprocessedKeys": {}})
    )
    assert table.get_all([one, two]) == [one, two]
    assert endpoint.requests[1].json["RequestItems"] == left


def test_a_document_that_dynamodb_cannot_hold_is_told_before_it_is_sent(endpoint: Endpoint, records: DynamoRecords) -> None:
    noise = random.Random(1).randbytes(300_000).hex()  # 600,000 characters that no compression makes smaller than 300,000
    with pytest.raises(TooLargeError, match="DynamoDB takes 409600"):
        records.put(KEY, {"text": noise + noise[::-1]})
    with pytest.raises(TooLargeError, match="DynamoDB takes 4194304"):
        records.transact([Put(Key("t#a#x", str(n)), {"text": noise}) for n in range(15)])
    with pytest.raises(InvalidError, match="too long for a key"):
        records.get(Key("t#a#x", "ü" * 600))
    assert endpoint.requests == []
