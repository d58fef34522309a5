"""The features of a cluster's containers, shard by shard: what rules and classification read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from upid.domain.errors import NotFoundError
from upid.domain.inventory import Inventory, Node, Workload
from upid.engine.rightsizing.current import CurrentResources, PriceColumns
from upid.engine.rightsizing.options import Options
from upid.engine.rules.columns import Column, FeatureTable, known, measured
from upid.engine.rules.features import FeatureInputs, features_of
from upid.ports.prices import Prices
from upid.services.analyses import NothingCollectedError
from upid.services.assessing import Assessor, Loaded, Scope
from upid.services.cluster_records import ClusterRecords
from upid.services.gathering import current_of, prices_of
from upid.services.sizing import ContainerRow, Table

SPOT: Final = "spot"


@dataclass(frozen=True, slots=True)
class ShardFeatures:
    """One shard: its rows, the workload of each, what was loaded of them, what they have and cost now, what sizing recommends, and every feature."""

    shard: int
    rows: Sequence[ContainerRow]
    workloads: Sequence[Workload]
    loaded: Loaded
    table: Table
    features: FeatureTable
    current: CurrentResources
    prices: PriceColumns


@dataclass(frozen=True, slots=True)
class ClusterFeatures:
    """Features by cluster."""

    clusters: ClusterRecords
    assessor: Assessor

    def shards(
        self, tenant: str, cluster_id: str, *, namespaces: Sequence[str] = (), workloads: Sequence[Mapping[str, str]] = ()
    ) -> Iterator[ShardFeatures]:
        """Yield each shard's features, of some namespaces or workloads ({namespace, kind, name}) where any are named.

        NotFoundError without the cluster, NothingCollectedError before its first collection.
        """
        body = self.clusters.get(tenant, cluster_id).body
        if not body["shards"]:
            raise NothingCollectedError(f"No usage of {cluster_id} was collected yet: start a collection first.", cluster_id=cluster_id)
        request = {"namespaces": list(namespaces), "workloads": list(workloads), "source": "profiles"}
        for shard in range(body["shards"]):
            loaded = self._load(Scope(tenant, cluster_id, shard, body["history_seconds"]), request)
            if loaded is not None:
                yield shard_features(shard, loaded, self.assessor.assess(loaded, Options()), self.assessor.prices)

    def _load(self, scope: Scope, request: Mapping[str, Any]) -> Loaded | None:
        try:
            loaded = self.assessor.load(scope, request)
        except NotFoundError:  # the first collection is not done with this shard
            return None
        return loaded if loaded.rows else None


def shard_features(shard: int, loaded: Loaded, table: Table, prices: Prices) -> ShardFeatures:
    """Return the features of what was loaded, with what sizing recommends for it; ValueError where the rows differ."""
    of = {workload.uid: workload for workload in loaded.inventory.workloads}
    rows, nodes = loaded.rows, loaded.inventory.nodes
    workloads = [of[row.uid] for row in rows]
    current, costs = current_of(rows, nodes), prices_of(rows, nodes, prices)
    inputs = FeatureInputs(
        profile=loaded.profile, evidence=loaded.evidence, current=current, prices=costs, described=described(rows, workloads, loaded.inventory),
        recommended=table.columns,
    )  # fmt: skip
    return ShardFeatures(shard, rows, workloads, loaded, table, features_of(inputs), current, costs)


def described(rows: Sequence[ContainerRow], workloads: Sequence[Workload], inventory: Inventory) -> dict[str, Column]:
    """Return the features that the inventory tells: names, replicas that are ready, autoscalers, nodes."""
    images = [next((c.image for c in w.containers if c.name == row.container), "") for row, w in zip(rows, workloads, strict=True)]
    scalers = [row.autoscaler for row in rows]
    nodes = {node.name: node for node in inventory.nodes}
    return {
        "workload.namespace": known(np.array([row.namespace for row in rows])), "workload.kind": known(np.array([row.kind for row in rows])),
        "workload.name": known(np.array([row.name for row in rows])), "container.name": known(np.array([row.container for row in rows])),
        "container.role": known(np.array([str(row.role) for row in rows])), "container.image": known(np.array(images)),
        "replicas_ready": _counts([workload.ready_replicas for workload in workloads]),
        "hpa.enabled": known(np.array([scaler is not None for scaler in scalers])),
        "hpa.min": _counts([scaler.min_replicas if scaler else None for scaler in scalers]),
        "hpa.max": _counts([scaler.max_replicas if scaler else None for scaler in scalers]),
        "hpa.cpu_target": _shares([scaler.cpu_utilization if scaler else None for scaler in scalers]),
        "hpa.memory_target": _shares([scaler.memory_utilization if scaler else None for scaler in scalers]),
        "nodes.distinct": _counts([len(set(row.node_names)) or None for row in rows]),
        "nodes.spot_share": measured([_spot_share(row.node_names, nodes) for row in rows]),
    }  # fmt: skip


def _counts(values: Sequence[int | None]) -> Column:
    missing = np.array([value is None for value in values], dtype=bool)
    return Column(np.array([value or 0 for value in values], dtype=np.int64), missing)


def _shares(percent: Sequence[float | None]) -> Column:
    return measured([np.nan if value is None else value / 100 for value in percent])


def _spot_share(names: Sequence[str], nodes: Mapping[str, Node]) -> float:
    """Return the share of pods on spot nodes; NaN where no pod's node, or no node's kind, is known."""
    kinds = [nodes[name].capacity_type.lower() for name in names if name in nodes and nodes[name].capacity_type]
    return sum(SPOT in kind for kind in kinds) / len(kinds) if kinds else float("nan")
