"""Usage profiles of a shard on blobs: the arrays of `upid.engine.usage`, and which (workload, container) each of their rows is.

The history is the truth, a profile is made from it: where a task died between the two, or a profile is damaged, the next fold makes it good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np

from upid.domain.errors import NotFoundError
from upid.engine.arrays import pack, unpack
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import UsageProfile, empty_profile, reindex
from upid.engine.usage.starts import context_seconds
from upid.engine.usage.storage import from_arrays, to_arrays
from upid.ports.blobs import Blobs
from upid.ports.usage_history import UsageChunk
from upid.services.chunks import behind, without_events
from upid.services.cluster_records import blob_prefix
from upid.services.sizing import ContainerRow, samples_of, workload_index

KEEP_GONE_SECONDS: Final = 30 * 86400.0


class RowKey(NamedTuple):
    """Which container of which workload a row is."""

    namespace: str
    kind: str
    name: str
    uid: str
    container: str

    @classmethod
    def of(cls, row: ContainerRow) -> RowKey:
        """Return the key of a container row."""
        return cls(row.namespace, row.kind, row.name, row.uid, row.container)


@dataclass(frozen=True, slots=True)
class ShardProfile:
    """The profile of a shard. `keys`: what each row is; `listed`: when each row was last in the cluster's inventory [s since the epoch]."""

    keys: tuple[RowKey, ...]
    listed: tuple[float, ...]
    profile: UsageProfile

    @property
    def rows(self) -> list[ContainerRow]:
        """The rows as samples are matched to them: identity only."""
        return [ContainerRow(*key) for key in self.keys]

    @property
    def row_keys(self) -> list[tuple[str, str]]:
        """What `upid.services.sizing.align_profile` knows the rows by: the workload's uid and the container's name."""
        return [(key.uid, key.container) for key in self.keys]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Profiles by cluster and shard."""

    blobs: Blobs

    def load(self, tenant: str, cluster_id: str, shard: int) -> ShardProfile:
        """Return a shard's profile; NotFoundError before its first collection, ValueError where the blob is damaged."""
        arrays, meta = unpack(self.blobs.get(self.name(tenant, cluster_id, shard)))
        try:
            keys = tuple(RowKey(*key) for key in meta["keys"])
            return ShardProfile(keys, tuple(meta["listed"]), from_arrays(arrays, meta))
        except (KeyError, TypeError) as error:
            raise ValueError(f"The profile of shard {shard} has no {error}.") from error

    def keys(self, tenant: str, cluster_id: str, shard: int) -> tuple[RowKey, ...]:
        """Return what the rows of a shard's profile are, with those that are gone; none before its first collection. ValueError as for `load`."""
        try:
            _, meta = unpack(self.blobs.get(self.name(tenant, cluster_id, shard)))
        except NotFoundError:
            return ()
        return tuple(RowKey(*key) for key in meta["keys"])

    def load_or_none(self, tenant: str, cluster_id: str, shard: int) -> ShardProfile | None:
        """Return a shard's profile, None where there is none or it is damaged: it is made again from the history then."""
        try:
            return self.load(tenant, cluster_id, shard)
        except (NotFoundError, ValueError):
            return None

    def save(self, tenant: str, cluster_id: str, shard: int, stored: ShardProfile) -> None:
        """Store a shard's profile; the same profile gives the same bytes."""
        arrays, meta = to_arrays(stored.profile)
        told: dict[str, Any] = {**meta, "keys": [list(key) for key in stored.keys], "listed": list(stored.listed)}
        self.blobs.put(self.name(tenant, cluster_id, shard), pack(arrays, told))

    def name(self, tenant: str, cluster_id: str, shard: int) -> str:
        """Return the name of a shard's blob."""
        return f"{blob_prefix(tenant, cluster_id)}profiles/{shard:04d}.bin"


def grown(stored: ShardProfile | None, rows: Sequence[ContainerRow], time: float) -> ShardProfile:
    """Return the profile with the rows that the inventory lists at `time`: new ones appear empty, those gone for 30 days leave, the others stay."""
    before = dict(zip(stored.keys, stored.listed, strict=True)) if stored else {}
    kept = {key: seen for key, seen in before.items() if time - seen <= KEEP_GONE_SECONDS}
    listed = kept | {RowKey.of(row): time for row in rows}
    keys = tuple(sorted(listed))
    workload = workload_index([ContainerRow(*key) for key in keys])
    if stored is None:
        profile = empty_profile(workload)
    elif keys == stored.keys:
        profile = stored.profile
    else:
        place = {key: position for position, key in enumerate(stored.keys)}
        profile = reindex(stored.profile, np.array([place.get(key, -1) for key in keys], np.int64), workload)
    return ShardProfile(keys, tuple(listed[key] for key in keys), profile)


@dataclass(slots=True)
class Folder:
    """Folds chunks of a shard one after the other, and keeps the end of the last ones.

    Without it nobody could tell a pod that starts with a chunk from one that ran before it, and scheduled chunks are only a step or two long.
    """

    stored: ShardProfile
    context: list[UsageChunk] = field(default_factory=list)

    @property
    def until(self) -> int:
        """End of what is folded. [s since the epoch]"""
        return self.stored.profile.folded_until

    @property
    def context_start(self) -> int:
        """From when on chunks are to be added again, so that the next one has its context. [s since the epoch]"""
        return self.until - context_seconds(self.stored.profile.step_seconds)

    def add(self, chunk: UsageChunk) -> None:
        """Fold the next chunk; one that ends at or before what is folded changes nothing and is context alone."""
        if self.context and self.context[-1].end != chunk.start:
            self.context = []
        if chunk.end > self.until:
            samples = samples_of([*self.context, chunk], self.stored.rows)
            self.stored = replace(self.stored, profile=fold(self.stored.profile, samples))
        since = chunk.end - context_seconds(chunk.step_seconds)
        self.context = [without_events(behind(part, since)) for part in (*self.context, chunk) if part.end > since]


def folded(stored: ShardProfile, chunks: Iterable[UsageChunk]) -> ShardProfile:
    """Return the profile with chunks folded in, oldest first; a chunk that ends at or before what is folded changes nothing."""
    folder = Folder(stored)
    for chunk in chunks:
        folder.add(chunk)
    return folder.stored


def rebuild(chunks: Iterable[UsageChunk], rows: Sequence[ContainerRow]) -> UsageProfile:
    """Return the profile of these rows, in their order, from chunks of the history, oldest first: what folding them one by one gave."""
    keys = tuple(RowKey.of(row) for row in rows)
    return folded(ShardProfile(keys, (0.0,) * len(keys), empty_profile(workload_index(rows))), chunks).profile
