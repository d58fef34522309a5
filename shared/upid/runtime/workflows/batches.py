"""Batches of items for a distributed Map (ItemBatcher)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from upid.runtime.workflows.data import LIMIT_BYTES, limited, number
from upid.runtime.workflows.expressions import View


def batches(state: Mapping[str, Any], view: View, items: Sequence[Any]) -> Sequence[Any]:
    """Return the inputs of the child executions: the items themselves, or where ItemBatcher says so, batches of them with its BatchInput."""
    batcher = state.get("ItemBatcher")
    if batcher is None:
        return items
    extra = {"BatchInput": view.fill(batcher["BatchInput"])} if "BatchInput" in batcher else {}
    most_items = number(batcher, "MaxItemsPerBatch", view, None, low=1) or len(items)
    most_bytes = min(number(batcher, "MaxInputBytesPerBatch", view, None, low=1) or LIMIT_BYTES, LIMIT_BYTES)
    frame = len(orjson.dumps({**extra, "Items": []}))
    return [limited({**extra, "Items": batch}, "batch") for batch in _split(items, most_items, most_bytes - frame)]


def _split(items: Sequence[Any], most_items: float, most_bytes: float) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for item in items:
        length = len(orjson.dumps(item)) + 1
        if batch and (len(batch) >= most_items or size + length > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch
