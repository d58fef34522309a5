from __future__ import annotations

import socket
import threading

import pytest
from adapters.kubernetes.playing import DEPLOYMENTS, NAMESPACES, Api, refusal, workload
from outside.serving import Reply, serving

from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.kubernetes.errors import ApiServerError
from upid.adapters.kubernetes.session import Patience, Session
from upid.adapters.kubernetes.target import Target
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import UnauthenticatedError


def test_the_token_goes_with_every_request(api: Api) -> None:
    api.inventory()

    assert {request.headers["authorization"] for request in api.asked} == {"Bearer good"}


def test_the_version_is_the_servers(api: Api) -> None:
    with api.opened() as server:
        assert server.version() == "v1.33.0"
        assert server.context.startswith("127.0.0.1:")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again_with_growing_pauses(api: Api, status: int) -> None:
    api.stumbles["/version"] = [refusal(status), refusal(status)]

    with api.opened(backoff_seconds=0.25) as server:
        assert server.version() == "v1.33.0"
    assert api.slept == [0.25, 0.5]


def test_a_server_that_says_how_long_to_wait_is_heard_within_bounds(api: Api) -> None:
    wait = {"Retry-After": "3"}
    api.stumbles["/version"] = [Reply({}, 429, wait), Reply({}, 429, {"Retry-After": "86400"})]

    with api.opened(longest_wait_seconds=7.0) as server:
        server.version()
    assert api.slept == [3.0, 7.0]


def test_a_kind_that_fails_again_and_again_is_named_and_the_rest_is_read(api: Api) -> None:
    api.always["/apis/batch/v1/jobs"] = refusal(500, "etcd is down")
    api.add(DEPLOYMENTS, workload("a", "web"))

    inventory = api.inventory()

    assert len(inventory.workloads) == 1
    assert inventory.unreadable[0].what == "jobs"
    assert "answers 500 to /apis/batch/v1/jobs, 5 times" in inventory.unreadable[0].reason


def test_an_expired_token_is_unauthenticated_and_not_tried_again(api: Api) -> None:
    api.always[NAMESPACES] = refusal(401, "Unauthorized")

    with pytest.raises(UnauthenticatedError, match="does not accept these credentials: Unauthorized"):
        api.inventory()
    assert api.times(NAMESPACES) == 1


def test_a_redirect_is_not_followed(api: Api) -> None:
    api.always["/version"] = Reply({}, 302, {"Location": "http://127.0.0.1:1/elsewhere"})

    with api.opened() as server, pytest.raises(ApiServerError, match="answers 302"):
        server.version()


def test_an_answer_that_is_too_long_is_cut_off(api: Api) -> None:
    api.always["/version"] = Reply(b"x" * 300_000)

    with api.opened(answer_bytes=1 << 17) as server, pytest.raises(ApiServerError, match="more than 0 MiB at once"):
        server.version()


def test_nobody_there_is_told_in_one_line() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        server = ApiServers(Patience(sleep=lambda _: None)).open(
            ClusterAccess(server=f"http://127.0.0.1:{held.getsockname()[1]}", token="t")
        )

        with pytest.raises(ApiServerError, match=r"cannot be reached: .*refused") as caught:
            server.version()
    assert "\n" not in caught.value.detail


def test_a_server_that_hangs_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        patience = Patience(read_seconds=0.1, attempts=2, sleep=lambda _: None)
        server = ApiServers(patience).open(ClusterAccess(server=f"http://127.0.0.1:{listening.getsockname()[1]}", token="t"))

        with pytest.raises(ApiServerError, match="does not answer in time"):
            server.version()


def test_a_connection_that_breaks_off_is_tried_again() -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\nConnection: close\r\n\r\n{"gitVersion": "v1.2"}'
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for reply in (answer[:60], answer):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        server = ApiServers(Patience(sleep=lambda _: None)).open(
            ClusterAccess(server=f"http://127.0.0.1:{listening.getsockname()[1]}", token="t")
        )
        assert server.version() == "v1.2"
        thread.join()


def test_an_answer_that_is_no_version_is_no_kubernetes_api(api: Api) -> None:
    api.always["/version"] = Reply({"hello": 1})

    with api.opened() as server, pytest.raises(ApiServerError, match="tells no version"):
        server.version()


def test_a_proxy_of_the_kubeconfig_is_gone_through(api: Api) -> None:
    with serving(api.answer) as proxy:
        session = Session(Target("c", "http://cluster.invalid", proxy_url=proxy))
        assert session.get("/version").status == 200
        session.close()
    assert api.asked[0].headers["host"] == "cluster.invalid"


@pytest.mark.parametrize(("trusted", "server", "through"), [(True, "http://cluster.invalid", 1), (False, "http://cluster.invalid", 0)])
def test_the_systems_proxy_is_gone_through_for_those_who_are_trusted(
    api: Api, monkeypatch: pytest.MonkeyPatch, trusted: bool, server: str, through: int
) -> None:
    monkeypatch.setenv("no_proxy", "")
    with serving(api.answer) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        session = Session(Target("c", server, system_proxies=trusted), Patience(attempts=1))
        if through:
            assert session.get("/version").status == 200
        else:
            with pytest.raises(ApiServerError):
                session.get("/version")
        session.close()
    assert len(api.asked) == through


def test_slow_answers_are_waited_for_half_as_often() -> None:
    slept: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        patience = Patience(read_seconds=0.05, attempts=5, sleep=slept.append)
        server = ApiServers(patience).open(ClusterAccess(server=f"http://127.0.0.1:{listening.getsockname()[1]}", token="t"))
        with pytest.raises(ApiServerError):
            server.version()
    assert len(slept) == 2
