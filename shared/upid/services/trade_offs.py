"""What other values of the one knob, `allowed_time_above`, would give: the same shards, sized again for each.

More time above a request costs safety and saves money: `on_frontier` marks the values that no other beats in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from upid.services.assessing import Assessor, Loaded, options_for
from upid.services.sizing import Table
from upid.services.summaries import summary

TIME_ABOVE: Final = "backtest_cpu_time_above_request"


def trade_offs(assessor: Assessor, loaded: Loaded, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return, for each value that the request asks to compare, the sums of a shard that `merge_trade_offs` adds up."""
    return [_sums(assessor.assess(loaded, options_for(request, knob)), knob) for knob in request["knobs"]]


def merge_trade_offs(parts: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]] | None:
    """Return the trade-offs of all shards together, by rising `allowed_time_above`; None where none were asked for.

    `time_above_request` is the mean over containers of the share of back-tested time above their CPU request, None without a back-test.
    """
    if not any(parts):
        return None
    merged = [_merge(group) for group in zip(*parts, strict=True)]
    return [each | {"on_frontier": not any(_beats(other, each) for other in merged)} for each in merged]


def _sums(table: Table, knob: float) -> dict[str, Any]:
    totals, above = summary(table), np.asarray(table.columns[TIME_ABOVE], np.float64)
    tested = ~np.isnan(above)
    return {
        "allowed_time_above": knob, "cpu_request_cores": totals["requests"]["recommended"]["cpu_request_cores"],
        "memory_request_bytes": totals["requests"]["recommended"]["memory_request_bytes"], "savings_usd_per_month": totals["savings_usd_per_month"],
        "above": float(above[tested].sum()), "tested": int(tested.sum()),
    }  # fmt: skip


def _merge(group: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    parts = list(group)
    tested = sum(part["tested"] for part in parts)
    sums = {name: sum(part[name] for part in parts) for name in ("cpu_request_cores", "memory_request_bytes", "savings_usd_per_month")}
    above = sum(part["above"] for part in parts) / tested if tested else None
    return {"allowed_time_above": parts[0]["allowed_time_above"], **sums, "time_above_request": above}


def _beats(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Tell whether `a` is no worse than `b` in time above and in savings, and better in one."""
    if a["time_above_request"] is None or b["time_above_request"] is None:
        return False
    no_worse = a["time_above_request"] <= b["time_above_request"] and a["savings_usd_per_month"] >= b["savings_usd_per_month"]
    return no_worse and (a["time_above_request"], a["savings_usd_per_month"]) != (b["time_above_request"], b["savings_usd_per_month"])
