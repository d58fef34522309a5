"""Many threads in one process: no request ever sees another's event, caller or answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from functional.client import Client

from upid.http.api import Router, build_api
from upid.http.params import CurrentCaller

THREADS, CALLS = 8, 250


def event(number: int) -> dict[str, object]:
    authorizer = {"user_id": f"usr_{number}", "username": f"user-{number}", "tenant": f"t{number}", "permissions": '["echo:read"]'}
    return {
        "path": f"/api/v1/echo/{number}", "httpMethod": "GET", "headers": {}, "body": None, "isBase64Encoded": False,
        "queryStringParameters": None, "requestContext": {"requestId": str(number), "authorizer": authorizer},
    }  # fmt: skip


def test_events_of_threads_never_mix() -> None:
    router = Router("/echo", tag="Echo")

    @router.get("/<number>", permission="echo:read")
    def echo(number: int, caller: CurrentCaller) -> dict[str, str]:
        """Return what was asked and who asked."""
        return {"number": str(number), "caller": caller.username, "tenant": caller.tenant}

    other = Router("/other", tag="Other")
    apis, together = [build_api(router), build_api(router, other)], Barrier(THREADS)

    def hammer(thread: int) -> int:
        together.wait()  # all threads make the first call at once, when the middleware stack is built
        right = 0
        for call in range(CALLS):
            number = thread * CALLS + call
            body = apis[call % 2].resolve(event(number), None)["body"]
            right += body == f'{{"number":"{number}","caller":"user-{number}","tenant":"t{number}"}}'
        return right

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(hammer, range(THREADS))) == THREADS * CALLS


def test_callers_of_the_gateway_never_mix(client: Client) -> None:
    users = [client.as_user(f"noun{number}:read") for number in range(THREADS)]

    def hammer(number: int) -> int:
        return sum(users[number].get("/auth/profile").json["permissions"][-1] == f"noun{number}:read" for _ in range(50))

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(hammer, range(THREADS))) == [50] * THREADS
