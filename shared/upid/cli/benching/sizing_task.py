"""The fresh process of `upid bench engine`: one task on arrays in memory, processor time and wall time of the task alone.

Run as `python -m upid.cli.benching.sizing_task TASK CONTAINERS DAYS STEP [FILE] [READS]`; prints JSON.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from upid.cli.benching.usage import END, MIB, Size, usage_of
from upid.engine.arrays import pack, unpack
from upid.engine.rightsizing.assess import assess
from upid.engine.rightsizing.backtest import backtest
from upid.engine.rightsizing.current import CurrentResources, PriceColumns
from upid.engine.rightsizing.folds import Fold, folded_with_tests
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.rule import size
from upid.engine.rightsizing.seen import held_slots, seen
from upid.engine.usage.exact import exact_evidence
from upid.engine.usage.figures import Evidence
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import UsageProfile, empty_profile
from upid.engine.usage.samples import Samples
from upid.engine.usage.storage import from_arrays, to_arrays
from upid.engine.usage.summarised import profile_evidence

REPEAT: Final = 5
GIB: Final = 2.0**30


def samples(given: Size) -> Samples:
    """Return a week as the other benchmarks have it, one pod a container."""
    cpu, memory = usage_of(given, given.containers, np.random.default_rng(1))
    rows, none = np.arange(given.containers), np.zeros(given.containers, dtype=np.int32)
    start = END - given.days * 86400
    unknown = np.full(given.containers, np.nan)
    return Samples(start, given.step_seconds, cpu, memory, np.full_like(cpu, np.nan), none, none, unknown, rows, rows)


def current(rows: int) -> CurrentResources:
    """Return what containers have now: half a core, half a GiB."""
    unset, no = np.full(rows, np.nan), np.zeros(rows, dtype=bool)
    return CurrentResources(
        np.full(rows, 0.5), np.full(rows, 1.0), np.full(rows, 512 * MIB), np.full(rows, GIB), unset, np.ones(rows, dtype=np.int64), no, no, no, no,
        np.full(rows, 16.0), np.full(rows, 64 * GIB),
    )  # fmt: skip


def requests(profile: UsageProfile) -> None:
    """Size all containers, and once more without the newest days, which judge that."""
    now, options, slots = current(profile.rows), Options(), held_slots(profile)
    size(seen(profile), now, options)
    past = size(seen(profile, hold_out=slots), now, options)
    backtest(profile, past.cpu, past.memory, slots=slots, by_resident=past.by_resident)


def assessed(profile: UsageProfile, evidence: Evidence | None = None, folds: Sequence[Fold] = ()) -> None:
    """Make every column of an assessment: beside the sizes confidence, cost, risk and reason codes."""
    prices = PriceColumns(np.full(profile.rows, 0.03), np.full(profile.rows, 0.004))
    assess(profile, evidence or profile_evidence(profile), current(profile.rows), prices, Options(), folds=folds)


def read_anew(usage: Samples) -> None:
    """Do what a scan does: a profile, exact evidence, and three folds of a day."""
    profile, folds = folded_with_tests(usage)
    assessed(profile, exact_evidence(usage), folds)


def read_shards(path: Path, times: int) -> None:
    """Read a stored shard and assess it, again and again."""
    for _ in range(times):
        assessed(from_arrays(*unpack(path.read_bytes())))


def timed(work: Callable[[], Any], repeat: int = REPEAT) -> dict[str, Any]:
    """Return the median processor time and wall time of some runs. [s]."""
    spent, passed = [], []
    for _ in range(repeat):
        begun = time.process_time(), time.perf_counter()
        work()
        spent.append(time.process_time() - begun[0])
        passed.append(time.perf_counter() - begun[1])
    return {"processor_seconds": sorted(spent)[repeat // 2], "seconds": sorted(passed)[repeat // 2]}


def main() -> None:
    """Do the task that the arguments name and print what it took."""
    task, given = sys.argv[1], Size(*map(int, sys.argv[2:5]))
    if task == "profiles":
        profile = _profile(given)
        told: Any = {"requests": timed(lambda: requests(profile)), "assessed": timed(lambda: assessed(profile))}
    elif task == "samples":
        usage = samples(given)
        told = timed(lambda: read_anew(usage), 1)
        told["sorting"] = timed(lambda: (np.sort(usage.cpu_cores, axis=1), np.sort(usage.memory_bytes, axis=1)), 1)["processor_seconds"]
    elif task == "store":
        Path(sys.argv[5]).write_bytes(pack(*to_arrays(_profile(given))))
        told = {}
    else:
        told = timed(lambda: read_shards(Path(sys.argv[5]), int(sys.argv[6])), 1)
    told["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.buffer.write(orjson.dumps(told))


def _profile(given: Size) -> UsageProfile:
    usage = samples(given)
    return fold(empty_profile(usage.workload), usage)


if __name__ == "__main__":
    main()
