"""The platform as a server: real sockets, real HTTP."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import pytest
import urllib3
from functional.client import PASSWORD

from upid.bootstrap import Services, build_services
from upid.runtime.home import DataFolder, PlatformError, bind
from upid.runtime.server import PlatformServer

http = urllib3.PoolManager(retries=False, timeout=20)


def login(server: PlatformServer) -> dict[str, str]:
    answer = http.request("POST", f"{server.url}/api/v1/auth/login", json={"username": "admin", "password": PASSWORD})
    assert answer.status == 200
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def test_it_answers_over_http(server: PlatformServer) -> None:
    assert http.request("POST", f"{server.url}/api/v1/gateway/health").json()["status"] == "ok"
    profile = http.request("GET", f"{server.url}/api/v1/auth/profile", headers=login(server))
    assert profile.json()["username"] == "admin"
    assert "server" not in profile.headers


def test_every_request_has_an_id_of_its_own(server: PlatformServer) -> None:
    ids = {http.request("GET", f"{server.url}/api/v1/nope").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20


def test_repeated_query_parameters_and_percent_signs_arrive_whole(server: PlatformServer) -> None:
    answer = http.request("GET", f"{server.url}/api/v1/clusters/a%20b%2Fc?x=1&x=2", headers=login(server))
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["?x"]
    assert http.request("GET", f"{server.url}/api/v1/clusters/a%20b%2Fc", headers=login(server)).status == 404


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_body_is_refused_before_it_is_read(server: PlatformServer, chunked: bool) -> None:
    body = b'{"username": "' + b"a" * (3 * 1024 * 1024) + b'"}'
    data = iter([body[i : i + 65536] for i in range(0, len(body), 65536)]) if chunked else body
    with urllib3.PoolManager(retries=False) as own:
        answer = own.request("POST", f"{server.url}/api/v1/auth/login", body=data, headers={"content-type": "application/json"})
    assert answer.status == 413
    assert answer.json()["limit_bytes"] == 1024 * 1024


def test_a_body_at_the_limit_is_read(server: PlatformServer) -> None:
    body = json.dumps({"username": "a", "password": "b"}).encode().ljust(1024 * 1024)
    assert http.request("POST", f"{server.url}/api/v1/auth/login", body=body, headers={"content-type": "application/json"}).status == 401


def raw(server: PlatformServer, request: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "request_", [b"nonsense\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"]
)  # fmt: skip
def test_broken_http_harms_nobody_else(server: PlatformServer, request_: bytes) -> None:
    raw(server, request_)
    assert http.request("GET", f"{server.url}/api/v1/gateway/health").status == 200


def test_a_slow_request_does_not_hold_up_others(server: PlatformServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        assert http.request("GET", f"{server.url}/api/v1/gateway/health").status == 200


def test_many_clients_at_once_get_their_own_answers(server: PlatformServer) -> None:
    wrong: list[object] = []

    def ask(number: int) -> None:
        with urllib3.PoolManager(retries=False) as own:
            for call in range(20):
                path = f"/api/v1/nope/{number}/{call}"
                if own.request("GET", server.url + path).json()["detail"] != f"There is no {path}.":
                    wrong.append(path)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_taken_port_is_told_before_anything_else_is_touched(tmp_path: Path, services: Services) -> None:
    from dataclasses import replace

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = replace(services.settings, port=taken.getsockname()[1], home=tmp_path / "untouched")
        with pytest.raises(PlatformError, match=rf"^Port {settings.port} on 127\.0\.0\.1 is taken: .*PORT"):
            PlatformServer(settings).start()
    assert not settings.home.exists()


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="cannot be written") as told:
        DataFolder(tmp_path / "file" / "home").take()
    assert "\n" not in str(told.value)
    assert "UPID_HOME" in str(told.value)


def test_two_platforms_never_share_a_data_folder(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.take()
    with pytest.raises(PlatformError, match="Another UPID"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_host_that_is_not_here_is_told() -> None:
    with pytest.raises(PlatformError, match=r"^Cannot listen on 192\.0\.2\.1 port 1"):
        bind("192.0.2.1", 1)


def test_it_stops_soon_and_starts_again_on_the_same_data(services: Services) -> None:
    with PlatformServer(services.settings) as first:
        token = login(first)
        began = time.monotonic()
    assert time.monotonic() - began < 8
    build_services.cache_clear()
    with PlatformServer(services.settings) as second:
        assert http.request("GET", f"{second.url}/api/v1/auth/profile", headers=token).status == 200
        assert second.admin_password is None


def test_a_failed_start_leaves_nothing_behind(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    from upid.runtime import server as module

    class Broken:
        def __init__(self, *_: object) -> None: ...

        def start(self) -> None:
            raise PlatformError("This part does not start.")

    monkeypatch.setattr(module, "background", lambda *_: [Broken()])
    with pytest.raises(PlatformError, match="does not start"):
        PlatformServer(services.settings).start()
    DataFolder(services.settings.home).take()
