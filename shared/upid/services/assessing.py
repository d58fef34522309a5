"""One shard of a cluster, loaded and sized: from its profile, or from every stored sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from upid.domain.inventory import Inventory
from upid.engine.rightsizing.folds import Fold, folded_with_tests
from upid.engine.rightsizing.options import Options, options_of
from upid.engine.usage.evidence import Evidence
from upid.engine.usage.exact import exact_evidence
from upid.engine.usage.profile import UsageProfile, empty_profile
from upid.engine.usage.resident_bins import bins_of
from upid.engine.usage.summarised import profile_evidence
from upid.ports.prices import Prices
from upid.ports.usage_history import HistoryScope, UsageHistory
from upid.services.profiles import Profiles
from upid.services.resident import resident_series
from upid.services.short_lived import samples_of_history
from upid.services.sizing import ContainerRow, Table, UsageWindow, align_profile, assess_rows, rows_of, workload_index
from upid.services.snapshots import Snapshots
from upid.services.volumes import HISTORY_SECONDS, ClaimUse, claim_use, volume_entries


class Scope(NamedTuple):
    """Which shard of which cluster. `history_seconds`: how far back the stored history is read."""

    tenant: str
    cluster_id: str
    shard: int
    history_seconds: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that sizing a shard reads."""

    inventory: Inventory
    rows: Sequence[ContainerRow]
    profile: UsageProfile
    evidence: Evidence
    window: UsageWindow
    folds: Sequence[Fold] = ()
    storage: ClaimUse | None = None


@dataclass(frozen=True, slots=True)
class Assessor:
    """Loads shards and sizes them."""

    snapshots: Snapshots
    profiles: Profiles
    history: UsageHistory
    prices: Prices

    def load(self, scope: Scope, request: Mapping[str, Any]) -> Loaded:
        """Return what a request's selection of a shard needs; NotFoundError before the first collection, ValueError where stored data is damaged."""
        inventory = self.snapshots.load_shard(scope.tenant, scope.cluster_id, scope.shard).inventory
        rows = rows_of(inventory)
        if request["namespaces"] or request["workloads"]:
            rows = [row for row in rows if is_selected(row, request)]
        if not rows:  # a cluster without workloads has no profile either
            profile = empty_profile(workload_index(rows))
            return Loaded(inventory, rows, profile, profile_evidence(profile), UsageWindow(0, 0, 0))
        loaded = (
            self._from_history(scope, inventory, rows) if request["source"] == "history" else self._from_profile(scope, inventory, rows)
        )
        return replace(loaded, storage=self._storage(scope, loaded))

    def assess(self, loaded: Loaded, options: Options) -> Table:
        """Return the table of recommendations of a loaded shard."""
        return assess_loaded(loaded, options, self.prices)

    def _storage(self, scope: Scope, loaded: Loaded) -> ClaimUse | None:
        """Return what the claims of the loaded workloads hold, None where they have none: then nothing is read."""
        uids = {row.uid for row in loaded.rows}
        claims = [claim for claim in loaded.inventory.claims if claim.workload_uid in uids]
        if not claims:
            return None
        history, end = HistoryScope(scope.tenant, scope.cluster_id, scope.shard), float(loaded.window.end)
        return claim_use(claims, self.history.read_family(history, "storage", start=end - HISTORY_SECONDS, end=end))

    def _from_profile(self, scope: Scope, inventory: Inventory, rows: Sequence[ContainerRow]) -> Loaded:
        stored = self.profiles.load(scope.tenant, scope.cluster_id, scope.shard)
        same = stored.row_keys == [row.key for row in rows]  # then nothing needs to be copied
        profile = stored.profile if same else align_profile(stored.profile, stored.row_keys, rows)
        window = UsageWindow(profile.folded_from, profile.folded_until, profile.step_seconds)
        return Loaded(inventory, rows, profile, profile_evidence(profile), window)

    def _from_history(self, scope: Scope, inventory: Inventory, rows: Sequence[ContainerRow]) -> Loaded:
        end = self.profiles.load(scope.tenant, scope.cluster_id, scope.shard).profile.folded_until
        history, start = HistoryScope(scope.tenant, scope.cluster_id, scope.shard), end - scope.history_seconds
        samples = samples_of_history(self.history.read(history, start=start, end=end), rows)
        detail = self.history.read_family(history, "memory_detail", start=start, end=end)
        profile, folds = folded_with_tests(samples, bins_of(samples, resident_series(rows, detail)))
        window = UsageWindow(samples.start, samples.end, samples.step_seconds)
        return Loaded(inventory, rows, profile, exact_evidence(samples), window, folds)


def assess_loaded(loaded: Loaded, options: Options, prices: Prices) -> Table:
    """Return the table of recommendations of what was loaded."""
    table = assess_rows(
        loaded.rows, loaded.profile, loaded.evidence, prices=prices, nodes=loaded.inventory.nodes, options=options, window=loaded.window,
        folds=loaded.folds,
    )  # fmt: skip
    if loaded.storage is None:
        return table
    return replace(table, volumes=volume_entries(loaded.storage, options, prices, loaded.inventory.nodes))


def is_selected(row: ContainerRow, request: Mapping[str, Any]) -> bool:
    """Tell whether a request is about a row: of a namespace and of a workload that it names, where it names any."""
    if request["namespaces"] and row.namespace not in request["namespaces"]:
        return False
    return not request["workloads"] or any(
        (row.namespace, row.kind, row.name) == (w["namespace"], w["kind"], w["name"]) for w in request["workloads"]
    )


def options_for(request: Mapping[str, Any], allowed_time_above: float | None = None) -> Options:
    """Return the options of a request: its strategy, with `allowed_time_above` in its place where one is given here or there."""
    knob = allowed_time_above if allowed_time_above is not None else request["allowed_time_above"]
    options = options_of(request["strategy"])
    return options if knob is None else replace(options, allowed_time_above=knob)
