"""Storage of workloads: what their PersistentVolumeClaims hold, and how large they must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.domain.errors import UnavailableError
from upid.domain.inventory import Claim, Inventory, Node
from upid.domain.reasons import text_of
from upid.engine.rightsizing.columns import NOT_WITHHELD, STATUSES, VOLUME_CODES, VOLUME_REASONS
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.volumes import TREND_DAYS, VolumeUse, size_volumes
from upid.ports.metrics_source import MetricsSource, NamespaceUsage, Window
from upid.ports.prices import Prices
from upid.ports.usage_history import MetricChunk
from upid.services.attribution import Owners, attribute_family
from upid.services.entries import number, size

HISTORY_SECONDS: Final = TREND_DAYS * 86400.0
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """Claims and what each of them holds, in the same order."""

    claims: Sequence[Claim]
    use: VolumeUse


def claim_use(claims: Sequence[Claim], chunks: Iterable[MetricChunk]) -> ClaimUse:
    """Return what claims hold by chunks of family `storage`, oldest first; what no chunk has is NaN.

    A volume that several pods mount is the same volume: its largest sample counts. Its size is what the API says that it has, else what it asks for, else
    what was last measured of it. Chunks of another step than the newest's are left out.
    """
    held = list(chunks)
    held = [chunk for chunk in held if chunk.step_seconds == held[-1].step_seconds]
    if not held:
        return ClaimUse(claims, VolumeUse(0, 1, np.full((len(claims), 0), np.nan), _sizes(claims, np.full((len(claims), 0), np.nan))))
    start, end, step = held[0].start, max(chunk.end for chunk in held), held[0].step_seconds
    place = {(claim.workload_uid, claim.name): i for i, claim in enumerate(claims)}
    used, capacity = (np.full((len(claims), (end - start) // step), np.nan) for _ in range(2))
    for chunk in held:
        series = [(i, row) for i, key in enumerate(chunk.keys) if (row := place.get((key.workload_uid, key.volume))) is not None]
        for into, name in ((used, "volume_used_bytes"), (capacity, "volume_capacity_bytes")):
            _add(into, chunk, series, name, (chunk.start - start) // step)
    return ClaimUse(claims, VolumeUse(start, step, used, _sizes(claims, capacity)))


def _add(into: NDArray[np.float64], chunk: MetricChunk, series: Sequence[tuple[int, int]], name: str, begin: int) -> None:
    values = chunk.samples.get(name)
    if values is not None and series:
        source, rows = np.array(series, dtype=np.int64).T
        part = into[:, begin : begin + values.shape[1]]
        np.fmax.at(part, rows, values[source])


def _sizes(claims: Sequence[Claim], capacity: NDArray[np.float64]) -> NDArray[np.float64]:
    told = [claim.capacity_bytes or claim.request_bytes or np.nan for claim in claims]
    known = ~np.isnan(capacity)
    if not capacity.shape[1]:
        return np.array(told, dtype=np.float64)
    last = capacity.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    # What the API says is what was provisioned; a file system tells a little less of it, so that it counts only where the API says nothing.
    return np.where(np.isnan(told), capacity[np.arange(len(claims)), last], told)


def asked_storage(
    source: MetricsSource, usage: NamespaceUsage | None, window: Window, namespaces: Sequence[str], inventory: Inventory
) -> tuple[ClaimUse | None, tuple[str, ...]]:
    """Return what the claims of some namespaces hold, asked of a source, and warnings; None where no workload there has a claim: nothing is asked then.

    Where the source does not tell, the claims have no samples, and a warning says why. `usage`: the namespaces' own, None where it could not be read.
    """
    names, uids = set(namespaces), {workload.uid for workload in inventory.workloads}
    claims = [claim for claim in inventory.claims if claim.namespace in names and claim.workload_uid in uids]
    if not claims:
        return None, ()
    if usage is None:
        return claim_use(claims, []), ()
    try:
        (family,) = source.families(namespaces, ["storage"], window)
    except UnavailableError as error:
        return claim_use(claims, []), (f"What volumes hold could not be read: {error.detail}",)
    warnings = (*family.warnings, family.refused) if family.refused else family.warnings
    chunk = attribute_family(family, window, Owners.of(inventory, usage.owners), inventory)
    return claim_use(claims, [chunk] if chunk.keys else []), tuple(warnings)


def volume_entries(held: ClaimUse, options: Options, prices: Prices, nodes: Sequence[Node]) -> dict[str, list[Entry]]:
    """Return what each workload's claims need, by the workload's uid, claims in order of their names. `nodes`: the cluster's, which tell its provider.

    Keys of an entry: claim, storage_class, status, withheld_code, current_bytes, recommended_bytes, used_bytes (largest), growth_bytes_per_day,
    days_until_full, confidence, reasons, savings_usd_per_month (of a larger one below 0; None = its price is not known).
    """
    types, region = {node.instance_type for node in nodes}, next((node.region for node in nodes if node.region), "")
    of_class = {name: prices.of_volume(name, types, region).usd_per_gib_month for name in {claim.storage_class for claim in held.claims}}
    usd_per_gib_month = np.array([of_class[claim.storage_class] for claim in held.claims], dtype=np.float64)
    columns = {name: column.tolist() for name, column in size_volumes(held.use, options, usd_per_gib_month).items()}
    found: dict[str, list[Entry]] = {}
    for i in sorted(range(len(held.claims)), key=lambda i: held.claims[i].name):
        found.setdefault(held.claims[i].workload_uid, []).append(_entry(held.claims[i], columns, i))
    return found


def _entry(claim: Claim, columns: Mapping[str, list[Any]], i: int) -> Entry:
    code = columns["volume_code"][i]
    return {
        "claim": claim.name, "storage_class": claim.storage_class, "status": STATUSES[columns["volume_status"][i]],
        "withheld_code": None if code == NOT_WITHHELD else VOLUME_CODES[code], "current_bytes": size("current_bytes", columns["volume_now_bytes"][i]),
        "recommended_bytes": size("recommended_bytes", columns["volume_size_bytes"][i]), "used_bytes": size("used_bytes", columns["volume_peak_bytes"][i]),
        "growth_bytes_per_day": number(columns["volume_growth_bytes_per_day"][i]),
        "days_until_full": number(columns["volume_days_until_full"][i], digits=2), "confidence": number(columns["volume_confidence"][i], digits=4),
        "reasons": _reasons(columns, i), "savings_usd_per_month": number(columns["volume_savings_usd_per_month"][i], digits=4),
    }  # fmt: skip


def _reasons(columns: Mapping[str, list[Any]], i: int) -> list[Entry]:
    told = []
    for reason, holds in zip(VOLUME_REASONS, columns["volume_reasons"][i], strict=True):
        if holds:
            values = {name: number(columns[name][i]) for name in reason.values}
            told.append({"code": reason.code, "text": text_of(reason.code, values), "values": values})
    return told
