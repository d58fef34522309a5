"""Who was in a cluster, day by day: its workloads by uid, and since when each pod was on which node. Usage by node, and of workloads long gone, is asked through it.

A blob a day, `t/<tenant>/clusters/<cluster>/rosters/<day>/<digest>.json`, named by what it holds. Entries are only ever added, so that writers need no
lock: each writes all that it found together with what it adds, then removes what it found. Who dies in between, or is overtaken, leaves two blobs where
one would do; readers take the entries of both, and the next writer joins them. The days of a month that is over become one blob in the same way.
"""

from __future__ import annotations

import hashlib
import logging
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

import orjson

from upid.domain.errors import AppError, NotFoundError, UnavailableError
from upid.domain.inventory import Inventory
from upid.ports.blobs import Blobs
from upid.services.cluster_records import blob_prefix

DAY_SECONDS: Final = 86400
ATTEMPTS: Final = 20
_LOG: Final = logging.getLogger(__name__)


class Names(NamedTuple):
    """What a workload is called."""

    uid: str
    namespace: str
    kind: str
    name: str


class Stay(NamedTuple):
    """A pod of a workload on a node, from `since` [s since the epoch] until the workload's next pod of this name begins."""

    workload_uid: str
    pod: str
    since: float
    node: str


@dataclass(frozen=True, slots=True)
class Roster:
    """Workloads that were there, and where their pods were."""

    workloads: frozenset[Names] = frozenset()
    stays: frozenset[Stay] = frozenset()

    def __or__(self, other: Roster) -> Roster:
        """Return the entries of both."""
        return Roster(self.workloads | other.workloads, self.stays | other.stays)

    def by_pod(self) -> dict[tuple[str, str], list[Stay]]:
        """Return the stays by (workload uid, pod), oldest first."""
        found: dict[tuple[str, str], list[Stay]] = {}
        for stay in sorted(self.stays):
            found.setdefault((stay.workload_uid, stay.pod), []).append(stay)
        return found


class _Period(NamedTuple):
    """A day or a month, [start, end) in seconds since the epoch, and the folder of its blobs."""

    start: int
    end: int
    folder: str
    is_day: bool


