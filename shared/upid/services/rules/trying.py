"""A rule on rows: where it fires, where that can not be told and why, what would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from upid.domain.errors import InvalidRequestError
from upid.engine.rules.catalogue import BY_NAME, Feature
from upid.engine.rules.columns import BLANK, Column, FeatureTable, feature_table
from upid.engine.rules.expressions import fires
from upid.services.entries import number
from upid.services.features import ShardFeatures
from upid.services.rules.checking import Checked
from upid.services.rules.explaining import explained, placeholders
from upid.services.rules.service import Trial

DTYPES: Final = {"bool": np.bool_, "int": np.int64, "double": np.float64, "string": np.str_}
TARGETS: Final = {
    "cpu_request_cores": "cpu.request", "cpu_limit_cores": "cpu.limit", "memory_request_bytes": "memory.request", "memory_limit_bytes": "memory.limit",
}  # fmt: skip


class Subjects(NamedTuple):
    """Rows to try a rule on: who each is, its features, its workload's labels."""

    names: Sequence[Mapping[str, Any]]
    table: FeatureTable
    labels: Sequence[Mapping[str, str]]


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
    return Subjects([{"row": i} for i in range(len(rows))], feature_table(len(rows), columns), [row.get("labels") or {} for row in rows])


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
        self.add(Subjects(names, shard.features, [dict(workload.labels) for workload in shard.workloads]))

    def add(self, subjects: Subjects) -> None:
        """Try the rule on rows."""
        table = subjects.table
        inside = self._inside(subjects)
        firing, unknown = fires(self.checked.node, table)
        firing, unknown = firing & inside, unknown & inside
        self.counts.update(rows=table.rows, in_scope=int(inside.sum()), fired=int(firing.sum()), inconclusive=int(unknown.sum()))
        for name in self.checked.features:
            self.missing[name] += int((table.columns[name].errors & unknown).sum())
        for index in np.flatnonzero(firing)[: max(self.trial.limit - len(self.fired), 0)]:
            self.fired.append(self._hit(subjects, int(index)))
        for index in np.flatnonzero(unknown)[: max(self.trial.limit - len(self.inconclusive), 0)]:
            gone = [name for name in self.checked.features if table.columns[name].errors[index]]
            self.inconclusive.append(_named(subjects, int(index)) | {"missing": gone})

    def result(self) -> dict[str, Any]:
        """Return what was found."""
        counts = {name: self.counts[name] for name in ("rows", "in_scope", "fired", "inconclusive")}
        missing = {name: count for name, count in sorted(self.missing.items()) if count}
        shown = {"fired_rows": self.fired, "inconclusive_rows": self.inconclusive}
        whole = len(self.fired) == counts["fired"] and len(self.inconclusive) == counts["inconclusive"]
        return {"counts": counts, "missing_features": missing, **shown, "is_complete": whole}

    def _inside(self, subjects: Subjects) -> np.ndarray[Any, np.dtype[np.bool_]]:
        scope, table = self.rule["scope"], subjects.table
        inside = np.full(table.rows, not scope["clusters"] or self.trial.cluster_id is None or self.trial.cluster_id in scope["clusters"])
        if scope["namespaces"]:
            inside &= np.isin(table.columns["workload.namespace"].values, list(scope["namespaces"]))
        if scope["labels"]:
            wanted = scope["labels"].items()
            inside &= np.array([wanted <= labels.items() for labels in subjects.labels], dtype=bool)
        return inside

    def _hit(self, subjects: Subjects, index: int) -> dict[str, Any]:
        def value_of(name: str) -> Any:
            return _value(subjects.table, name, index)

        used = sorted({*self.checked.features, *placeholders(self.rule["explanation"])})
        then = self.rule["then"]
        return _named(subjects, index) | {
            "features": {name: value_of(name) for name in used}, "explanation": explained(self.rule["explanation"], value_of),
            "action": then["action"] or None, "tag": then["tag"] or None if then["kind"] == "tag" else None,
            "changes": changes(then, subjects.table, index),
        }  # fmt: skip


def _named(subjects: Subjects, index: int) -> dict[str, Any]:
    blank = {"row": None, "namespace": None, "kind": None, "name": None, "uid": None, "container": None}
    given = {"namespace": "workload.namespace", "kind": "workload.kind", "name": "workload.name", "container": "container.name"}
    return blank | {name: _value(subjects.table, feature, index) for name, feature in given.items()} | dict(subjects.names[index])


def _value(table: FeatureTable, name: str, index: int) -> Any:
    column = table.columns[name]
    if column.errors[index]:
        return None
    value = column.values[index].item()
    return number(value) if isinstance(value, float) else value


def changes(then: Mapping[str, Any], table: FeatureTable, index: int) -> list[dict[str, Any]]:
    """Return what of the recommendation would differ: target, recommended before (None = not set), and after."""
    if then["kind"] not in {"adjustment", "veto"}:
        return []
    found = []
    for target, feature in TARGETS.items():
        now, before = _value(table, feature, index), _value(table, f"recommended.{feature.replace('.', '_')}", index)
        after = _adjusted(then, before) if then["target"] == target else _vetoed(then, target, now, before)
        if after != before:
            found.append({"target": target, "current": now, "recommended": before, "after": after})
    return found


def _adjusted(then: Mapping[str, Any], before: float | None) -> float | None:
    if then["kind"] != "adjustment":
        return before
    if then["unset"]:
        return None
    value = None if before is None else before * then["factor"]
    if then["minimum"] is not None:
        value = max(value or 0.0, then["minimum"])
    return value if then["maximum"] is None or value is None else min(value, then["maximum"])


def _vetoed(then: Mapping[str, Any], target: str, now: float | None, before: float | None) -> float | None:
    if then["kind"] != "veto":
        return before
    resource, _, only = then["of"].rpartition("_")
    resource = resource or (then["of"] if then["of"] in {"cpu", "memory"} else "")
    if resource and not target.startswith(resource):
        return before
    lowers = only == "decreases"
    if not lowers:
        return now
    return now if now is not None and before is not None and before < now else before
