"""Totals of tables of recommendations: requests of containers, numbers of pods of workloads, sizes of volumes, and what each of them saves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from upid.services.entries import number, size
from upid.services.sizing import Table, workload_index

Summary = dict[str, Any]
COUNTS: Final = ("workloads", "containers", "recommended", "unchanged", "withheld")
AMOUNTS: Final = ("cpu_request_cores", "memory_request_bytes")
STATUSES: Final = ("recommended", "unchanged", "withheld")
SCALING_COUNTS: Final = (*STATUSES, "advised")
STORAGE_COUNTS: Final = ("claims", *STATUSES, "current_bytes", "recommended_bytes")


def summary(table: Table) -> Summary:
    """Return totals of a table.

    Keys: workloads, containers, recommended, unchanged, withheld, withheld_by_code {code: count}, savings_usd_per_month, savings_unknown (of containers),
    requests {current, recommended}, each {cpu_request_cores, memory_request_bytes}: times replicas over the rows, what is not set counted as 0; scaling
    {recommended, unchanged, withheld (of autoscalers), advised, savings_usd_per_month, savings_unknown}: advice, being instead of smaller requests, saves
    nothing here; storage {claims, recommended, unchanged, withheld, current_bytes, recommended_bytes, savings_usd_per_month, savings_unknown};
    total_savings_usd_per_month of all three. A saving that is not known counts as 0, and in `savings_unknown`.
    """
    import numpy as np  # noqa: PLC0415 API groups must start without numpy

    from upid.engine.rightsizing.columns import WITHHELD_CODES  # noqa: PLC0415 for the same reason

    rows, columns = list(table.rows), table.columns
    status, codes, savings = columns["status"], columns["withheld_code"], columns["savings_usd_per_month"]
    replicas = np.array([row.replicas for row in rows], dtype=np.float64)
    now = {name: np.array([getattr(row.resources, name) or 0.0 for row in rows]) for name in AMOUNTS}
    counted = {name: int((status == position).sum()) for position, name in enumerate(STATUSES)}
    scaling, storage = _scaling(table), _storage([volume for claims in table.volumes.values() for volume in claims])
    saved = number(np.nansum(savings), digits=2)
    return {
        "workloads": len({row.uid for row in rows}), "containers": len(rows), **counted,
        "withheld_by_code": {code: count for i, code in enumerate(WITHHELD_CODES) if (count := int((codes == i).sum()))},
        "savings_usd_per_month": saved, "savings_unknown": int(np.isnan(savings).sum()),
        "requests": {
            "current": {name: size(name, (now[name] * replicas).sum()) for name in AMOUNTS},
            "recommended": {name: size(name, np.nansum(columns[name] * replicas)) for name in AMOUNTS},
        },
        "scaling": scaling, "storage": storage, "total_savings_usd_per_month": _total(saved, scaling, storage),
    }  # fmt: skip


def merge_summaries(parts: Iterable[Mapping[str, Any]]) -> Summary:
    """Return the summary of several tables that share no workload from their summaries; of none, that of an empty table.

    A summary of an older version tells nothing of autoscalers and volumes: it adds none.
    """
    given = list(parts)
    codes: Counter[str] = Counter()
    for part in given:
        codes.update(part["withheld_by_code"])
    requests = {when: {name: [part["requests"][when][name] for part in given] for name in AMOUNTS} for when in ("current", "recommended")}
    money = _money(given)
    scaling, storage = (
        _sums([told for part in given if (told := part.get(name))], counts)
        for name, counts in (("scaling", SCALING_COUNTS), ("storage", STORAGE_COUNTS))
    )
    return {
        **{name: sum(part[name] for part in given) for name in COUNTS}, "withheld_by_code": dict(sorted(codes.items())), **money,
        "requests": {when: {name: size(name, math.fsum(amounts[name])) for name in AMOUNTS} for when, amounts in requests.items()},
        "scaling": scaling, "storage": storage, "total_savings_usd_per_month": _total(money["savings_usd_per_month"], scaling, storage),
    }  # fmt: skip


def _sums(parts: Sequence[Mapping[str, Any]], counts: Sequence[str]) -> Summary:
    return {name: sum(part[name] for part in parts) for name in counts} | _money(parts)


def _money(parts: Sequence[Mapping[str, Any]]) -> Summary:
    saved = round(math.fsum(part["savings_usd_per_month"] for part in parts), 2)
    return {"savings_usd_per_month": saved, "savings_unknown": sum(part["savings_unknown"] for part in parts)}


def _total(requests: Any, scaling: Mapping[str, Any], storage: Mapping[str, Any]) -> float:
    return round(math.fsum((requests, scaling["savings_usd_per_month"], storage["savings_usd_per_month"])), 2)


def _scaling(table: Table) -> Summary:
    """Return totals over workloads, each of which stands on all of its rows."""
    import numpy as np  # noqa: PLC0415 as above

    from upid.engine.rightsizing.columns import RECOMMENDED, SCALING_KINDS  # noqa: PLC0415 as above

    first = np.unique(workload_index(table.rows), return_index=True)[1]
    kind, status, savings = (
        np.asarray(table.columns.get(f"scaling_{name}", np.zeros(len(table.rows))))[first]
        for name in ("kind", "status", "savings_usd_per_month")
    )
    scaled, advised = (kind == SCALING_KINDS.index(name) for name in ("autoscaler", "advice"))
    counted = {name: int((scaled & (status == position)).sum()) for position, name in enumerate(STATUSES)}
    return {
        **counted, "advised": int((advised & (status == RECOMMENDED)).sum()),
        "savings_usd_per_month": number(np.nansum(savings[scaled].astype(np.float64)), digits=2), "savings_unknown": int(np.isnan(savings[scaled]).sum()),
    }  # fmt: skip


def _storage(volumes: Sequence[Mapping[str, Any]]) -> Summary:
    savings = [volume["savings_usd_per_month"] for volume in volumes]
    counted = {name: sum(volume["status"] == name for volume in volumes) for name in STATUSES}
    return {
        "claims": len(volumes), **counted, **{name: sum(volume[name] or 0 for volume in volumes) for name in ("current_bytes", "recommended_bytes")},
        "savings_usd_per_month": round(math.fsum(saved for saved in savings if saved is not None), 2), "savings_unknown": savings.count(None),
    }  # fmt: skip
