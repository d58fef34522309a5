"""`upid scan` beside what Prometheus itself takes to answer the same two range queries whole. Prints JSON: seconds, ratio, memory.

python benchmarks/scan.py --kubeconfig K --prometheus-url U [--history 7d] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import urllib3

from upid.cli.benching.memory import PeakMemory
from upid.domain.times import parse_duration

STEP_SECONDS = 300
QUERIES = (
    'rate(container_cpu_usage_seconds_total{container!=""}[5m])',
    'max_over_time(container_memory_working_set_bytes{container!=""}[5m])',
)


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--prometheus-url", required=True)
    parser.add_argument("--history", default="7d")
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    prometheus = statistics.median(answer_seconds(asked.prometheus_url, asked.history) for _ in range(asked.repeat))
    runs = [scan(asked.kubeconfig, asked.prometheus_url, asked.history) for _ in range(asked.repeat)]
    seconds = statistics.median(run["seconds"] for run in runs)
    print(json.dumps({
        "history": asked.history, "containers": runs[0]["containers"], "prometheus_seconds": round(prometheus, 3), "scan_seconds": round(seconds, 3),
        "ratio": round(seconds / prometheus, 3), "peak_rss_bytes": max(run["peak_rss_bytes"] for run in runs),
    }, indent=2))  # fmt: skip


def answer_seconds(url: str, history: str) -> float:
    """Return how long Prometheus takes to answer the queries of all containers, one after the other, read whole."""
    end = time.time() // STEP_SECONDS * STEP_SECONDS
    pool = urllib3.PoolManager()
    begun = time.perf_counter()
    for query in QUERIES:
        window = {"query": query, "start": end - parse_duration(history) + STEP_SECONDS, "end": end, "step": STEP_SECONDS}
        answer = pool.request("POST", f"{url.rstrip('/')}/api/v1/query_range", fields=window, encode_multipart=False)
        if answer.status != 200:
            raise SystemExit(f"Prometheus answers {answer.status}: {answer.data[:300].decode(errors='replace')}")
    return time.perf_counter() - begun


def scan(kubeconfig: str, url: str, history: str) -> dict[str, Any]:
    """Return the wall time, memory and result size of one `upid scan`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scan.json"
        command = [
            sys.executable, "-P", "-m", "upid.cli.main", "scan", "--kubeconfig", kubeconfig, "--prometheus-url", url, "--history", history,
            "--output", "json", "--file", str(file), "--quiet",
        ]  # fmt: skip
        begun = time.perf_counter()
        with subprocess.Popen(command) as process, PeakMemory(process.pid) as memory:
            status = process.wait()
        seconds = time.perf_counter() - begun
        if status not in {0, 3}:
            raise SystemExit(f"upid scan ended with status {status}.")
        found = json.loads(file.read_bytes())
    return {"seconds": seconds, "peak_rss_bytes": memory.peak_bytes, "containers": len(found["recommendations"])}


if __name__ == "__main__":
    main()
