"""Databases of an InfluxDB, one for each tenant and resolution: made, kept for a time, dropped.

Line protocol and InfluxQL are the same in all servers; looking after databases is not. 1.x does it by InfluxQL, 2.x knows buckets, 3.x an interface of
its own, and cannot delete less than a database. What server it is tells `/ping`.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import orjson

from upid.adapters.influxdb.client import InfluxClient
from upid.domain.errors import NotFoundError, RefusedError

MEASUREMENTS: Final = ("windows", "members", "samples", "figures")
ALWAYS: Final = {"start": "1970-01-01T00:00:00Z", "stop": "2261-01-01T00:00:00Z"}
BUCKETS: Final = 100  # of a page: the most that 2.x lists at once
_LOG: Final = logging.getLogger(__name__)
_JSON: Final = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Databases:
    """The databases of one server whose names begin with the settings' prefix."""

    client: InfluxClient
    _generation: int = field(default=0, init=False)

    def name(self, tenant: str, resolution: str) -> str:
        """Return the name of a tenant's database of a resolution, such as `upid_default_300s`; those of rollups end in r: `upid_default_3600r`."""
        return f"{self.client.settings.prefix}_{tenant}_{resolution}"

    def of(self, tenant: str, kinds: str = "s") -> list[str]:
        """Return the names of a tenant's databases that are there, sorted: of samples (s), of rollups (r), or both (sr)."""
        mine = re.compile(re.escape(f"{self.client.settings.prefix}_{tenant}_") + rf"\d+[{kinds}]")
        return sorted(name for name in self._names() if mine.fullmatch(name))

    def create(self, database: str) -> None:
        """Make a database that keeps what it has for ever; one that is there is no error."""
        if self.generation == 1:
            self.client.execute(f'CREATE DATABASE "{database}"')
        elif self.generation == 2:
            body = {"name": database, "orgID": self._organization(), "retentionRules": []}
            _unless_there(lambda: self._json("POST", "/api/v2/buckets", {}, body))
        else:
            _unless_there(lambda: self._json("POST", "/api/v3/configure/database", {}, {"db": database}))

    def write(self, database: str, lines: bytes) -> None:
        """Write points, into a database that is made where there is none; errors as the client's.

        Points that are older than the database keeps are dropped by the server, the others are written: that is no error.
        """
        try:
            self.client.write(database, lines)
        except NotFoundError:
            self.create(database)
            self.client.write(database, lines)
        except RefusedError as error:
            if "retention" not in error.detail:
                raise
            _LOG.info("Points older than %s keeps were dropped: %s", database, error.detail)

    def keep(self, database: str, days: int) -> None:
        """Let the server drop by itself what is older than so many days."""
        if self.generation == 1:
            self.client.execute(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION {days}d SHARD DURATION 1d DEFAULT')
        elif self.generation == 2:
            rules = [{"type": "expire", "everySeconds": days * 86400}]
            self._json("PATCH", f"/api/v2/buckets/{self._bucket(database)}", {}, {"retentionRules": rules})
        else:
            self._json("PUT", "/api/v3/configure/database", {}, {"db": database, "retention_period": f"{days}d"})

    def drop(self, database: str) -> None:
        """Remove a database with all that is in it; one that is not there is no error."""
        try:
            if self.generation == 1:
                self.client.execute(f'DROP DATABASE "{database}"')
            elif self.generation == 2:
                self.client.send("DELETE", f"/api/v2/buckets/{self._bucket(database)}", {})
            else:
                self.client.send("DELETE", "/api/v3/configure/database", {"db": database, "hard_delete_at": "now"})
        except NotFoundError:
            return

    def delete_cluster(self, database: str, cluster_id: str) -> bool:
        """Remove a cluster's points from a database and return whether the server can: 3.x deletes nothing less than a database."""
        if self.generation >= 3:
            return False
        for measurement in MEASUREMENTS:
            if self.generation == 1:
                self._drop_series(database, measurement, cluster_id)
            else:
                predicate = f'_measurement="{measurement}" AND cluster="{cluster_id}"'
                self._json("POST", "/api/v2/delete", self._org() | {"bucket": database}, ALWAYS | {"predicate": predicate})
        return True

    @property
    def generation(self) -> int:
        """1, 2 or 3: the server's major version, asked for once."""
        if not self._generation:
            self._generation = max(1, int(self.client.version().partition(".")[0] or 1))
        return self._generation

    def _names(self) -> Iterator[str]:
        """Yield the names of all databases, in no order."""
        if self.generation == 1:
            for series in self.client.execute("SHOW DATABASES"):
                yield from (str(row[0]) for row in series.get("values", ()))
        elif self.generation == 2:
            for page in count():
                query = self._org() | {"limit": str(BUCKETS), "offset": str(page * BUCKETS)}
                found = self._json("GET", "/api/v2/buckets", query, None)["buckets"]
                yield from (str(bucket["name"]) for bucket in found)
                if len(found) < BUCKETS:
                    return
        else:
            for database in self._json("GET", "/api/v3/configure/database", {"format": "json"}, None):
                yield str(database["iox::database"])

    def _drop_series(self, database: str, measurement: str, cluster_id: str) -> None:
        quoted = cluster_id.replace("\\", "\\\\").replace("'", "\\'")
        with contextlib.suppress(NotFoundError):
            self.client.execute(f"DROP SERIES FROM {measurement} WHERE cluster = '{quoted}'", database)

    def _bucket(self, database: str) -> str:
        found = self._json("GET", "/api/v2/buckets", self._org() | {"name": database}, None).get("buckets", ())
        if not found:
            raise NotFoundError(f"There is no bucket {database}.", name=database)
        return str(found[0]["id"])

    def _organization(self) -> str:
        found = self._json("GET", "/api/v2/orgs", self._org(), None).get("orgs", ())
        if not found:
            raise RefusedError("InfluxDB 2 wants an organization: set UPID_INFLUXDB_ORG to one that the token may use.")
        return str(found[0]["id"])

    def _org(self) -> dict[str, str]:
        return {"org": self.client.settings.organization} if self.client.settings.organization else {}

    def _json(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        answer = self.client.send(method, path, query, orjson.dumps(body) if body is not None else b"", _JSON)
        return orjson.loads(answer) if answer.strip() else {}


def _unless_there(create: Callable[[], Any]) -> None:
    """Make something; that it is there already is no error."""
    try:
        create()
    except RefusedError as error:
        if "exist" not in error.detail and "(409)" not in error.detail:
            raise
