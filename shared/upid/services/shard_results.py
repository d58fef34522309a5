"""The results of one shard of an analysis, and what they add up to.

They are two immutable blobs, written once: the table of recommendations, then a small summary that says that the table is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from upid.domain.errors import NotFoundError
from upid.domain.ids import recommendation_id
from upid.domain.inventory import Inventory
from upid.domain.work import WorkError
from upid.ports.blobs import Blobs
from upid.services.rules import rulings
from upid.services.sizing import Table
from upid.services.summaries import merge_summaries, summary

TOP_SAVINGS: Final = 10
STAGES: Final = ("load", "analyze", "persist")


def table_name(tenant: str, analysis_id: str, shard: int) -> str:
    """Return the blob of a shard's table of recommendations."""
    return f"t/{tenant}/analyses/{analysis_id}/{shard:04d}.bin"


def summary_name(tenant: str, analysis_id: str, shard: int) -> str:
    """Return the blob of a shard's summary."""
    return f"t/{tenant}/analyses/{analysis_id}/{shard:04d}.json"


def stored_summary(blobs: Blobs, tenant: str, analysis_id: str, shard: int) -> dict[str, Any] | None:
    """Return a shard's summary, None where the shard is not done."""
    try:
        found: dict[str, Any] = orjson.loads(blobs.get(summary_name(tenant, analysis_id, shard)))
    except NotFoundError:
        return None
    return found


def summarize_shard(table: Table, analysis_id: str, shard: int, inventory: Inventory, *, selected: bool) -> dict[str, Any]:
    """Return what adding up needs to know of a shard: totals, the highest savings, what rules did, what it holds, what could not be read.

    Workloads are named only where some were `selected`: there are few then, and the request is held against them.
    """
    return {
        "totals": summary(table), "top_savings": _top(table, analysis_id, shard), "rules": rulings.counted(table.rulings),
        "namespaces": sorted({row.namespace for row in table.rows}),
        "workloads": sorted({(row.namespace, row.kind, row.name) for row in table.rows}) if selected else [],
        "unreadable": [[part.what, part.reason] for part in inventory.unreadable],
    }  # fmt: skip


def add_up(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the result of an analysis from its shards' summaries: `summary`, `rules` with their counts, and `seconds` (by stage, summed over shards)."""
    top = sorted((each for part in parts for each in part["top_savings"]), key=lambda each: (-each["savings_usd_per_month"], each["id"]))
    totals = merge_summaries(part["totals"] for part in parts) | {"top_savings": top[:TOP_SAVINGS]}
    seconds = {stage: round(sum(part["seconds"][stage] for part in parts), 6) for stage in STAGES}
    return {"summary": totals, "rules": rulings.add_up([part["rules"] for part in parts]), "seconds": seconds}


def unread(parts: Sequence[Mapping[str, Any]]) -> list[WorkError]:
    """Return what the collection could not read of the cluster, each once: its containers are in no recommendation."""
    found = sorted({(what, reason) for part in parts for what, reason in part["unreadable"]})
    return [WorkError("inventory_unreadable", reason, what) for what, reason in found]


def _top(table: Table, analysis_id: str, shard: int) -> list[dict[str, Any]]:
    savings = np.nan_to_num(np.asarray(table.columns["savings_usd_per_month"], np.float64))
    best = np.lexsort((np.arange(savings.size), -savings))[:TOP_SAVINGS]
    return [
        {
            "id": recommendation_id(analysis_id, shard, int(i)), "namespace": table.rows[i].namespace, "kind": table.rows[i].kind,
            "name": table.rows[i].name, "container": table.rows[i].container, "savings_usd_per_month": float(savings[i]),
        }
        for i in best if savings[i] > 0
    ]  # fmt: skip
