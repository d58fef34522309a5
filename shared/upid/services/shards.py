"""Which shard a workload belongs to, and how many shards a cluster has. A shard holds whole workloads, so every row of one is sized together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from upid.domain.inventory import Workload

CONTAINERS_PER_SHARD: Final = 1250
MOST_SHARDS: Final = 64


def shard_of(namespace: str, kind: str, name: str, uid: str, shards: int) -> int:
    """Return the shard of a workload, the same in every process and for ever: BLAKE2b of its identity, modulo the number of shards."""
    identity = f"{namespace}\0{kind}\0{name}\0{uid}".encode()
    return int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest(), "big") % shards


def shards_of(workloads: Iterable[Workload], shards: int) -> dict[str, int]:
    """Return the shard of each workload by its uid."""
    return {each.uid: shard_of(each.namespace, each.kind, each.name, each.uid, shards) for each in workloads}


def shard_count(containers: int) -> int:
    """Return how many shards a cluster of this many containers gets: a power of two, about 1,250 containers each, from 1 to 64."""
    wanted = -(-max(containers, 1) // CONTAINERS_PER_SHARD)
    return min(MOST_SHARDS, 1 << (wanted - 1).bit_length())
