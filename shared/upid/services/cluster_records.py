"""The record of a cluster, and the ways that everything after its registration reads and changes it.

A record's body: id, name, context, server, region, tags, metrics (what may be shown), sealed (the envelope of its credentials), sealed_at (when its data key was made), created_at, updated_at,
revision (one more with every change by a client: the ETag; the record's own version also moves with every collection), shards, watermark,
history_seconds, step_seconds, last_collection_id, latest_analysis_id, downsampled_until; `stalled`, `gaps` and `pending` are
of collections (`upid.services.completing`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any, Final, NamedTuple

import orjson

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import NotFoundError, VersionConflictError
from upid.domain.events import Event
from upid.ports.keys import Sealer
from upid.ports.records import Key, Put, Record, Records, Write
from upid.services.caches import Cache
from upid.services.own_identity import OwnIdentity, external_id

REGISTRY: Final = "g#clusters"
ATTEMPTS: Final = 20

Change = Callable[[dict[str, Any]], dict[str, Any]]


class Access(NamedTuple):
    """The credentials of a cluster: its API server's and its metrics source's."""

    cluster: ClusterAccess
    metrics: MetricsAccess


def cluster_key(tenant: str, cluster_id: str) -> Key:
    """Return where a cluster's record lies."""
    return Key(f"t#{tenant}#clusters", cluster_id)


def name_key(tenant: str, name: str) -> Key:
    """Return the record that holds a cluster's name for it, so that no other takes it."""
    return Key(f"t#{tenant}#cluster-names", name)


def registry_key(cluster_id: str) -> Key:
    """Return the entry that names the cluster's tenant, for schedules, which belong to none."""
    return Key(REGISTRY, cluster_id)


def blob_prefix(tenant: str, cluster_id: str) -> str:
    """Return what the names of all blobs of a cluster begin with."""
    return f"t/{tenant}/clusters/{cluster_id}/"


def registered(records: Records) -> Iterator[Record]:
    """Yield the registry's entries, of all tenants, deleted ones too."""
    after = None
    while True:
        page = records.query(REGISTRY, after=after, limit=100)
        yield from page.items
        after = page.after
        if after is None:
            return


@dataclass(frozen=True, slots=True)
class ClusterRecords:
    """Clusters by tenant and id, with their credentials sealed. opened: credentials by cluster, each as of one envelope."""

    records: Records
    sealer: Sealer
    opened: Cache[Access]
    own_identity: OwnIdentity

    def get(self, tenant: str, cluster_id: str) -> Record:
        """Return a cluster's record; NotFoundError where the tenant has none of this id."""
        found = self.records.get(cluster_key(tenant, cluster_id))
        if found is None:
            raise NotFoundError(f"There is no cluster {cluster_id}.", id=cluster_id)
        return found

    def change(
        self, tenant: str, cluster_id: str, change: Change, *, also: Sequence[Write] = (), events: Sequence[Event] = ()
    ) -> Mapping[str, Any]:
        """Apply `change` to the record's body, with other writes and events in the same transaction, and return the body.

        `change` is called again where somebody else wrote in between; a body that it leaves as it is is not written, nor are the others.
        """
        for attempt in range(ATTEMPTS):
            found = self.get(tenant, cluster_id)
            body = change(dict(found.body))
            if body == found.body:
                break
            try:
                self.records.transact([Put(found.key, body, expect=found.version), *also], events)
            except VersionConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            break
        return body

    def seal(self, cluster_id: str, access: Access) -> str:
        """Return the credentials as an envelope in base64 that opens for this cluster alone."""
        plain = orjson.dumps(
            {
                "cluster": asdict(replace(access.cluster, external_id="", system="")),
                "metrics": asdict(replace(access.metrics, system="", cluster=None)),
            }
        )
        return base64.b64encode(self.sealer.seal(plain, context=cluster_id)).decode()

    def access(self, tenant: str, body: Mapping[str, Any]) -> Access:
        """Return the credentials that the body of a tenant's record holds sealed, to be used.

        OwnIdentityError where the tenant may no longer use them; ValueError for an envelope that was changed or belongs elsewhere.
        """
        access = self.sealed_access(tenant, body)
        self.own_identity.hold(tenant, access.cluster, access.metrics)
        return access

    def sealed_access(self, tenant: str, body: Mapping[str, Any]) -> Access:
        """Return the same, to be sealed anew, whoever may use it.

        Who asks has the record as it is now. So credentials that are kept open are used by nobody once the record is gone or has others.
        """
        return self.opened.get(body["id"], lambda: self._opened(tenant, body), version=body["sealed"])

    def forget(self, cluster_id: str) -> None:
        """Let go of a cluster's credentials where this process keeps them open."""
        self.opened.forget(cluster_id)

    def _opened(self, tenant: str, body: Mapping[str, Any]) -> Access:
        plain = orjson.loads(self.sealer.open(base64.b64decode(body["sealed"]), context=body["id"]))
        metrics = plain["metrics"]
        headers = tuple((name, value) for name, value in metrics.pop("headers"))
        cluster, source = ClusterAccess(**plain["cluster"]), MetricsAccess(**metrics, headers=headers)
        cluster = replace(cluster, external_id=external_id(tenant), system=f"{body['id']}/kubernetes")
        return Access(cluster, replace(source, system=f"{body['id']}/metrics", cluster=cluster))


def size_of(access: Access) -> int:
    """Return about what opened credentials take in memory. [bytes]"""
    texts = (*astuple(access.cluster), *astuple(replace(access.metrics, cluster=None, headers=())), *sum(access.metrics.headers, ()))
    return 2000 + sum(len(text) for text in texts if isinstance(text, str))
