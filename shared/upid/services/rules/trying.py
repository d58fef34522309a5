"""A rule on rows: where it fires, where that can not be told and why, what would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import InvalidRequestError
from upid.engine.rightsizing.options import Options
from upid.engine.rules.catalogue import BY_NAME, TARGETS, Feature
from upid.engine.rules.columns import BLANK, Column, FeatureTable, feature_table
from upid.engine.rules.effects import Proposal, Veto, applied
from upid.engine.rules.expressions import fires
from upid.engine.rules.proposals import proposal_of, proposal_of_features
from upid.services.entries import number
from upid.services.features import ShardFeatures
from upid.services.rules.active import effect_of
from upid.services.rules.checking import Checked
from upid.services.rules.explaining import explained, placeholders
from upid.services.rules.ruling import inside_of
from upid.services.rules.rulings import amount, differs
from upid.services.rules.service import Trial

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
DTYPES: Final = {"bool": np.bool_, "int": np.int64, "double": np.float64, "string": np.str_}


class Subjects(NamedTuple):
    """Rows to try a rule on: who each is, its features, its workload's labels, what sizing says of it."""

    names: Sequence[Mapping[str, Any]]
    table: FeatureTable
    labels: Sequence[Mapping[str, str]]
    proposal: Proposal


def from_rows(rows: Sequence[Mapping[str, Any]]) -> Subjects:
    """Return given rows ({features: {name: value or None}, labels}); InvalidRequestError for a feature that there is not or a value of another type."""
    faults = [
        {"pointer": f"#/rows/{i}/features/{name}", "detail": detail}
        for i, row in enumerate(rows)
        for name, value in row["features"].items()
        if (detail := _fault(name, value))
    ]
    if faults:
        raise InvalidRequestError(faults[:100])
    columns = {name: _column([row["features"].get(name) for row in rows], BY_NAME[name]) for row in rows for name in row["features"]}
    table = feature_table(len(rows), columns)
    labels = [row.get("labels") or {} for row in rows]
    return Subjects([{"row": i} for i in range(len(rows))], table, labels, proposal_of_features(table, Options()))


def _fault(name: str, value: Any) -> str | None:
    feature = BY_NAME.get(name)
    if feature is None:
        return "There is no such feature."
    if value is None:
        return None
    fits = {
        "bool": isinstance(value, bool), "string": isinstance(value, str),
        "int": isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63,
        "double": isinstance(value, int | float) and not isinstance(value, bool),
    }  # fmt: skip
    return None if fits[feature.kind] else f"{name} is of type {feature.kind}."


def _column(values: Sequence[Any], feature: Feature) -> Column:
    missing = np.array([value is None for value in values], dtype=bool)
    blank = BLANK[feature.kind].item()
    return Column(np.array([blank if value is None else value for value in values], dtype=DTYPES[feature.kind]), missing)


@dataclass(slots=True)
class Trying:
    """Tries one rule, part by part."""

    rule: Mapping[str, Any]
    checked: Checked
    trial: Trial
    counts: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    fired: list[dict[str, Any]] = field(default_factory=list)
    inconclusive: list[dict[str, Any]] = field(default_factory=list)

    def add_shard(self, shard: ShardFeatures) -> None:
        """Try the rule on a shard of the cluster."""
        names = [{"namespace": r.namespace, "kind": r.kind, "name": r.name, "uid": r.uid, "container": r.container} for r in shard.rows]
        proposal = proposal_of(shard.table.columns, shard.current)
        self.add(Subjects(names, shard.features, [dict(workload.labels) for workload in shard.workloads], proposal))

    def add(self, subjects: Subjects) -> None:
        """Try the rule on rows."""
        table = subjects.table
        inside = self._inside(subjects)
        firing, unknown = fires(self.checked.node, table)
        firing, unknown = firing & inside, unknown & inside
        effect = effect_of(self.rule["then"])
        acting = firing | unknown if isinstance(effect, Veto) else firing
        _, (step,) = applied(subjects.proposal, [(effect, acting)], Options())
        changes = {int(row): (before, after) for row, before, after in zip(*step, strict=True)}
        self.counts.update(rows=table.rows, in_scope=int(inside.sum()), fired=int(firing.sum()), inconclusive=int(unknown.sum()))
        for name in self.checked.features:
            self.missing[name] += int((table.columns[name].errors & unknown).sum())
        for index in np.flatnonzero(firing)[: max(self.trial.limit - len(self.fired), 0)]:
            self.fired.append(self._hit(subjects, int(index)) | {"changes": _changes(subjects, int(index), changes)})
        for index in np.flatnonzero(unknown)[: max(self.trial.limit - len(self.inconclusive), 0)]:
            gone = [name for name in self.checked.features if table.columns[name].errors[index]]
            told = {"missing": gone, "changes": _changes(subjects, int(index), changes)}
            self.inconclusive.append(_named(subjects, int(index)) | told)

    def result(self) -> dict[str, Any]:
        """Return what was found."""
        counts = {name: self.counts[name] for name in ("rows", "in_scope", "fired", "inconclusive")}
        missing = {name: count for name, count in sorted(self.missing.items()) if count}
        shown = {"fired_rows": self.fired, "inconclusive_rows": self.inconclusive}
        whole = len(self.fired) == counts["fired"] and len(self.inconclusive) == counts["inconclusive"]
        return {"counts": counts, "missing_features": missing, **shown, "is_complete": whole}

    def _inside(self, subjects: Subjects) -> Bools:
        scope, cluster = self.rule["scope"], self.trial.cluster_id
        if scope["clusters"] and cluster is not None and cluster not in scope["clusters"]:
            return np.zeros(subjects.table.rows, dtype=bool)
        return inside_of(scope, subjects.table, subjects.labels)

    def _hit(self, subjects: Subjects, index: int) -> dict[str, Any]:
        def value_of(name: str) -> Any:
            """Return a feature of the row."""
            return _value(subjects.table, name, index)

        used = sorted({*self.checked.features, *placeholders(self.rule["explanation"])})
        then = self.rule["then"]
        return _named(subjects, index) | {
            "features": {name: value_of(name) for name in used}, "explanation": explained(self.rule["explanation"], value_of),
            "action": then["action"] or None, "tag": then["tag"] or None if then["kind"] == "tag" else None,
        }  # fmt: skip


def _named(subjects: Subjects, index: int) -> dict[str, Any]:
    blank = {"row": None, "namespace": None, "kind": None, "name": None, "uid": None, "container": None}
    given = {"namespace": "workload.namespace", "kind": "workload.kind", "name": "workload.name", "container": "container.name"}
    return blank | {name: _value(subjects.table, feature, index) for name, feature in given.items()} | dict(subjects.names[index])


def _changes(subjects: Subjects, index: int, steps: Mapping[int, tuple[Floats, Floats]]) -> list[dict[str, Any]]:
    """Return what of the recommendation would differ: target, current, recommended before (None = not set), and after."""
    if index not in steps:
        return []
    now = subjects.proposal.current[index].tolist()
    told = zip(TARGETS, now, *(side.tolist() for side in steps[index]), strict=True)
    return [
        {"target": target, "current": amount(target, current), "recommended": amount(target, before), "after": amount(target, after)}
        for target, current, before, after in told
        if differs(before, after)
    ]


def _value(table: FeatureTable, name: str, index: int) -> Any:
    column = table.columns[name]
    if column.errors[index]:
        return None
    value = column.values[index].item()
    return number(value) if isinstance(value, float) else value
