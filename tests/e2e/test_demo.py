"""`upid demo` and `upid demo-cluster` as processes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from upid.demo.state import read_state

http = urllib3.PoolManager(retries=False, timeout=20)
SERVING = "Serving; Ctrl-C ends it."


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPID_", "PORT"))}
    return kept | {"UPID_HOME": str(home), "PORT": "0", "UPID_SCHEDULES": "off", "UPID_WORKERS": "1"} | more


@contextmanager
def started(home: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "upid.cli.main", *arguments]
    process = subprocess.Popen(command, env=environment(home, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines_until(process: subprocess.Popen[str], last: str) -> list[str]:
    """Return the lines up to one that holds `last`; each is there as soon as it is printed."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or last not in lines[-1]:
        line = process.stdout.readline()
        assert line, (lines, process.communicate())
        lines.append(line.rstrip("\n"))
    return lines


def found(pattern: str, lines: list[str]) -> str:
    match = re.search(pattern, "\n".join(lines))
    assert match, lines
    return match[1]


def stopped(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[float, str]:
    """Return how long the process took to end, and what it said on standard error."""
    began = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return time.monotonic() - began, errors


def answers(url: str) -> bool:
    try:
        return http.request("GET", f"{url}/prometheus/-/ready", timeout=1.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def gone(url: str) -> bool:
    deadline = time.monotonic() + 60
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not answers(url)


def test_the_first_run_shows_what_changes_and_the_second_finds_its_data(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(home, "demo", "--pods", "20") as process:
        lines = lines_until(process, SERVING)
        url, cluster_url = found(r"API +(http://\S+)/api/v1\n", lines), found(r"demo cluster on (http://\S+) in", lines)
        password = found(r"admin / (\S+) ", lines)
        login = http.request("POST", f"{url}/api/v1/auth/login", json={"username": "admin", "password": password})
        took, errors = stopped(process)
    text = "\n".join(lines)
    assert re.search(r"shop/storefront +storefront +\d+ +1 +1Gi → \d+Mi +[\d.]+ +\d+% +\w+ \d+ ", text)
    assert re.search(r"shop/storefront +4 to 12 → \d+ to \d+ +[\d.]+ → [\d.]+ +[-\d.]+ +\w", text)
    assert re.search(r"Savings: [-\d,.]+ USD a month: requests [-\d,.]+, autoscalers [-\d,.]+", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x9b]", text)
    assert login.status == 200
    assert (process.returncode, errors) == (0, "")
    assert took < 10
    assert gone(cluster_url)
    cluster_id = found(r"recommendations/(cl_\w+)", lines)

    with started(home, "demo", "--pods", "20") as process:
        again = lines_until(process, SERVING)
        stopped(process)
    assert found(r"recommendations/(cl_\w+)", again) == cluster_id
    assert found(r"demo cluster on (http://\S+) in", again) == cluster_url
    assert "the password that the first start printed" in "\n".join(again)


def test_a_password_given_is_the_admins(tmp_path: Path) -> None:
    with started(tmp_path / "home", "demo", "--pods", "5", UPID_ADMIN_PASSWORD="first-Run-7") as process:
        lines = lines_until(process, SERVING)
        url = found(r"API +(http://\S+)/api/v1\n", lines)
        assert http.request("POST", f"{url}/api/v1/auth/login", json={"username": "admin", "password": "first-Run-7"}).status == 200
        assert stopped(process, signal.SIGINT)[0] < 10
    assert process.returncode == 0


def test_a_signal_in_the_middle_ends_it_cleanly(tmp_path: Path) -> None:
    with started(tmp_path / "home", "demo", "--pods", "150") as process:
        url = found(r"demo cluster on (http://\S+) in", lines_until(process, "Collecting usage"))
        took, errors = stopped(process)
    assert took < 10
    assert (process.returncode, errors) == (0, "")
    assert gone(url)


def test_a_demo_that_is_killed_takes_its_cluster_with_it(tmp_path: Path) -> None:
    with started(tmp_path / "home", "demo", "--pods", "5") as process:
        url = found(r"demo cluster on (http://\S+) in", lines_until(process, "Collecting usage"))
        assert answers(url)
        process.kill()
        process.communicate()
    assert gone(url)


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with started(tmp_path / "home", "demo", PORT=str(port)) as process:
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == f"upid: Port {port} on 127.0.0.1 is taken: stop what listens there, or set PORT to another one.\n"


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with started(tmp_path / "file" / "home", "demo") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.fullmatch(r"upid: The data folder \S+ cannot be written \(Not a directory\): set UPID_HOME to one that can\.\n", errors)


def test_another_port_is_taken_where_that_of_the_last_time_is_taken(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(home, "demo", "--pods", "5") as process:
        before = lines_until(process, SERVING)
        stopped(process)
    state = read_state(home / "demo-5.json")
    assert state is not None
    with socket.create_server(("127.0.0.1", state.port)), started(home, "demo", "--pods", "5") as process:
        after = lines_until(process, SERVING)
        stopped(process)
    assert found(r"demo cluster on (http://\S+) in", after) != found(r"demo cluster on (http://\S+) in", before)
    assert found(r"recommendations/(cl_\w+)", after) == found(r"recommendations/(cl_\w+)", before)


def test_a_terminal_sees_progress_bars(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "upid.cli.main", "demo", "--pods", "20"]
    more = {"TERM": "xterm-256color", "COLUMNS": "180"}
    process = subprocess.Popen(
        command, env=environment(tmp_path / "home", **more), stdin=end, stdout=end, stderr=end, start_new_session=True
    )
    os.close(end)
    seen, deadline = b"", time.monotonic() + 90
    while SERVING.encode() not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.5)[0]:
            seen += os.read(terminal, 1 << 16)
    process.terminate()
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    text = seen.decode()
    assert "Collecting usage" in text
    assert "\x1b[" in text
    assert "━" in text
    assert "Savings" in text


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Serve the demo cluster by itself and give its kubeconfig's file and its Prometheus' URL."""
    folder = tmp_path_factory.mktemp("alone")
    file = folder / "kubeconfig"
    with started(folder / "home", "demo-cluster", "--kubeconfig", str(file)) as process:
        yield file, found(r"Prometheus API: (\S+)", lines_until(process, "Prometheus API"))
        took, errors = stopped(process)
    assert (process.returncode, errors) == (0, "")
    assert took < 10


def test_a_scan_of_the_demo_cluster_has_every_container(alone: tuple[Path, str], tmp_path: Path) -> None:
    deadline = time.monotonic() + 60
    while not alone[0].exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    command = [
        sys.executable,
        "-m",
        "upid.cli.main",
        "scan",
        "--kubeconfig",
        str(alone[0]),
        "--prometheus-url",
        alone[1],
        "--history",
        "1d",
        "-o",
        "json",
    ]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, timeout=120, check=False)

    document = json.loads(done.stdout)
    assert (done.returncode, document["cluster"]) == (0, "demo")
    assert len(document["recommendations"]) == document["summary"]["containers"] > 10
    assert {entry["status"] for entry in document["recommendations"]} >= {"recommended", "withheld"}


def test_the_official_client_reads_every_kind_of_it(alone: tuple[Path, str]) -> None:
    from kubernetes import client, config

    api = config.new_client_from_config(str(alone[0]))
    core, apps, batch = client.CoreV1Api(api), client.AppsV1Api(api), client.BatchV1Api(api)
    first = core.list_pod_for_all_namespaces(limit=10)
    lists = [
        first, core.list_pod_for_all_namespaces(limit=500, _continue=first.metadata._continue), core.list_node(), core.list_namespace(),
        apps.list_deployment_for_all_namespaces(), apps.list_replica_set_for_all_namespaces(), apps.list_stateful_set_for_all_namespaces(),
        apps.list_daemon_set_for_all_namespaces(), batch.list_cron_job_for_all_namespaces(), batch.list_job_for_all_namespaces(),
        client.AutoscalingV2Api(api).list_horizontal_pod_autoscaler_for_all_namespaces(), core.list_limit_range_for_all_namespaces(),
    ]  # fmt: skip
    api.close()

    assert len(first.items) == 10
    assert [len(each.items) > 0 for each in lists] == [True] * len(lists)
