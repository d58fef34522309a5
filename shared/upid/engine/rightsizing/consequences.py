"""What recommended amounts cost, save and risk, from an assessment's columns: also where rules changed what sizing recommended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.cost.savings import monthly_cost, reserved
from upid.engine.rightsizing.columns import RECOMMENDED, SCALING_KINDS, UNCHANGED, WITHHELD
from upid.engine.rightsizing.cpu import is_lower_bound
from upid.engine.rightsizing.current import CurrentResources, PriceColumns
from upid.engine.risk.score import RiskFactors, risk_score

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]
AMOUNTS = ("cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes")


def now_of(current: CurrentResources) -> dict[str, Floats]:
    """Return what rows have now, as columns."""
    return {name: getattr(current, name) for name in AMOUNTS}


def cost_of(columns: Columns, current: CurrentResources, prices: PriceColumns) -> Floats:
    """Return what the amounts of `columns` cost a month, times replicas, shape (rows,); NaN where a price is not known. [USD per 730 h]."""
    return monthly_cost(
        reserved(columns["cpu_request_cores"], columns["cpu_limit_cores"]), reserved(columns["memory_request_bytes"], columns["memory_limit_bytes"]),
        cpu_usd_per_core_hour=prices.cpu_usd_per_core_hour, memory_usd_per_gib_hour=prices.memory_usd_per_gib_hour,
        replicas=current.replicas.astype(np.float64),
    )  # fmt: skip


def savings_of(columns: Columns, current: CurrentResources, prices: PriceColumns) -> Floats:
    """Return what the change saves a month, shape (rows,); 0 where nothing changes, NaN where a price is not known. [USD per 730 h]."""
    saved = cost_of(now_of(current), current, prices) - cost_of(columns, current, prices)
    return np.where(columns["status"] == RECOMMENDED, saved, 0.0)


def scaling_savings(columns: Columns, current: CurrentResources, prices: PriceColumns, workload: NDArray[np.int64]) -> Floats:
    """Return what the number of pods of each row's workload saves a month, shape (rows,), the same for all rows of one. [USD per 730 h].

    Requests come first: `savings_of` is of the present pods with smaller requests, this is of fewer pods, each at its recommended requests, so that both add
    up. A count that is advised is instead of smaller requests: it is reckoned at the present ones, and adds to nothing. 0 where the number stays, NaN where
    a price or the number is not known. `workload`: the index of each row's.
    """
    is_advice = columns["scaling_kind"] == SCALING_KINDS.index("advice")
    amounts = {name: np.where(is_advice, now, columns[name]) for name, now in now_of(current).items()}
    single = replace(current, replicas=np.where(current.is_init, 0, 1).astype(np.int64))
    pod = np.bincount(workload, weights=cost_of(amounts, single, prices))[workload] if len(workload) else np.zeros(0)
    saved = (columns["scaling_now_pods"] - columns["scaling_pods"]) * pod
    return np.where(columns["scaling_status"] == RECOMMENDED, saved, 0.0)


def risk_of(columns: Columns, current: CurrentResources) -> Floats:
    """Return the risk of changing each row, 0 to 100; 0 where nothing changes, NaN = withheld, shape (rows,).

    Figures that a back-test could not give count as unknown, which weighs half.
    """
    unknown, kills = np.where(columns["backtest_folds"] > 0, 0.0, 0.5), columns["backtest_expected_oom_kills"]
    over = np.clip((columns["backtest_cpu_time_above_request"] / columns["allowed_time_above"] - 1) / 9, 0, 1)
    score = risk_score(
        RiskFactors(
            cpu_cut=_cut(current.cpu_request_cores, columns["cpu_request_cores"]),
            memory_cut=_cut(current.memory_request_bytes, columns["memory_request_bytes"]),
            uncertainty=1 - columns["confidence"],
            memory_above_limit=np.where(np.isnan(kills), unknown, np.clip(kills, 0, 1)),
            cpu_above_request=np.where(np.isnan(over), unknown, over),
            killed=(~np.isnan(columns["oom_limit_bytes"])).astype(np.float64),
            throttled=is_lower_bound(columns["recent_throttled_fraction"]),
            leaking=columns["is_leak"].astype(np.float64),
            single=(current.replicas <= 1).astype(np.float64),
        )
    )
    status = columns["status"]
    return np.where(status == WITHHELD, np.nan, np.where(status == UNCHANGED, 0.0, score))


def _cut(now: Floats, then: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1 - then / now
    return np.where(np.isnan(now), 0.0, np.clip(share, 0, 1))


def with_amounts(
    columns: Columns, amounts: Floats, changed: NDArray[np.bool_], current: CurrentResources, prices: PriceColumns
) -> dict[str, NDArray[Any]]:
    """Return the columns with other recommended amounts in the `changed` rows, shape (rows, 4), and status, savings and risk as they follow.

    A row that is left with what it has now is unchanged; one that differs is recommended. Withheld rows must not be among them.
    """
    now = now_of(current)
    found = dict(columns) | {name: np.where(changed, amounts[:, i], columns[name]) for i, name in enumerate(AMOUNTS)}
    same = np.logical_and.reduce([(found[name] == now[name]) | (np.isnan(found[name]) & np.isnan(now[name])) for name in AMOUNTS])
    found["status"] = np.where(changed, np.where(same, UNCHANGED, RECOMMENDED), columns["status"]).astype(np.int8)
    found["savings_usd_per_month"] = np.where(changed, savings_of(found, current, prices), columns["savings_usd_per_month"])
    found["risk_score"] = np.where(changed, risk_of(found, current), columns["risk_score"])
    return found
