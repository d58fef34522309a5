"""Proposals: what sizing says of rows as rules may change it, from an assessment's columns or from features alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.cost.savings import reserved
from upid.engine.rightsizing.advice import is_guaranteed
from upid.engine.rightsizing.columns import CODES, WITHHELD
from upid.engine.rightsizing.cpu import is_lower_bound
from upid.engine.rightsizing.current import CurrentResources
from upid.engine.rightsizing.options import Options
from upid.engine.rules.catalogue import TARGETS
from upid.engine.rules.columns import FeatureTable
from upid.engine.rules.effects import Proposal

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
REQUEST_FIXED = {"cpu": ("cpu_no_data", "cpu_scaled_by_hpa"), "memory": ("memory_no_data", "memory_scaled_by_hpa", "memory_leak")}
LIMIT_FIXED = {"cpu": ("cpu_no_data",), "memory": ("memory_no_data", "memory_leak")}


def proposal_of(columns: Mapping[str, NDArray[Any]], current: CurrentResources) -> Proposal:
    """Return the proposal of an assessment (`upid.engine.rightsizing.columns`) of rows that have this now.

    Raises
    ------
    ValueError
        If the rows differ.
    """
    now = np.column_stack([getattr(current, name) for name in TARGETS])
    then = np.column_stack([np.asarray(columns[name], np.float64) for name in TARGETS])
    if now.shape != then.shape:
        raise ValueError(f"{len(now)} rows have resources and {len(then)} a recommendation.")
    throttled = is_lower_bound(columns["recent_throttled_fraction"]) * reserved(now[:, 0], now[:, 1])
    cpu_least = np.fmax(np.fmin(columns["cpu_floor_cores"], reserved(now[:, 0], now[:, 1])), throttled)
    memory_least = np.fmax(columns["oom_floor_bytes"], columns["heap_bytes"])
    withheld = columns["status"] == WITHHELD
    fixed = [_told(columns, codes[resource]) for resource in ("cpu", "memory") for codes in (REQUEST_FIXED, LIMIT_FIXED)]
    return Proposal(
        current=now, recommended=then, least=_least(then, cpu_least, memory_least),
        most=_most(current.largest_node_cores, current.largest_node_bytes),
        is_fixed=np.column_stack(fixed) | withheld[:, None], is_guaranteed=is_guaranteed(current),
    )  # fmt: skip


def proposal_of_features(table: FeatureTable, options: Options) -> Proposal:
    """Return the proposal that the features of rows tell; what is missing is not set, and holds nothing back."""

    def read(name: str) -> Floats:
        """Return a feature, NaN = missing."""
        column = table.columns[name]
        return np.where(column.errors, np.nan, column.values.astype(np.float64))

    names = ("cpu_request", "cpu_limit", "memory_request", "memory_limit")
    now = np.column_stack([read(name.replace("_", ".")) for name in names])
    then = np.column_stack([read(f"recommended.{name}") for name in names])
    scaled = ~np.isnan(np.column_stack([read("hpa.cpu_target"), read("hpa.memory_target")]))
    never = np.zeros(table.rows, dtype=bool)
    cpu_least = np.fmin(options.cpu_floor_cores, reserved(now[:, 0], now[:, 1]))
    return Proposal(
        current=now, recommended=then, least=_least(then, cpu_least, read("memory.heap")), most=_most(read("nodes.largest_cpu"), read("nodes.largest_memory")),
        is_fixed=np.column_stack([scaled[:, 0], never, scaled[:, 1], never]), is_guaranteed=(now[:, 0] == now[:, 1]) & (now[:, 2] == now[:, 3]),
    )  # fmt: skip


def _told(columns: Mapping[str, NDArray[Any]], codes: tuple[str, ...]) -> Bools:
    return np.asarray(columns["reasons"][:, [CODES.index(code) for code in codes]].any(axis=1))


def _least(then: Floats, cpu: Floats, memory: Floats) -> Floats:
    """Return what rules never go below: floors for CPU; for memory also all that sizing asks for, and no limit where it sets none."""
    limit = np.where(np.isnan(then[:, 3]), np.inf, then[:, 3])
    return np.column_stack([cpu, np.full(len(then), np.nan), np.fmax(reserved(then[:, 2], then[:, 3]), memory), np.fmax(limit, memory)])


def _most(cores: Floats, memory_bytes: Floats) -> Floats:
    return np.column_stack([cores, np.full(len(cores), np.nan), memory_bytes, np.full(len(cores), np.nan)])
