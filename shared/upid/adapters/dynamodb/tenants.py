"""A number for each tenant, so that one whole number tells both an event's tenant and its place there."""

from __future__ import annotations

import contextlib
import threading
from typing import Final

from upid.adapters.dynamodb.table import Cancelled, Item, Table, key_of

TENANTS: Final = "tenants"
BITS: Final = 20  # a million tenants; what is left of 63 bits is for 8e12 events of each
COUNTER: Final = key_of(TENANTS, "counter")


class TenantNumbers:
    """Numbers are given when they are first asked for, and never change; they are remembered here."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def sequence(self, tenant: str, number: int) -> int:
        """Return the sequence number of an event from its tenant and its number there."""
        return number << BITS | self._number(tenant)

    def place(self, sequence: int) -> tuple[str, int] | None:
        """Return the tenant and the number there of a sequence number, None where there is no such tenant."""
        known = self._names.get(sequence % (1 << BITS))
        if known is None:
            item = self._table.get(_by_number(sequence % (1 << BITS)))
            if item is None:
                return None
            known = self._remember(item["tenant"]["S"], sequence % (1 << BITS))
        return known, sequence >> BITS

    def _number(self, tenant: str) -> int:
        known = self._numbers.get(tenant)
        if known is None:
            item = self._table.get(_by_name(tenant)) or self._make(tenant)
            known = int(item["number"]["N"])
            self._remember(tenant, known)
        return known

    def _make(self, tenant: str) -> Item:
        """Give a tenant the next number; of two that do so at once, one wins and both return the winner's."""
        update = {"Key": COUNTER, "UpdateExpression": "ADD #n :one", "ExpressionAttributeNames": {"#n": "number"}}
        answer = self._table.write({"Update": {**update, "ExpressionAttributeValues": {":one": {"N": "1"}}}})
        entry = {"tenant": {"S": tenant}, "number": answer["number"]}
        free = {"ConditionExpression": "attribute_not_exists(#p)", "ExpressionAttributeNames": {"#p": "partition"}}
        keys = (_by_name(tenant), _by_number(int(answer["number"]["N"])))
        with contextlib.suppress(Cancelled):
            self._table.transact([{"Put": {"Item": key | entry, **free}} for key in keys])
        return self._table.get(keys[0]) or entry

    def _remember(self, tenant: str, number: int) -> str:
        with self._lock:
            self._numbers[tenant] = number
            self._names[number] = tenant
        return tenant


def _by_name(tenant: str) -> Item:
    return key_of(TENANTS, f"name#{tenant}")


def _by_number(number: int) -> Item:
    return key_of(TENANTS, f"number#{number}")
