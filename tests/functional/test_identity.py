"""Logins, tokens and permissions over the API."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import jwt
import pytest
from functional.client import PASSWORD, Answer, Client
from worlds.collection import SetClock

from upid.bootstrap import Services
from upid.domain.lifetimes import Lifetimes
from upid.services.caches import Caches
from upid.services.login_limits import LoginLimits

WRONG = "The user name or the password is wrong."


def login(client: Client, username: str = "admin", password: str = PASSWORD) -> Answer:
    return client.anonymous().post("/auth/login", {"username": username, "password": password})


def test_a_login_gives_a_bearer_token_that_the_api_takes(client: Client) -> None:
    body = login(client).expect(200)
    assert (body["token_type"], body["expires_in"], body["username"]) == ("Bearer", 900, "admin")
    profile = Client(client.gateway, client.services, body["access_token"]).get("/auth/profile").expect(200)
    assert profile["id"] == body["user_id"]
    assert "*" in profile["permissions"]


@pytest.mark.parametrize(("username", "password"), [("admin", "wrong"), ("nobody", PASSWORD), ("Admin", PASSWORD), ("admin ", PASSWORD)])
def test_a_wrong_login_says_the_same_whatever_is_wrong(client: Client, username: str, password: str) -> None:
    body = login(client, username, password).problem(401, "unauthenticated")
    assert body["detail"] == WRONG
    assert login(client, username, password).header("www-authenticate") == "Bearer"


def test_an_unknown_user_costs_as_much_work_as_a_wrong_password(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []
    hasher = client.services.identity._passwords._hasher
    monkeypatch.setattr(type(hasher), "verify", lambda self, encoded, password: verified.append(encoded) or False)
    login(client, "nobody")
    login(client, "admin", "wrong")
    assert [encoded.split("$")[:4] for encoded in verified] == [["", "argon2id", "v=19", "m=19456,t=2,p=1"]] * 2


def test_behind_a_trusted_proxy_each_client_waits_for_its_own_failures(
    monkeypatch: pytest.MonkeyPatch, services: Services, client: Client
) -> None:
    stopped = SetClock(services.clock.now())
    services.identity.__dict__["_limits"] = LoginLimits(services.records, stopped, 3600)

    def tried(address: str, password: str) -> int:
        headers = {"X-Forwarded-For": f"198.51.100.9, {address}"}  # the first is what the client itself claims
        return client.anonymous().post("/auth/login", {"username": "admin", "password": password}, headers=headers).status

    assert [tried("203.0.113.7", "wrong") for _ in range(7)] == [401] * 6 + [429]
    assert tried("203.0.113.8", PASSWORD) == 429  # nobody is trusted: all of them are the proxy
    services.__dict__["settings"] = replace(services.settings, trusted_proxies=(ip_network("127.0.0.0/8"),))
    assert [tried("203.0.113.7", "wrong") for _ in range(7)] == [401] * 6 + [429]
    assert tried("203.0.113.8", PASSWORD) == 200


@pytest.mark.parametrize("username", ["admin", "nobody"])
def test_failed_logins_have_to_wait_whoever_they_are_of(client: Client, username: str) -> None:
    stopped = SetClock(client.services.clock.now())
    client.services.identity.__dict__["_limits"] = LoginLimits(client.services.records, stopped, 3600)
    for _ in range(6):
        login(client, username, "wrong").problem(401, "unauthenticated")

    answer = login(client, username, PASSWORD)

    body = answer.problem(429, "too-many-logins")
    assert body["detail"] == "Too many logins failed: wait before the next one."
    assert answer.header("retry-after") == str(body["retry_after_seconds"]) == "1"
    other = client.services.identity.create_user("bob", "a password", [])
    assert login(client, "bob", "a password").expect(200)["user_id"] == other


def test_a_login_leaves_an_event_and_a_failed_one_none(client: Client) -> None:
    login(client, "admin", "wrong")
    login(client)
    events = [stored.event.type for stored in client.services.events.read("default")]
    assert events == ["user.created", "user.logged_in"]


def test_a_password_is_never_in_an_answer(client: Client) -> None:
    answer = client.anonymous().post("/auth/login", {"username": "admin", "password": {"hunter2": 1}})
    assert b"hunter2" not in answer.raw.body
    assert answer.problem(422, "invalid-request")["errors"][0]["pointer"] == "#/password"


def test_validate_tells_whose_a_token_is_and_nothing_of_a_bad_one(client: Client) -> None:
    good = client.post("/auth/validate", {"token": client.token}).expect(200)
    assert (good["active"], good["username"], good["tenant"]) == (True, "admin", "default")
    bad = client.post("/auth/validate", {"token": client.token[:-4] + "AAAA"}).expect(200)
    assert bad == {"active": False, "user_id": None, "username": None, "tenant": None, "permissions": [], "expires_at": None}


def test_a_user_is_refused_what_its_permissions_do_not_name(client: Client) -> None:
    user = client.as_user("metrics:read")
    assert user.get("/gateway/routes").problem(403, "forbidden")["permission"] == "gateway:read"
    assert client.as_user("gateway:read").get("/gateway/routes").status == 200
    assert client.as_user("gateway:*").get("/gateway/routes").status == 200
    assert user.get("/auth/profile").expect(200)["permissions"] == ["self:*", "metrics:read"]


def test_a_refused_caller_does_not_learn_whether_its_request_was_valid(client: Client) -> None:
    assert client.as_user().get("/gateway/routes", {"limit": "x"}).problem(403, "forbidden")
    assert client.anonymous().get("/gateway/routes", {"limit": "x"}).problem(401, "unauthenticated")


def test_a_change_of_permissions_counts_at_once(client: Client) -> None:
    user = client.as_user("gateway:read")
    assert user.get("/gateway/routes").status == 200
    key = next(r for r in client.services.records.query("t#default#users").items if r.body["permissions"] == ["gateway:read"])
    client.services.records.put(key.key, {**key.body, "permissions": []})
    assert user.get("/gateway/routes").problem(403, "forbidden")
    client.services.records.delete(key.key)
    assert user.get("/gateway/routes").problem(401, "unauthenticated")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic YWRtaW46eA==", "Bearer a.b.c", "Bearer \x00", "bearer"])
def test_a_missing_or_malformed_token_is_401(client: Client, header: str) -> None:
    answer = client.anonymous().get("/auth/profile", headers={"Authorization": header})
    assert answer.problem(401, "unauthenticated")


def forged(
    change: dict[str, object], key: object = None, algorithm: str = "EdDSA", headers: dict[str, object] | None = None
) -> Callable[[Client], str]:
    def make(client: Client) -> str:
        claims = jwt.decode(client.token, options={"verify_signature": False}) | change
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key or client.services.identity._tokens._key, algorithm=algorithm, headers=headers)

    return make


@pytest.mark.parametrize(
    "make",
    [
        forged({"exp": 1}),
        forged({"iss": "somebody"}),
        forged({"aud": "another-api"}),
        forged({"jti": None}),
        forged({"exp": None}),
        forged({"tenant": None}),
        forged({"tenant": 5}),
        forged({"exp": "soon"}),
        forged({"iat": 99999999999}),
        forged({"sub": "usr_nobody"}),
        forged({"tenant": "another"}),
        forged({}, key="a shared secret that is long enough for HS256", algorithm="HS256"),
        lambda client: jwt.encode(jwt.decode(client.token, options={"verify_signature": False}), "", algorithm="none"),
    ],
    ids=["over", "issuer", "audience", "no id", "no end", "no tenant", "tenant of a wrong type", "end of a wrong type", "from the future", "user", "foreign tenant", "HS256", "none"],
)  # fmt: skip
def test_a_token_that_is_not_ours_is_401(client: Client, make: Callable[[Client], str]) -> None:
    token = make(client)
    assert Client(client.gateway, client.services, token).get("/auth/profile").problem(401, "unauthenticated")


def test_the_forger_itself_makes_good_tokens(client: Client) -> None:
    assert Client(client.gateway, client.services, forged({})(client)).get("/auth/profile").status == 200


def test_two_authorization_headers_are_refused(client: Client) -> None:
    from functions.authorizer.app import handler

    event = {"multiValueHeaders": {"Authorization": [f"Bearer {client.token}", "Bearer x"]}, "methodArn": "arn"}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(event, None)


def test_a_password_set_by_the_environment_ends_older_tokens(client: Client) -> None:
    identity = client.services.identity
    now = client.services.clock.now()
    client.services.__dict__["clock"] = type("Later", (), {"now": staticmethod(lambda: now + 2)})()
    identity = replace(identity, clock=client.services.clock)
    client.services.__dict__["identity"] = identity
    assert identity.ensure_admin("another password") is None
    assert client.get("/auth/profile").problem(401, "unauthenticated")
    assert login(client).problem(401, "unauthenticated")
    assert login(client, password="another password").status == 200


def test_the_signing_key_is_sealed_and_survives_a_restart(client: Client) -> None:
    from upid.services.tokens import SIGNING_KEY, size_of

    record = client.services.records.get(SIGNING_KEY)
    assert record is not None
    private = client.services.identity._tokens._key.private_bytes_raw()
    assert set(record.body) == {"sealed"}
    assert private not in base64.b64decode(record.body["sealed"])
    identity = client.services.identity
    fresh = replace(identity, sessions=Caches(Lifetimes(user_sessions=0), identity.clock).of("user_sessions", size_of))
    assert fresh.authenticate(client.token).username == "admin"


def test_a_generated_admin_password_is_told_once_and_works(services: Services) -> None:
    services.settings.home.mkdir(parents=True)
    password = services.identity.ensure_admin()
    assert password is not None
    assert len(password) >= 22
    assert services.identity.login("admin", password).caller.may("anything:at-all")
    assert services.identity.ensure_admin() is None
