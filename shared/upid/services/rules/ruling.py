"""Rules applied to a table of recommendations: what each found and changed, and the table as they leave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.domain.selectors import parse_selector
from upid.engine.rightsizing.consequences import scaling_savings, with_amounts
from upid.engine.rightsizing.options import Options
from upid.engine.rules.columns import FeatureTable
from upid.engine.rules.effects import Step, Veto, applied, changed_rows
from upid.engine.rules.expressions import fires
from upid.engine.rules.proposals import proposal_of
from upid.services.features import ShardFeatures
from upid.services.rules.active import ActiveRule
from upid.services.rules.rulings import Ruling
from upid.services.sizing import Table, workload_index

Bools = NDArray[np.bool_]


def ruled(shard: ShardFeatures, rules: Sequence[ActiveRule], options: Options) -> Table:
    """Return the shard's table with the rules applied: amounts, status, savings and risk as they leave them, and a ruling of each rule.

    Conditions read what sizing recommends, before any rule. A veto also acts where its condition can not be told: a safety rule that is in doubt
    keeps what is set now. No other rule acts there.
    """
    labels = [dict(workload.labels) for workload in shard.workloads]
    inside = [inside_of(rule.scope, shard.features, labels) for rule in rules]
    told = [
        (fired & part, unknown & part)
        for rule, part in zip(rules, inside, strict=True)
        for fired, unknown in (fires(rule.node, shard.features),)
    ]
    acting = [fired | unknown if isinstance(rule.effect, Veto) else fired for rule, (fired, unknown) in zip(rules, told, strict=True)]
    proposal = proposal_of(shard.table.columns, shard.current)
    withheld = proposal.is_fixed.all(axis=1)
    amounts, steps = applied(proposal, [(rule.effect, mask & ~withheld) for rule, mask in zip(rules, acting, strict=True)], options)
    changed = changed_rows(proposal.recommended, amounts)
    columns = dict(shard.table.columns)
    if changed.any():
        columns = with_amounts(columns, amounts, changed, shard.current, shard.prices)
        columns["scaling_savings_usd_per_month"] = scaling_savings(columns, shard.current, shard.prices, workload_index(shard.table.rows))
    rulings = [
        _ruling(rule, shard.features, (fired, unknown), int(part.sum()), step)
        for rule, part, (fired, unknown), step in zip(rules, inside, told, steps, strict=True)
    ]
    return replace(shard.table, columns=columns, rulings=rulings)


def inside_of(scope: Mapping[str, Any], table: FeatureTable, labels: Sequence[Mapping[str, str]]) -> Bools:
    """Return which rows are of the namespaces and have labels as a scope wants them, shape (rows,). Its clusters are not looked at."""
    inside = np.ones(table.rows, dtype=bool)
    if scope["namespaces"]:
        inside &= np.isin(table.columns["workload.namespace"].values, list(scope["namespaces"]))
    if scope["labels"]:
        wanted = scope["labels"].items()
        inside &= np.array([wanted <= own.items() for own in labels], dtype=bool)
    if scope.get("selector"):  # rules from before there were selectors have none
        matches = parse_selector(scope["selector"])
        inside &= np.array([matches(own) for own in labels], dtype=bool)
    return inside


def _ruling(rule: ActiveRule, table: FeatureTable, told: tuple[Bools, Bools], in_scope: int, step: Step) -> Ruling:
    fired, unknown = told
    rows = np.flatnonzero(fired | unknown if isinstance(rule.effect, Veto) else fired)
    before = np.full((len(rows), 4), np.nan)
    after = before.copy()
    places = np.searchsorted(rows, step.rows)
    before[places], after[places] = step.before, step.after
    features = rule.features
    values, texts = _values(table, features, rows)
    counts = {"in_scope": in_scope, "fired": int(fired.sum()), "inconclusive": int(unknown.sum()), "changed": len(step.rows)}
    about = {name: getattr(rule, name) for name in ("id", "version", "name", "category", "severity", "then", "explanation")}
    return Ruling(about, features, counts, texts, rows, unknown[rows], values, before, after)


def _values(table: FeatureTable, features: Sequence[str], rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], dict[str, list[str]]]:
    """Return the features of rows as numbers, shape (len(rows), len(features)), NaN = missing, and the texts that those of texts are positions in."""
    values = np.full((len(rows), len(features)), np.nan)
    texts: dict[str, list[str]] = {}
    for place, name in enumerate(features):
        column = table.columns[name]
        chosen, missing = column.values[rows], column.errors[rows]
        if chosen.dtype.kind == "U":
            found, chosen = np.unique(chosen, return_inverse=True)
            texts[name] = found.tolist()
        values[:, place] = np.where(missing, np.nan, chosen.astype(np.float64))
    return values, texts
