"""The circuits to a cluster's systems as they last changed, for every process to see: a record each, and an event with every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from upid.domain.circuits import Circuit
from upid.domain.errors import VersionConflictError
from upid.domain.events import Event
from upid.domain.times import format_time, parse_time
from upid.ports.clock import Clock, Ids
from upid.ports.records import Key, Put, Records, Write
from upid.services.cluster_records import ATTEMPTS, registry_key


@dataclass(frozen=True, slots=True)
class Circuits:
    """Remembers the states of circuits. A circuit is named `<cluster's id>/<system>`, such as `cl_.../kubernetes`."""

    records: Records
    clock: Clock
    ids: Ids

    def of(self, tenant: str, cluster_id: str) -> list[dict[str, Any]]:
        """Return the circuits of a cluster that ever changed, by system; one that is not there is closed."""
        page = self.records.query(f"t#{tenant}#circuits", prefix=f"{cluster_id}/")
        return [dict(record.body) for record in page.items]

    def recall(self, name: str) -> Circuit | None:
        """Return how a circuit stands, None where it never changed, or where what it belongs to is no registered cluster."""
        entry = self.records.get(registry_key(name.partition("/")[0]))
        found = self.records.get(Key(f"t#{entry.body['tenant']}#circuits", name)) if entry else None
        if found is None:
            return None
        body = found.body
        return Circuit(body["state"], body["failures"], body["last_error"], parse_time(body["since"]))

    def changed(self, name: str, state: str, failures: int, error: str) -> None:
        """Record a change with its event; a change of what belongs to no registered cluster is nobody's to know."""
        cluster_id, _, system = name.partition("/")
        entry = self.records.get(registry_key(cluster_id))
        if entry is None or entry.body["deleted"]:
            return
        tenant, now = entry.body["tenant"], self.clock.now()
        key = Key(f"t#{tenant}#circuits", name)
        body = {"system": system, "state": state, "since": format_time(now), "failures": failures, "last_error": error[:1000]}
        for _ in range(ATTEMPTS):
            found = self.records.get(key)
            if (found.body["state"] if found else "closed") == state:
                return  # another process told of it already
            write: Write = Put(key, body, expect=found.version if found else 0)
            try:
                self.records.transact([write], [self._event(tenant, cluster_id, body)])
            except VersionConflictError:
                continue
            return

    def forget(self, tenant: str, cluster_id: str) -> None:
        """Remove the circuits of a cluster that is gone."""
        for record in self.records.query(f"t#{tenant}#circuits", prefix=f"{cluster_id}/").items:
            self.records.delete(record.key)

    def _event(self, tenant: str, cluster_id: str, body: Mapping[str, Any]) -> Event:
        kind = {"open": "circuit.opened", "half_open": "circuit.half_opened", "closed": "circuit.closed"}[body["state"]]
        return Event(self.ids.new("event"), kind, tenant, cluster_id, self.clock.now(), dict(body))
