"""Live lists against a bare client: 10,000 pods of a real one's size by pages of 500, time and peak memory of each, as JSON.

    python benchmarks/live_lists.py

Each way runs in a process of its own, so that its peak is its own; the server, with its pages made beforehand, runs in another.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PODS, PAGE = 10_000, 500
ENVIRONMENT = [{"name": f"SETTING_{n}", "value": "a value of some length, as they are"} for n in range(12)]


def pod(number: int) -> dict[str, Any]:
    """Return a pod of the size that real ones have."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"web-{number // 10}", "uid": f"rs-{number // 10}", "controller": True}
    fields = [{"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:status": {f"f:condition-{n}": {} for n in range(30)}}}]
    boxes = [
        {
            "name": name,
            "image": "registry.example.com/app:1",
            "env": ENVIRONMENT,
            "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}},
        }
        for name in ("app", "proxy")
    ]
    states = [
        {"name": name, "ready": True, "restartCount": 1, "state": {"running": {}}, "imageID": "sha256:" + "0" * 64}
        for name in ("app", "proxy")
    ]
    return {
        "metadata": {
            "namespace": f"team-{number % 50}", "name": f"web-{number}", "uid": f"uid-{number}", "creationTimestamp": "2026-01-02T03:04:05Z",
            "resourceVersion": str(number), "labels": {"app": "web", "team": str(number % 50)}, "ownerReferences": [owner], "managedFields": fields,
        },
        "spec": {"nodeName": f"node-{number % 200}", "containers": boxes},
        "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": states},
    }  # fmt: skip


def serve() -> None:
    """Serve the list until the process ends, and print the port and how many bytes the list has."""
    pages = []
    for start in range(0, PODS, PAGE):
        more = {"continue": str(start + PAGE)} if start + PAGE < PODS else {}
        pages.append(json.dumps({"kind": "PodList", "metadata": more, "items": [pod(n) for n in range(start, start + PAGE)]}).encode())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            start = int(parse_qs(urlsplit(self.path).query).get("continue", ["0"])[0])
            body = pages[start // PAGE]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, sum(map(len, pages)), flush=True)
    server.serve_forever()


def bare(url: str) -> Iterator[int]:
    """Yield how many pods each page has, read with an HTTP client and a JSON parser alone."""
    import orjson  # noqa: PLC0415 only what a way needs counts for its peak
    import urllib3  # noqa: PLC0415 as above

    pool, token = urllib3.PoolManager(), ""
    while True:
        document = orjson.loads(pool.request("GET", f"{url}/api/v1/pods?limit={PAGE}" + (f"&continue={token}" if token else "")).data)
        yield len(document["items"])
        token = document["metadata"].get("continue", "")
        if not token:
            return


def ours(url: str) -> Iterator[int]:
    """Yield how many pods each page has, read as the platform does."""
    from upid.adapters.kubernetes.client import ApiServers  # noqa: PLC0415 only what a way needs counts for its peak
    from upid.domain.clusters import ClusterAccess  # noqa: PLC0415 as above

    server, after = ApiServers().open(ClusterAccess(server=url, token="t")), None
    while True:
        page = server.objects("pods", limit=PAGE, after=after)
        yield len(page.rows)
        after = page.after
        if after is None:
            return


def measure(way: str, url: str) -> None:
    """Print the best time of five, and this process's peak memory."""
    run = {"bare": bare, "ours": ours}[way]
    assert sum(run(url)) == PODS
    times = []
    for _ in range(5):
        started = time.perf_counter()
        assert sum(run(url)) == PODS
        times.append(time.perf_counter() - started)
    print(json.dumps({"seconds": round(min(times), 3), "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}))


def main() -> None:
    """Measure both ways and print how they compare."""
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        port, size = server.stdout.readline().split()
        command = [sys.executable, __file__]
        found = {
            way: json.loads(subprocess.run([*command, way, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True).stdout)
            for way in ("bare", "ours")
        }
        server.terminate()
    ratio = round(found["ours"]["seconds"] / found["bare"]["seconds"], 2)
    print(json.dumps({"pods": PODS, "mib": round(int(size) / 2**20, 1), **found, "ratio": ratio}))


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else measure(*sys.argv[1:]) if sys.argv[1:] else main()
