"""Records as items, and the conditions that the port's versions and expiry come to."""

from __future__ import annotations

import math
import secrets
import zlib
from typing import Any, Final

import orjson

from upid.adapters.dynamodb.table import Item, key_of
from upid.domain.errors import InvalidError
from upid.ports.records import Check, Delete, Key, Put, Record, Write

LONGEST_PARTITION_BYTES: Final = 2048
LONGEST_SORT_BYTES: Final = 1024
COMPRESSED_BYTES: Final = 16 * 1024  # from here on a document is compressed: writes are paid by the kilobyte, and an item ends at 400
PARTITION: Final = "r#"
SORT: Final = "#"

_LIVE: Final = "(attribute_not_exists(#x) OR #x > :now)"
_GONE: Final = "(attribute_not_exists(#p) OR #x <= :now)"
_NAMES: Final = {"#p": "partition", "#x": "expires", "#v": "version", "#b": "body", "#t": "expires_at", "#w": "write"}


def stored_partition(partition: str) -> str:
    """Return the partition of the table that holds a partition's records; InvalidError for one longer than DynamoDB takes."""
    return _held(PARTITION + partition, LONGEST_PARTITION_BYTES)


def stored_sort(sort: str) -> str:
    """Return the sort key in the table of a sort key: a key cannot be empty there; InvalidError for one longer than DynamoDB takes."""
    return _held(SORT + sort, LONGEST_SORT_BYTES)


def stored_key(key: Key) -> Item:
    """Return the key of a record's item."""
    return key_of(stored_partition(key.partition), stored_sort(key.sort))


def is_live(item: Item | None, now: float) -> bool:
    """Tell whether there is a record, not expired at `now` [seconds since the epoch]."""
    return item is not None and ("expires" not in item or float(item["expires"]["N"]) > now)


def record_of(item: Item) -> Record:
    """Return the record that an item holds."""
    key = Key(item["partition"]["S"].removeprefix(PARTITION), item["sort"]["S"].removeprefix(SORT))
    expires_at = float(item["expires"]["N"]) if "expires" in item else None
    return Record(key, orjson.loads(_text(item["body"])), int(item["version"]["N"]), expires_at)


def version_of(item: Item | None, now: float) -> int:
    """Return the version of a record, 0 where there is none or where it has expired."""
    return int(item["version"]["N"]) if item is not None and is_live(item, now) else 0


def new_token() -> str:
    """Return a text that tells one write from all others, so that a write whose answer was lost is known again."""
    return secrets.token_hex(8)


def action_of(write: Write, body: str, now: float, *, token: str, expired: bool = False) -> dict[str, Any]:
    """Return a write as an action of TransactWriteItems, without the table's name.

    `body`: the document of a Put, as JSON. `expired`: an expired record lies where a Put without condition is to be: it is replaced at version 1.
    """
    match write:
        case Put():
            return _put(write, body, now, token=token, expired=expired)
        case Delete(key, expect):
            return {"Delete": {"Key": stored_key(key)} | _condition(expect, now)}
        case Check(key, expect):
            return {"ConditionCheck": {"Key": stored_key(key)} | _condition(expect, now)}


def _put(write: Put, body: str, now: float, *, token: str, expired: bool) -> dict[str, Any]:
    if write.expect is None and not expired:
        return {"Update": {"Key": stored_key(write.key)} | _update(write, body, now, token)}
    item = stored_key(write.key) | {"body": _stored(body), "version": {"N": str((write.expect or 0) + 1)}, "write": {"S": token}}
    return {"Put": {"Item": item | _expiry(write.expires_at)} | _condition(write.expect or 0, now)}


def _update(write: Put, body: str, now: float, token: str) -> dict[str, Any]:
    """Return an update that makes the record, or counts its version up, whatever version it has: one request, and no read before it."""
    values = {":b": _stored(body), ":zero": {"N": "0"}, ":one": {"N": "1"}, ":w": {"S": token}, ":now": _number(now)}
    text = "SET #b = :b, #v = if_not_exists(#v, :zero) + :one, #w = :w"
    expiry = _expiry(write.expires_at)
    if expiry:
        text += ", #x = :x, #t = :t"
        values |= {":x": expiry["expires"], ":t": expiry["expires_at"]}
    else:
        text += " REMOVE #x, #t"
    # The token keeps a request that was sent twice from counting twice.
    condition = f"{_LIVE} AND (attribute_not_exists(#w) OR #w <> :w)"
    return {"UpdateExpression": text} | _expression(condition, values, names_in=text + condition)


def _condition(expect: int | None, now: float) -> dict[str, Any]:
    if expect is None:
        return {}
    if expect == 0:
        return _expression(_GONE, {":now": _number(now)})
    return _expression(f"#v = :expect AND {_LIVE}", {":now": _number(now), ":expect": {"N": str(expect)}})


def _expression(condition: str, values: Item, *, names_in: str = "") -> dict[str, Any]:
    """Return a condition with the names and values that it uses: DynamoDB refuses a name that nothing uses."""
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {name: real for name, real in _NAMES.items() if name in (names_in or condition)},
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _stored(body: str) -> dict[str, Any]:
    data = body.encode()
    return {"S": body} if len(data) < COMPRESSED_BYTES else {"B": zlib.compress(data, 6)}


def _text(body: dict[str, Any]) -> str | bytes:
    return str(body["S"]) if "S" in body else zlib.decompress(body["B"])


def _expiry(expires_at: float | None) -> Item:
    """Return the moment as the conditions read it, and, in whole seconds, as DynamoDB's own removal does."""
    return {} if expires_at is None else {"expires": _number(expires_at), "expires_at": {"N": str(math.ceil(expires_at))}}


def _number(value: float) -> dict[str, str]:
    return {"N": repr(float(value))}


def _held(text: str, most: int) -> str:
    if len(text.encode()) > most:
        raise InvalidError(f"{text[:60]!r}... is too long for a key: DynamoDB takes {most} bytes.")
    return text
