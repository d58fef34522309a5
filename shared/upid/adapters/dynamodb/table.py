"""The table: requests with retries that fit their kind, and failed conditions as values to look at."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from upid.adapters.aws.clients import AwsClients
from upid.adapters.aws.pauses import Sleep, attempts
from upid.domain.errors import InvalidError, UnavailableError

Item = dict[str, Any]  # attributes in DynamoDB's own form: {"name": {"S": "text"}}

ATTEMPTS: Final = 10
LARGEST_ITEM_BYTES: Final = 400 * 1024
LARGEST_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
GET_AT_ONCE: Final = 100
_AGAIN: Final = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_REASONS_TO_TRY_AGAIN: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class TooLargeError(InvalidError):
    """A document, or a transaction, is larger than DynamoDB takes."""

    title = "Too large to store"


class ConditionFailed(Exception):  # noqa: N818 an answer that the adapter looks at, not an error that leaves it
    """The condition of a write did not hold. `item`: what is there, None where nothing is; `retried`: the request had been sent before."""

    def __init__(self, item: Item | None, *, retried: bool) -> None:
        super().__init__("A condition failed.")
        self.item = item
        self.retried = retried


class Cancelled(Exception):  # noqa: N818 as above
    """A transaction in which conditions did not hold. `found`: for each write whose condition failed, what is there (None = nothing)."""

    def __init__(self, found: Mapping[int, Item | None]) -> None:
        super().__init__("Conditions failed.")
        self.found = found


class Table:
    """One DynamoDB table. UnavailableError and its kinds where it does not answer as it should, after bounded retries."""

    def __init__(self, clients: AwsClients, name: str, *, sleep: Sleep = time.sleep) -> None:
        self._clients = clients
        self._name = name
        self._sleep = sleep

    def get(self, key: Item) -> Item | None:
        """Return an item as it is now, None where there is none."""
        found: Item | None = self._call("get_item", Key=key, ConsistentRead=True).get("Item")
        return found

    def get_all(self, keys: Sequence[Item]) -> list[Item]:
        """Return those of these items that are there, as they are now, in no order."""
        found: list[Item] = []
        for start in range(0, len(keys), GET_AT_ONCE):
            found += self._get_batch(keys[start : start + GET_AT_ONCE])
        return found

    def query(
        self, partition: str, *, prefix: str = "", after: str | None = None, descending: bool = False, page: int = 100
    ) -> Iterator[Item]:
        """Yield the items of a partition whose sort key begins with `prefix`, in order, as they are now, beginning behind `after`."""
        condition = "#p = :p" + (" AND begins_with(#s, :s)" if prefix else "")
        arguments: dict[str, Any] = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": {"#p": "partition"} | ({"#s": "sort"} if prefix else {}),
            "ExpressionAttributeValues": {":p": {"S": partition}} | ({":s": {"S": prefix}} if prefix else {}),
            "ConsistentRead": True,
            "ScanIndexForward": not descending,
            "Limit": page,
        }
        if after is not None:
            arguments["ExclusiveStartKey"] = key_of(partition, after)
        while True:
            answer = self._call("query", **arguments)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def scan(self) -> Iterator[Item]:
        """Yield every item of the table, in no order."""
        arguments: dict[str, Any] = {"ConsistentRead": True}
        while True:
            answer = self._call("scan", **arguments)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def write(self, action: Mapping[str, Any], *, returned: str = "UPDATED_NEW") -> Item:
        """Do one write of the form that `transact` takes, and return of an update the attributes that it set (ALL_NEW: all of them); ConditionFailed."""
        ((kind, arguments),) = action.items()
        operation = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[kind]
        wanted = {"ReturnValues": returned} if kind == "Update" else {}
        _hold_size([arguments.get("Item") or arguments.get("ExpressionAttributeValues") or {}])
        return dict(self._call(operation, **arguments, **wanted).get("Attributes", {}))

    def transact(self, actions: Sequence[Mapping[str, Any]]) -> None:
        """Do up to 100 writes or none; Cancelled where conditions fail, TooLargeError for over 4 MB."""
        _hold_size(
            [
                next(iter(action.values())).get("Item") or next(iter(action.values())).get("ExpressionAttributeValues", {})
                for action in actions
            ]
        )
        named = [{kind: {"TableName": self._name, **arguments}} for action in actions for kind, arguments in action.items()]
        self._call("transact_write_items", TransactItems=named)

    def _get_batch(self, keys: Sequence[Item]) -> list[Item]:
        found: list[Item] = []
        wanted: Any = {self._name: {"Keys": list(keys), "ConsistentRead": True}}
        for _ in attempts(ATTEMPTS, self._sleep):
            answer = self._call("batch_get_item", RequestItems=wanted)
            found += answer["Responses"].get(self._name, [])
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return found
        raise UnavailableError(f"{self._place} leaves items of a batch unread, also after {ATTEMPTS} attempts.")

    def _call(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import ClientError  # noqa: PLC0415 takes half a second

        from upid.adapters.aws.errors import code_of, told  # noqa: PLC0415 as above

        if operation not in {"transact_write_items", "batch_get_item"}:
            arguments["TableName"] = self._name
        method = getattr(self._clients.get("dynamodb"), operation)
        with told(self._place):
            for attempt in attempts(ATTEMPTS, self._sleep):
                try:
                    return method(**arguments)
                except ClientError as error:
                    again = code_of(error) in _AGAIN or _looked_at(error)
                    if not again or attempt == ATTEMPTS - 1:
                        raise
        raise AssertionError  # the last attempt returns or raises

    @property
    def _place(self) -> str:
        return f"The table {self._name} of DynamoDB"


def key_of(partition: str, sort: str) -> Item:
    """Return the key of an item."""
    return {"partition": {"S": partition}, "sort": {"S": sort}}


def size_of(item: Mapping[str, Any]) -> int:
    """Return about how large an item is [bytes], never less than DynamoDB counts: names and values in UTF-8."""
    return sum(len(name.encode()) + sum(_value_bytes(value) for value in attribute.values()) for name, attribute in item.items())


def _value_bytes(value: Any) -> int:
    if isinstance(value, bytes):
        return len(value)
    return len(value.encode()) if isinstance(value, str) else sum(len(str(part).encode()) for part in value)


def _hold_size(items: Sequence[Mapping[str, Any]]) -> None:
    sizes = [size_of(item) for item in items]
    if max(sizes, default=0) > LARGEST_ITEM_BYTES:
        raise TooLargeError(f"A document of {max(sizes)} bytes cannot be stored: DynamoDB takes {LARGEST_ITEM_BYTES} with its key.")
    if sum(sizes) > LARGEST_TRANSACTION_BYTES:
        raise TooLargeError(f"A transaction of {sum(sizes)} bytes cannot be stored: DynamoDB takes {LARGEST_TRANSACTION_BYTES}.")


def _looked_at(error: Any) -> bool:
    """Raise ConditionFailed or Cancelled for what they stand for; tell whether a cancelled transaction should be tried again."""
    from upid.adapters.aws.errors import code_of, was_retried  # noqa: PLC0415 imports botocore

    code = code_of(error)
    if code == "ConditionalCheckFailedException":
        raise ConditionFailed(error.response.get("Item"), retried=was_retried(error.response)) from error
    if code != "TransactionCanceledException":
        return False
    reasons = error.response.get("CancellationReasons", [])
    failed = {number: reason.get("Item") for number, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"}
    if failed:
        raise Cancelled(failed) from error
    return any(reason.get("Code") in _REASONS_TO_TRY_AGAIN for reason in reasons)
