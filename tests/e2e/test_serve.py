"""`upid serve` as a process: starts, tells where it is, serves, and stops by signal."""

from __future__ import annotations

import os
import re
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

http = urllib3.PoolManager(retries=False, timeout=20)


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPID_", "PORT"))}
    return kept | {"UPID_HOME": str(home), "PORT": "0", "UPID_SCHEDULES": "off", "UPID_WORKERS": "1"} | more


@contextmanager
def serving(home: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "upid.cli.main", "serve"],
        env=environment(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, [process.stdout.readline().rstrip("\n") for _ in range(4)]
    finally:
        process.kill()
        process.communicate()


def url_of(lines: list[str]) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
    assert found, lines
    return found[0]


def login(url: str, password: str) -> int:
    return http.request("POST", f"{url}/api/v1/auth/login", json={"username": "admin", "password": password}).status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_stops_within_ten_seconds(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "home") as (process, lines):
        assert http.request("GET", f"{url_of(lines)}/api/v1/gateway/health").status == 200
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert (process.returncode, errors) == (0, "")


def catches(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler for a signal, as the kernel has it."""
    (mask,) = (line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("command", ["serve", "demo", "demo-cluster"])
def test_a_signal_while_it_only_begins_ends_it_as_well(tmp_path: Path, command: str) -> None:
    arguments = [sys.executable, "-m", "upid.cli.main", command]
    # Where coverage is measured in processes too, it has a handler of its own for SIGTERM, before ours.
    measured_not = {name: value for name, value in environment(tmp_path / "home").items() if not name.startswith("COV")}
    process = subprocess.Popen(arguments, env=measured_not, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while process.poll() is None and not catches(process.pid, signal.SIGTERM):
            time.sleep(0.002)
        process.terminate()
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, "")


def test_it_stops_in_time_although_a_client_never_ends_its_request(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as (process, lines):
        host, port = url_of(lines).removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)
    assert process.returncode == 0


def test_the_generated_password_is_printed_at_the_first_start_only(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as (_, lines):
        found = re.search(r"admin / (\S+) ", lines[3])
        assert found, lines
        assert login(url_of(lines), found[1]) == 200
    with serving(tmp_path / "home") as (_, lines):
        assert found[1] not in "\n".join(lines)
        assert login(url_of(lines), found[1]) == 200


def test_the_environment_sets_and_resets_the_password(tmp_path: Path) -> None:
    with serving(tmp_path / "home", UPID_ADMIN_PASSWORD="first") as (_, lines):
        assert login(url_of(lines), "first") == 200
    with serving(tmp_path / "home", UPID_ADMIN_PASSWORD="second") as (_, lines):
        assert (login(url_of(lines), "first"), login(url_of(lines), "second")) == (401, 200)
        assert "second" not in "\n".join(lines)


def run(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "upid.cli.main", "serve", *arguments]
    return subprocess.run(command, env=environment(home, **more), capture_output=True, text=True, timeout=60, check=False)


def test_a_taken_port_gets_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(tmp_path / "home", PORT=str(port))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"upid: Port {port} on 127.0.0.1 is taken: stop what listens there, or set PORT to another one.\n"
    assert not (tmp_path / "home").exists()


def test_a_folder_that_cannot_be_written_gets_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "file/home"):
        ended = run(tmp_path / place)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
        assert "cannot be written" in ended.stderr


def test_a_second_platform_on_the_same_folder_gets_one_clear_line(tmp_path: Path) -> None:
    with serving(tmp_path / "home"):
        ended = run(tmp_path / "home")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "Another UPID is running" in ended.stderr


@pytest.mark.parametrize(("name", "value"), [("UPID_WORKERS", "none"), ("UPID_TOKEN_SECONDS", "5")])
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    ended = run(tmp_path / "home", **{name: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"upid: {name}={value!r} must be")


@pytest.mark.parametrize(("name", "content"), [("upid.db", b"no database " * 500), ("master.key", b"short")])
def test_damaged_data_gets_one_clear_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    ended = run(tmp_path)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert str(tmp_path / name) in ended.stderr


def test_a_killed_platform_starts_again_on_its_data(tmp_path: Path) -> None:
    with serving(tmp_path / "home", UPID_ADMIN_PASSWORD="kept") as (process, _):
        process.kill()
        process.wait()
    with serving(tmp_path / "home") as (_, lines):
        assert login(url_of(lines), "kept") == 200
