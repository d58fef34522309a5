"""What a rule did to the rows of a table, as it is kept and told. Light: what the API's routes import."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from upid.domain.reasons import rule_text
from upid.engine.rules.catalogue import BY_NAME, TARGETS
from upid.services.rules.explaining import explained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARRAYS: Final = ("rows", "unknown", "values", "before", "after")
COUNTS: Final = ("in_scope", "fired", "inconclusive", "changed")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule found in a table, and did.

    Attributes
    ----------
    rule : mapping
        Its id, version, name, category, severity, then and explanation.
    features : sequence of str
        What it reads.
    counts : mapping
        Rows by COUNTS: within its scope, of these fired and inconclusive, and changed.
    texts : mapping
        Of each feature that is a text, the texts that its values are positions in.
    rows : ndarray of int64, shape (hits,)
        Where it fired, and of a veto also where that can not be told; ascending.
    unknown : ndarray of bool, shape (hits,)
        Where it can not be told.
    values : ndarray of float64, shape (hits, len(features))
        The features there, NaN = missing.
    before, after : ndarray of float64, shape (hits, 4)
        Recommended amounts in the order of TARGETS, NaN = not set; alike where it changed nothing. [cores], [bytes]
    """

    rule: Mapping[str, Any]
    features: Sequence[str]
    counts: Mapping[str, int]
    texts: Mapping[str, Sequence[str]]
    rows: NDArray[np.int64]
    unknown: NDArray[np.bool_]
    values: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    def meta(self) -> dict[str, Any]:
        """Return all but the arrays, as JSON."""
        return {"rule": dict(self.rule), "features": list(self.features), "counts": dict(self.counts), "texts": dict(self.texts)}


def verdicts(rulings: Sequence[Ruling]) -> dict[int, list[dict[str, Any]]]:
    """Return, by row, what each rule that has something to say there did, in the order of their ids.

    Keys: id, version, name, category, severity, kind, outcome (`fired`, or `inconclusive` of a veto), action, tag, explanation, features {name: value,
    None = missing}, changes [{target, before, after}], None = not set.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for ruling in rulings:
        for place, row in enumerate(ruling.rows.tolist()):
            found.setdefault(row, []).append(_verdict(ruling, place))
    return found


def _verdict(ruling: Ruling, place: int) -> dict[str, Any]:
    rule, then = ruling.rule, ruling.rule["then"]
    values = {name: _value(ruling, name, value) for name, value in zip(ruling.features, ruling.values[place].tolist(), strict=True)}
    changes = [
        {"target": target, "before": amount(target, before), "after": amount(target, after)}
        for target, before, after in zip(TARGETS, ruling.before[place].tolist(), ruling.after[place].tolist(), strict=True)
        if differs(before, after)
    ]
    return {
        **{name: rule[name] for name in ("id", "version", "name", "category", "severity")}, "kind": then["kind"],
        "outcome": "inconclusive" if ruling.unknown[place] else "fired", "action": then["action"] or None,
        "tag": then["tag"] or None if then["kind"] == "tag" else None, "explanation": explained(rule["explanation"], values.get), "features": values,
        "changes": changes,
    }  # fmt: skip


def _value(ruling: Ruling, name: str, value: float) -> Any:
    if math.isnan(value):
        return None
    if name in ruling.texts:
        return ruling.texts[name][int(value)]
    kind = BY_NAME[name].kind
    if kind == "double":
        return float(f"{value:.12g}") if math.isfinite(value) else None
    return bool(value) if kind == "bool" else int(value)


def differs(before: float, after: float) -> bool:
    """Tell whether an amount changes; not set (NaN) is equal to not set."""
    return before != after and not (math.isnan(before) and math.isnan(after))


def amount(target: str, value: float) -> float | int | None:
    """Return an amount as it is shown: cores to the nanocore, whole bytes, None for one that is not set."""
    if math.isnan(value):
        return None
    return round(value, 9) if target.endswith("_cores") else round(value)


def reasons_of(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a reason ({code, text, values}) for each verdict that changed something."""
    return [_reason(each) for each in told if each["changes"]]


def _reason(verdict: Mapping[str, Any]) -> dict[str, Any]:
    code = "rule_inconclusive" if verdict["outcome"] == "inconclusive" else f"rule_{verdict['kind']}"
    changed = {f"{side}_{change['target']}": change[side] for change in verdict["changes"] for side in ("before", "after")}
    text = rule_text(code, verdict["id"], verdict["version"], verdict["changes"])
    return {"code": code, "text": text, "values": {"rule": verdict["id"], "version": verdict["version"], **changed}}


def picked(ruling: Ruling, rows: Sequence[int]) -> Ruling:
    """Return a ruling of some rows of the table, in this order, as if they were all of it; its counts stay those of all rows."""
    import numpy as np  # noqa: PLC0415 API groups import this module and must start without numpy

    places = ruling.rows.searchsorted(rows)
    there = np.flatnonzero(np.isin(rows, ruling.rows))
    arrays = {name: getattr(ruling, name)[places[there]] for name in ARRAYS}
    return replace(ruling, **(arrays | {"rows": there}))


def add_up(parts: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return the rules of an analysis from those of its shards, with their counts added up, in the order of their ids."""
    found: dict[str, dict[str, Any]] = {}
    for each in (rule for part in parts for rule in part):
        before = found.get(each["id"])
        found[each["id"]] = dict(each) if before is None else before | {name: before[name] + each[name] for name in COUNTS}
    return [found[name] for name in sorted(found)]


def counted(rulings: Sequence[Ruling]) -> list[dict[str, Any]]:
    """Return each rule with its counts: id, version, name, category, severity, kind, and COUNTS."""
    return [
        {name: ruling.rule[name] for name in ("id", "version", "name", "category", "severity")} | {"kind": ruling.rule["then"]["kind"]} | dict(ruling.counts)
        for ruling in rulings
    ]  # fmt: skip
