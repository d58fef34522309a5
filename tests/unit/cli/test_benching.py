"""The figures of benchmarks."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from worlds.analysis import TENANT

from upid.bootstrap import Services
from upid.cli.benching.analyze import BenchmarkError, analyze, run
from upid.cli.benching.data import make
from upid.cli.benching.engine import engine
from upid.cli.benching.identity import CLUSTER
from upid.cli.benching.medians import medians
from upid.cli.benching.memory import PeakMemory
from upid.cli.benching.starts import groups, starts
from upid.cli.benching.stores import measured, stores
from upid.cli.benching.usage import END, Size
from upid.cli.benching.years import make_year
from upid.ports.usage_history import HistoryScope
from upid.services.analyses import AnalysisRequest
from upid.settings import Settings

MIB = 2**20


def test_medians_are_of_numbers_at_any_depth_and_say_how_many_runs() -> None:
    runs = [{"from": "history", "seconds": {"total": total}, "peak": peak} for total, peak in ((3.0, 7), (1.0, 9), (2.0, 8))]
    assert medians(runs) == {"from": "history", "seconds": {"total": 2.0}, "peak": 8, "runs": 3}
    assert medians(runs[:1]) == runs[0]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the sizes of processes are read from /proc")
def test_memory_is_that_of_the_process_and_its_children() -> None:
    held = "x = bytearray(b'a') * (80 << 20); import time; time.sleep(0.6)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}])"
    with subprocess.Popen([sys.executable, "-c", parent]) as process, PeakMemory(process.pid) as memory:
        process.wait()
    assert 80 * MIB < memory.peak_bytes < 200 * MIB


def test_the_groups_are_those_with_routes() -> None:
    assert {"optimization", "clusters", "gateway"} <= set(groups())
    assert "authorizer" not in groups()


def test_starts_are_seconds_of_every_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upid.cli.benching.starts.groups", lambda: ["optimization"])
    told = starts(1)
    assert list(told["import_seconds"]) == ["optimization"]
    assert 0 < told["help_seconds"] < 30
    assert 0 < told["import_seconds"]["optimization"] < 30


def test_data_has_every_container_and_every_sample(tmp_path: Path) -> None:
    services, size = Services(Settings(home=tmp_path)), Size(30, 2, 300)
    make(services, size, history=True)

    (chunk,) = services.history.read(HistoryScope(TENANT, CLUSTER, 0), start=0, end=END)

    assert chunk.cpu_cores.shape == chunk.memory_bytes.shape == (30, 576)
    assert not np.isnan(chunk.cpu_cores).any()
    assert (chunk.end, len({key.workload_uid for key in chunk.keys})) == (END, 30)


def test_a_run_tells_the_keys_of_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPID_WORKERS", "1")
    size = Size(40, 1, 300)
    make(Services(Settings(home=tmp_path)), size, history=True)

    begun = time.perf_counter()
    told = run(tmp_path, size, "history")

    assert list(told) == ["containers", "from", "seconds", "recommendations", "peak_rss_bytes"]
    assert (told["containers"], told["from"], told["recommendations"]) == (40, "history", 40)
    assert list(told["seconds"]) == ["load", "analyze", "persist", "total"]
    assert 0 < sum(list(told["seconds"].values())[:3]) < told["seconds"]["total"] < time.perf_counter() - begun
    assert told["peak_rss_bytes"] > 20 * MIB


def test_runs_share_data_that_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPID_WORKERS", "1")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    runs = analyze(Size(10, 1, 900), "profiles", repeat=2)

    assert [told["recommendations"] for told in runs] == [10, 10]
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_leaves_a_recommendation_out_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPID_WORKERS", "1")
    make(Services(Settings(home=tmp_path)), Size(5, 1, 300), history=False)

    with pytest.raises(BenchmarkError, match="5 of 6"):
        run(tmp_path, Size(6, 1, 300), "profiles")


def test_the_request_of_a_benchmark_is_the_whole_cluster() -> None:
    assert AnalysisRequest(CLUSTER).body() | {"cluster_id": ""} == {
        "cluster_id": "", "namespaces": [], "workloads": [], "strategy": "balanced", "allowed_time_above": None, "source": "profiles", "knobs": [],
    }  # fmt: skip


def test_the_store_is_written_and_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upid.cli.benching.stores.make_year", lambda rollups: make_year(rollups, containers=3))
    (told,) = stores(Size(30, 2, 300), repeat=1, written=50)

    assert {task: {name: told[task][name] for name in told[task] if name in {"samples", "chunks", "series", "values"}} for task in ("read", "write", "year")} == {
        "read": {"samples": 30 * 576 * 2}, "write": {"chunks": 1, "series": 50}, "year": {"values": 365 * 2, "chunks": 11 + 4 + 2},
    }  # fmt: skip
    assert {name: told["nodes"][name] for name in ("groups", "values", "warnings")} == {"groups": 1, "values": 2 * 48, "warnings": []}
    assert all(0 < told[task]["seconds"] < 30 for task in ("read", "write", "year", "nodes"))
    with pytest.raises(BenchmarkError):
        measured(Path("/nowhere"), "nothing", 0)


def test_the_engine_is_measured_from_profiles_from_samples_and_of_many() -> None:
    told = engine(Size(40, 7, 3600))

    assert (told["containers"], told["many"]["containers"], told["many"]["processes"]) == (40, 4000, 2)
    assert set(told["from_profiles"]) == {"requests", "assessed"}
    assert all(part["processor_seconds"] > 0 for part in (told["from_samples"], told["many"], *told["from_profiles"].values()))
    assert told["many"]["peak_rss_bytes"] > 2 * 20 * MIB


def test_a_measured_process_that_fails_is_told() -> None:
    with pytest.raises(BenchmarkError, match="ended with status 1"):
        engine(Size(4, 7, 0))
