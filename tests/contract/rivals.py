"""What several processes do to one store at once: each function runs in a process of its own and opens the store itself."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from contract.stores import BLOBS, DOCUMENTS, SEALERS, SetClock

from upid.domain.errors import VersionConflictError
from upid.domain.events import Event
from upid.ports.records import Key, Put

KEY = Key("t#a#race", "one")


def at_once(processes: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Return what `function(number, *arguments)` gave in each of so many processes that run side by side."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("forkserver")) as pool:
        return [future.result(timeout=60) for future in [pool.submit(function, number, *arguments) for number in range(processes)]]


def create(number: int, kind: str, place: Path, rounds: int) -> int:
    """Try to create the same records and return how many times this process was the first."""
    store = DOCUMENTS[kind](place, SetClock())
    won = 0
    for round_number in range(rounds):
        event = Event(f"evt_{round_number}_{number}", "cluster.registered", "a", "one", 0.0)
        try:
            store.records.transact([Put(Key(KEY.partition, str(round_number)), {"by": number}, expect=0)], [event])
        except VersionConflictError:
            continue
        won += 1
    store.close()
    return won


def increment(number: int, kind: str, place: Path, rounds: int) -> None:
    """Add one to a shared counter `rounds` times, reading again whenever somebody was faster."""
    store = DOCUMENTS[kind](place, SetClock())
    done = 0
    while done < rounds:
        found = store.records.get(KEY)
        body, version = (found.body, found.version) if found else ({"count": 0}, 0)
        try:
            store.records.put(KEY, {"count": body["count"] + 1}, expect=version)
        except VersionConflictError:
            continue
        done += 1
    store.close()


def write_if_absent(number: int, kind: str, place: Path, rounds: int) -> list[bool]:
    """Write the same blobs where there are none; True for each that this process wrote."""
    blobs = BLOBS[kind](place)
    return [blobs.put(f"race/{round_number}", bytes([number]) * 100_000, if_absent=True) for round_number in range(rounds)]


def write_and_read(number: int, kind: str, place: Path, rounds: int) -> int:
    """Overwrite one blob again and again, and return how often what was read was not one process's whole blob."""
    blobs = BLOBS[kind](place)
    torn = 0
    for _ in range(rounds):
        blobs.put("shared/blob", bytes([number]) * 300_000)
        data = blobs.get("shared/blob")
        torn += len(data) != 300_000 or len(set(data)) != 1
    return torn


def seal(number: int, kind: str, place: Path) -> bytes:
    """Seal something with a key that nobody made yet."""
    return SEALERS[kind](place).seal(bytes([number]), context="cl_1")


def write_pairs_for_ever(kind: str, blobs_kind: str, place: Path) -> None:
    """Write two records with one number in one transaction, and a blob of that number, again and again until the process is killed."""
    store = DOCUMENTS[kind](place, SetClock())
    blobs = BLOBS[blobs_kind](place)
    number = 0
    while True:
        number += 1
        store.records.transact([Put(Key("t#a#pairs", side), {"number": number}) for side in ("left", "right")])
        blobs.put("killed/blob", bytes([number % 256]) * 200_000)
