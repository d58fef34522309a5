"""`upid scan` of a CronJob whose very many short-lived pods all ran in the window. Prints JSON: pods, seconds of processor time, peak memory.

Also how large the blob is that a collector stores of a day of them, and how large it would be with a row for each pod.

python benchmarks/short_jobs.py [--pods 20000] [--days 7] [--minutes 60]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from upid.adapters.columnar.packing import packed
from upid.cli.benching.memory import PeakMemory
from upid.ports.usage_history import SeriesKey, UsageChunk

END = 1_700_006_400
STEP = 300
SPACE = "batch"
LISTS = {
    "/api/v1/namespaces": [{"metadata": {"name": SPACE, "uid": "ns"}}],
    "/apis/batch/v1/cronjobs": [{
        "metadata": {"namespace": SPACE, "name": "nightly", "uid": "cj", "creationTimestamp": "2023-01-01T00:00:00Z"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [
            {"name": "work", "image": "work:1", "resources": {"requests": {"cpu": "2", "memory": "2Gi"}}},
        ]}}}}},
    }],
}  # fmt: skip


class Jobs:
    """What Kubernetes and Prometheus would answer: pod `i` starts at an even share of the window and runs so many minutes."""

    def __init__(self, pods: int, days: int, minutes: int) -> None:
        self.pods, self.seconds, self.length = pods, days * 86400, minutes * 60

    def document(self, path: str, params: dict[str, list[str]]) -> Any:
        """Return the answer of a path; None for what there is not."""
        if path.startswith("/prometheus/api/v1/"):
            return {"status": "success", "data": self._data(path.rpartition("/")[2], {name: values[0] for name, values in params.items()})}
        if path == "/version":
            return {"gitVersion": "v1.33.0"}
        plural = path.rpartition("/")[2]
        return {"kind": plural, "metadata": {}, "items": LISTS.get(path, [])}

    def _data(self, what: str, params: dict[str, str]) -> Any:
        if what == "values":
            return ["container_memory_working_set_bytes"]
        if what == "series":
            return [*map(self._pod_owner, range(self.pods)), *map(self._job_owner, range(self.pods))]
        query = params["query"]
        if what == "query":
            return {
                "resultType": "vector",
                "result": [{"metric": {"namespace": SPACE}, "value": [END, "15" if "quantile" in query else "2"]}],
            }
        value = 0.5 if "cpu_usage" in query else 3e8 if "memory_working" in query else 600.0 if "cfs" in query else None
        if "throttled" in query:
            value = 30.0
        start, end, step = (int(params[name]) for name in ("start", "end", "step"))
        return {"resultType": "matrix", "result": [] if value is None else list(self._matrix(value, start, end, step))}

    def _matrix(self, value: float, start: int, end: int, step: int) -> Any:
        for i in range(self.pods):
            begin = END - self.seconds + int(i * (self.seconds - self.length) / self.pods)
            first = max(start, start + -(-(begin - start) // step) * step)
            moments = range(first, min(end, begin + self.length) + 1, step)
            if moments:
                labels = {"namespace": SPACE, "pod": self._pod(i), "container": "work", "id": f"/kubepods/burstable/pod{i:08x}/{i:064x}"}
                yield {"metric": labels, "values": [[moment, f"{value * (1 + (i * 7919 + moment) % 97 / 97):.9g}"] for moment in moments]}

    def _pod(self, i: int) -> str:
        return f"nightly-{28_000_000 + i}-{i:05x}"

    def _pod_owner(self, i: int) -> dict[str, str]:
        owner = {"owner_kind": "Job", "owner_name": f"nightly-{28_000_000 + i}", "owner_is_controller": "true"}
        return {
            "__name__": "kube_pod_owner",
            "namespace": SPACE,
            "pod": self._pod(i),
            **owner,
            "instance": "10.0.0.1:8080",
            "job": "kube-state-metrics",
        }

    def _job_owner(self, i: int) -> dict[str, str]:
        owner = {"owner_kind": "CronJob", "owner_name": "nightly", "owner_is_controller": "true"}
        return {
            "__name__": "kube_job_owner",
            "namespace": SPACE,
            "job_name": f"nightly-{28_000_000 + i}",
            **owner,
            "instance": "10.0.0.1:8080",
        }


class Handler(BaseHTTPRequestHandler):
    """Hands requests to the jobs of its server."""

    protocol_version = "HTTP/1.1"
    jobs: Jobs

    def do_GET(self) -> None:
        """Answer."""
        parts, sent = urlsplit(self.path), self.rfile.read(int(self.headers.get("Content-Length") or 0))
        document = self.jobs.document(parts.path, parse_qs(parts.query) | parse_qs(sent.decode()))
        body = json.dumps(document, separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 the name that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def stored_day(pods: int, minutes: int) -> dict[str, int]:
    """Return the bytes of a stored day of so many pods of so many minutes, on lanes and in rows."""
    steps = 86400 // STEP
    begin = np.arange(pods) * steps // pods
    there = (np.arange(steps) >= begin[:, None]) & (np.arange(steps) < (begin + -(-minutes * 60 // STEP))[:, None])
    values = np.where(there, np.arange(steps) % 97, np.nan).astype(np.float32)
    keys = [SeriesKey("uid", "work", f"nightly-{28_000_000 + pod}-{pod:05x}") for pod in range(pods)]
    none = np.zeros(pods, np.int32)
    chunk = UsageChunk(keys, END - 86400, STEP, values, values, values, none, none, np.full(pods, np.nan))
    return {"pods": pods, "bytes": len(packed(chunk)), "bytes_in_rows": 3 * values.nbytes}


def main() -> None:
    """Serve, scan and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--minutes", type=int, default=60)
    asked = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"jobs": Jobs(asked.pods, asked.days, asked.minutes)}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with tempfile.TemporaryDirectory() as folder:
        config, file = Path(folder) / "kubeconfig", Path(folder) / "scan.json"
        user = {
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "contexts": [{"name": "jobs", "context": {"cluster": "c"}}],
            "current-context": "jobs",
        }
        config.write_text(json.dumps(user))
        command = [
            sys.executable, "-P", "-m", "upid.cli.main", "scan", "--kubeconfig", str(config), "--prometheus-url", f"{url}/prometheus", "--at", str(END),
            "--history", f"{asked.days}d", "--output", "json", "--file", str(file), "--quiet",
        ]  # fmt: skip
        with subprocess.Popen(command) as process, PeakMemory(process.pid) as memory:
            status = process.wait()
        if status:
            raise SystemExit(f"upid scan ended with status {status}.")
        (entry,) = json.loads(file.read_bytes())["recommendations"]
    server.shutdown()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    evidence = entry["evidence"]
    print(json.dumps({
        "pods": evidence["pods"], "samples": evidence["cpu_samples"], "status": entry["status"], "cpu_p95": evidence["cpu_cores"]["p95"],
        "memory_max": evidence["memory_bytes"]["max"], "processor_seconds": round(used.ru_utime + used.ru_stime, 2), "peak_rss_bytes": memory.peak_bytes,
        "stored_day": stored_day(asked.pods // asked.days, asked.minutes),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