@dataclass(frozen=True, slots=True)
class Rosters:
    """Rosters of clusters on blobs."""

    blobs: Blobs

    def keep(self, tenant: str, cluster_id: str, inventory: Inventory, *, start: float, end: float) -> None:
        """Add what the inventory lists to each day from that of `start` to that of `end`, the moment that it was read at [s since the epoch].

        A pod counts from when it was made; one of which that is not told from the first of these days. Pods without a node wait for one. Doing it
        twice changes nothing.
        """
        names = frozenset(Names(each.uid, each.namespace, each.kind, each.name) for each in inventory.workloads)
        known, first = {each.uid for each in names}, int(min(start, end)) // DAY_SECONDS * DAY_SECONDS
        placed = [pod for pod in inventory.pods if pod.node_name and pod.workload_uid in known]
        stays = [Stay(pod.workload_uid, pod.name, pod.created_at or float(first), pod.node_name) for pod in placed]
        for day in range(first, int(end) + 1, DAY_SECONDS):
            there = frozenset(stay for stay in stays if stay.since < day + DAY_SECONDS)
            self._add(_folder(tenant, cluster_id, day, "%Y-%m-%d"), Roster(names, there))

    def add(self, tenant: str, cluster_id: str, stays: Iterable[Stay]) -> None:
        """Add stays to the days that they begin on, but for those of pods that are known to have come to that node before. Doing it twice changes nothing."""
        days: dict[int, list[Stay]] = {}
        for stay in stays:
            days.setdefault(int(stay.since) // DAY_SECONDS * DAY_SECONDS, []).append(stay)
        for day, found in sorted(days.items()):
            folder = _folder(tenant, cluster_id, day, "%Y-%m-%d")
            new = _new(found, self._whole(folder))
            if new:
                self._add(folder, Roster(stays=frozenset(new)))

    def read(self, tenant: str, cluster_id: str, *, start: float, end: float) -> Roster:
        """Return who was there in [start, end) and on the day before, when pods began that may have gone before anybody looked again."""
        found = Roster()
        for period in self._periods(tenant, cluster_id):
            if period.start < end and period.end > start - DAY_SECONDS:
                found |= self._whole(period.folder)
        return found

    def compact(self, tenant: str, cluster_id: str, *, before: float) -> int:
        """Join the days of each month (UTC) that ended at or before `before`, and return how many days there were. Doing it twice changes nothing."""
        joined = 0
        for period in [period for period in self._periods(tenant, cluster_id) if period.is_day]:
            month = _folder(tenant, cluster_id, period.start, "%Y-%m")
            if _period(month).end <= before:
                found = self._rosters(period.folder)
                for roster in found.values():
                    self._add(month, roster)
                for blob in found:
                    self.blobs.delete(blob)
                joined += 1
        return joined

    def expire(self, tenant: str, cluster_id: str, *, days: int, now: float) -> None:
        """Remove what ended more than `days` before `now` [s since the epoch]."""
        for period in self._periods(tenant, cluster_id):
            if period.end <= now - days * DAY_SECONDS:
                self.blobs.delete_all(period.folder)

    def _add(self, folder: str, added: Roster) -> None:
        found = self._rosters(folder)
        whole = reduce(or_, found.values(), added)
        data = _encoded(whole)
        blob = f"{folder}{_digest(data)}.json"
        if blob not in found:
            self.blobs.put(blob, data)
        for old in found.keys() - {blob}:
            self.blobs.delete(old)

    def _whole(self, folder: str) -> Roster:
        return reduce(or_, self._rosters(folder).values(), Roster())

    def _periods(self, tenant: str, cluster_id: str) -> Iterator[_Period]:
        prefix = _prefix(tenant, cluster_id)
        folders = {prefix + blob.removeprefix(prefix).partition("/")[0] + "/" for blob in self.blobs.names(prefix)}
        yield from map(_period, sorted(folders))

    def _rosters(self, folder: str) -> dict[str, Roster]:
        """Return the rosters of a folder by blob; UnavailableError where it never stands still."""
        for _ in range(ATTEMPTS):
            try:
                found = {blob: self._roster(blob) for blob in self.blobs.names(folder)}
            except NotFoundError:  # A writer has joined them meanwhile.
                continue
            return {blob: roster for blob, roster in found.items() if roster is not None}
        raise UnavailableError(f"{folder} changes too often to be read.")

    def _roster(self, blob: str) -> Roster | None:
        """Return what a blob holds; None for one that is not what its name says, which is put aside where the cluster's health tells of it."""
        data = self.blobs.get(blob)
        if blob.rpartition("/")[2] == f"{_digest(data)}.json":
            return _decoded(data)
        cluster, _, rest = blob.partition("/rosters/")
        _LOG.error("%s is damaged: its checksum does not hold. It lies in quarantine now.", blob)
        try:
            self.blobs.put(f"{cluster}/quarantine/rosters/{rest}", data)
            self.blobs.delete(blob)
        except AppError as error:  # This process may only read.
            _LOG.warning("%s could not be put aside: %s", blob, error.detail)
        return None


def _new(stays: Iterable[Stay], known: Roster) -> list[Stay]:
    """Return the stays that change where a pod was."""
    by_pod, new = known.by_pod(), list[Stay]()
    for stay in sorted(stays):
        there = by_pod.setdefault((stay.workload_uid, stay.pod), [])
        at = bisect(there, stay.since, key=lambda each: each.since)
        if at == 0 or there[at - 1].node != stay.node:
            there.insert(at, stay)
            new.append(stay)
    return new


def _prefix(tenant: str, cluster_id: str) -> str:
    return f"{blob_prefix(tenant, cluster_id)}rosters/"


def _folder(tenant: str, cluster_id: str, moment: float, form: str) -> str:
    return f"{_prefix(tenant, cluster_id)}{datetime.fromtimestamp(moment, UTC).strftime(form)}/"


def _period(folder: str) -> _Period:
    year, month, *day = (int(part) for part in folder.rstrip("/").rpartition("/")[2].split("-"))
    first = datetime(year, month, 1, tzinfo=UTC).timestamp()
    if day:
        start = int(first) + (day[0] - 1) * DAY_SECONDS
        return _Period(start, start + DAY_SECONDS, folder, is_day=True)
    after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()
    return _Period(int(first), int(after), folder, is_day=False)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _encoded(roster: Roster) -> bytes:
    """Return a roster as JSON, workloads and nodes written once; the same roster gives the same bytes."""
    workloads, nodes = sorted(map(tuple, roster.workloads)), sorted({stay.node for stay in roster.stays})
    uids = sorted({stay.workload_uid for stay in roster.stays})
    uid_of, node_of = ({name: place for place, name in enumerate(names)} for names in (uids, nodes))
    stays = sorted(roster.stays)
    columns = {
        "uid": [uid_of[stay.workload_uid] for stay in stays], "pod": [stay.pod for stay in stays], "since": [stay.since for stay in stays],
        "node": [node_of[stay.node] for stay in stays],
    }  # fmt: skip
    return orjson.dumps({"workloads": workloads, "uids": uids, "nodes": nodes, **columns})


def _decoded(data: bytes) -> Roster:
    body: Mapping[str, Any] = orjson.loads(data)
    uids, nodes = map(body["uids"].__getitem__, body["uid"]), map(body["nodes"].__getitem__, body["node"])
    return Roster(frozenset(map(Names._make, body["workloads"])), frozenset(map(Stay, uids, body["pod"], body["since"], nodes)))
