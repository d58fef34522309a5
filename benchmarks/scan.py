"""`upid scan` beside what Prometheus itself takes to answer the two range queries of CPU and memory whole. Prints JSON: seconds, ratio, memory.

Seconds are wall time, which needs an idle machine; processor seconds, of both sides (Prometheus' by its own metrics), tell on a busy one too.

python benchmarks/scan.py --kubeconfig K --prometheus-url U [--history 7d] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import resource
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
    url, began = asked.prometheus_url, processor_seconds(asked.prometheus_url)
    prometheus = statistics.median(answer_seconds(url, asked.history) for _ in range(asked.repeat))
    between = processor_seconds(url)
    runs = [scan(asked.kubeconfig, url, asked.history) for _ in range(asked.repeat)]
    ended, own = processor_seconds(url), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = statistics.median(run["seconds"] for run in runs)
    processor = {"queries": between - began, "scan_in_prometheus": ended - between, "scan": own.ru_utime + own.ru_stime}
    print(json.dumps({
        "history": asked.history, "containers": runs[0]["containers"], "prometheus_seconds": round(prometheus, 3), "scan_seconds": round(seconds, 3),
        "ratio": round(seconds / prometheus, 3), "processor_seconds": {name: round(value / asked.repeat, 3) for name, value in processor.items()},
        "peak_rss_bytes": max(run["peak_rss_bytes"] for run in runs),
    }, indent=2))  # fmt: skip


def processor_seconds(url: str) -> float:
    """Return the processor time that Prometheus has used so far, NaN where it does not tell."""
    text = urllib3.PoolManager().request("GET", f"{url.rstrip('/')}/metrics").data.decode(errors="replace")
    found = [line.split()[-1] for line in text.splitlines() if line.startswith("process_cpu_seconds_total ")]
    return float(found[0]) if found else float("nan")


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
