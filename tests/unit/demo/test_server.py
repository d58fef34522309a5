from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest
import urllib3
import yaml
from unit.demo.small import TOKEN, cluster

from upid.demo.server import DemoServer

http = urllib3.PoolManager(retries=False, timeout=20)


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    made = DemoServer(cluster())
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    http.clear()
    made.shutdown()
    made.server_close()
    thread.join()


def test_its_kubeconfig_says_where_it_is_and_who_may_ask(server: DemoServer) -> None:
    document = yaml.safe_load(server.kubeconfig())

    assert document["clusters"][0]["cluster"]["server"] == f"{server.url}/kubernetes"
    assert document["users"][0]["user"]["token"] == TOKEN


def test_a_query_may_be_sent_as_a_form_or_in_the_url(server: DemoServer) -> None:
    url = f"{server.url}/prometheus/api/v1/query"
    fields = {"query": "count(up)", "time": "1790000000"}
    posted = http.request("POST", url, fields=fields, encode_multipart=False)
    got = http.request("GET", url, fields=fields)

    assert posted.status == got.status == 200
    assert posted.json() == got.json()
    assert posted.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/kubernetes/version", {}, 401),
        ("GET", "/kubernetes/version", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("GET", "/", {}, 404),
        ("DELETE", "/kubernetes/api/v1/pods", {}, 501),
        ("POST", "/prometheus/api/v1/query", {"Content-Length": "99999999"}, 413),
    ],
)
def test_it_answers_what_it_can_and_says_what_it_cannot(
    server: DemoServer, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert http.request(method, f"{server.url}{path}", headers=headers | {"Connection": "close"}).status == status


def test_a_connection_that_ends_with_its_answer_says_so(server: DemoServer) -> None:
    url = f"{server.url}/prometheus/-/ready"

    assert http.request("GET", url, headers={"Connection": "close"}).headers["Connection"] == "close"
    assert "Connection" not in http.request("GET", url).headers


def test_a_client_that_goes_away_in_the_middle_leaves_no_trace(server: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    host, port = server.server_address[:2]
    with socket.create_connection((str(host), int(port))) as client:
        client.sendall(b"GET /prometheus/api/v1/series HTTP/1.1\r\nHost: x\r\n\r\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets the connection

    assert http.request("GET", f"{server.url}/prometheus/-/ready", headers={"Connection": "close"}).status == 200
    assert capsys.readouterr().err == ""
