"""What processes keep is never acted on once it is out of date, whichever process changed it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from functional.client import Client
from worlds.collection import SetClock

from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import NotFoundError
from upid.ports.records import Key
from upid.services.clusters import Registration
from upid.services.rules.model import RuleDraft, Then

# A process of the platform that answers one question a line, and keeps what it looked up from one to the next.
ASKED = """
import json, sys
from upid.bootstrap import build_services
from upid.domain.errors import AppError
services = build_services()
now = services.clock.now()
services.clock.__class__.now = lambda self: now + skipped[0]
skipped = [0.0]
def told(kind, *given):
    if kind == "skip":
        skipped[0] += given[0]
    elif kind == "who":
        return services.identity.authenticate(given[0]).username
    elif kind == "token":
        return services.cluster_records.access("default", services.cluster_records.get("default", given[0]).body).cluster.token
    elif kind == "rules":
        return [view["id"] for view in services.rule_store.all("default") if view["enabled"]]
    return {each.name: [each.hits, each.misses] for each in services.caches.counts()}
for line in sys.stdin:
    try:
        print(json.dumps(told(*json.loads(line))), flush=True)
    except AppError as error:
        print(json.dumps(type(error).__name__), flush=True)
"""


@dataclass
class Other:
    """Another process on the same data folder."""

    process: subprocess.Popen[str]

    def ask(self, *question: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture
def other(client: Client) -> Iterator[Other]:
    """Another process; the client's services are made before it, so that both use one data folder."""
    assert client.token
    with subprocess.Popen([sys.executable, "-c", ASKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Other(process)
        finally:
            process.kill()


def test_a_removed_user_is_out_at_once_in_every_process(client: Client, other: Other) -> None:
    ann = client.as_user("gateway:read")
    caller = client.services.identity.authenticate(ann.token)
    assert [other.ask("who", ann.token) for _ in range(3)] == [caller.username] * 3
    assert other.ask("counts")["user_sessions"] == [2, 1]
    assert ann.get("/gateway/routes").status == 200

    client.services.records.delete(Key(f"t#{caller.tenant}#users", caller.user_id))

    assert other.ask("who", ann.token) == "UnauthenticatedError"
    ann.get("/gateway/routes").problem(401, "unauthenticated")


def test_a_token_from_before_a_new_password_is_refused_in_every_process(client: Client, other: Other) -> None:
    ann = client.as_user("gateway:read")
    user = client.services.identity.authenticate(ann.token)
    assert other.ask("who", ann.token) == user.username
    found = client.services.records.get(Key(f"t#{user.tenant}#users", user.user_id))
    assert found is not None

    client.services.records.put(found.key, {**found.body, "password_changed_at": found.body["password_changed_at"] + 1000})

    assert other.ask("who", ann.token) == "UnauthenticatedError"


def test_a_kept_token_ends_when_it_says(client: Client, other: Other) -> None:
    assert other.ask("who", client.token) == "admin"
    other.ask("skip", client.services.settings.token_seconds + 1)

    assert other.ask("who", client.token) == "UnauthenticatedError"


def register(client: Client, name: str = "one", token: str = "first") -> str:
    access = ClusterAccess(server="https://127.0.0.1:1", token=token)
    caller = client.services.identity.authenticate(client.token)
    return str(client.services.clusters.register(caller, Registration(name, access, MetricsAccess(url="http://127.0.0.1:1")))["id"])


def test_credentials_that_were_replaced_or_removed_are_used_by_no_process(client: Client, other: Other) -> None:
    cluster_id, caller = register(client), client.services.identity.authenticate(client.token)
    assert [other.ask("token", cluster_id) for _ in range(2)] == ["first"] * 2
    assert other.ask("counts")["cluster_configs"] == [1, 1]

    changed = Registration("one", ClusterAccess(server="https://127.0.0.1:1", token="second"), MetricsAccess(url="http://127.0.0.1:1"))
    client.services.clusters.replace(caller, cluster_id, changed)
    assert other.ask("token", cluster_id) == "second"
    client.services.clusters.delete(caller, cluster_id)

    assert other.ask("token", cluster_id) == "NotFoundError"


def test_a_deleted_clusters_credentials_leave_the_memory_of_the_process_that_deletes_it(client: Client) -> None:
    cluster_id, records = register(client), client.services.cluster_records
    assert records.access("default", records.get("default", cluster_id).body).cluster.token == "first"
    assert records.opened.counts().entries == 1

    client.services.clusters.delete(client.services.identity.authenticate(client.token), cluster_id)

    assert records.opened.counts().entries == 0
    with pytest.raises(NotFoundError):
        records.get("default", cluster_id)


def test_a_disabled_rule_acts_in_no_process(client: Client, other: Other) -> None:
    veto = next(rule for rule in client.get("/rules", {"built_in": "true"}).expect(200)["items"] if rule["then"]["kind"] == "veto")
    for _ in range(2):
        assert veto["id"] in other.ask("rules")
    assert other.ask("counts")["optimization_rules"] == [1, 1]

    body = {name: veto[name] for name in ("name", "category", "severity", "when", "then", "explanation", "scope")}
    client.put(f"/rules/{veto['id']}", body | {"enabled": False}).expect(200)
    assert veto["id"] not in other.ask("rules")

    other.ask("skip", 60)
    assert veto["id"] not in other.ask("rules")
    assert veto["id"] not in other.ask("rules")
    assert other.ask("counts")["optimization_rules"] == [2, 2]


def test_every_change_of_a_rule_shows_at_once_in_its_own_process(client: Client) -> None:
    services, clock = client.services, SetClock(client.services.clock.now())
    services.clock = clock
    caller = services.identity.authenticate(client.token)
    draft = RuleDraft("mine", "cpu-optimization", "info", "cpu.request > 1.0", Then("tag", tag="x"), "Why.")

    def names() -> list[str]:
        clock.moment += 60  # long enough for the rules to be kept
        kept = {rule["name"] for _ in range(2) for rule in services.rule_store.all("default") if not rule["built_in"]}
        return sorted(kept)

    assert names() == []
    rule = services.rules.create(caller, draft)
    assert names() == ["mine"]
    services.rules.replace(caller, rule["id"], replace(draft, name="yours"), if_match=1)
    assert names() == ["yours"]
    services.rules.delete(caller, rule["id"], if_match=2)

    assert names() == []


def test_what_the_process_keeps_is_told_to_who_may_read_it(client: Client) -> None:
    client.get("/gateway/routes").expect(200)

    told = client.get("/gateway/metrics").expect(200)

    (sessions,) = [each for each in told["caches"] if each["name"] == "user_sessions"]
    assert (sessions["lifetime_seconds"], sessions["entries"], sessions["hits"], sessions["misses"]) == (86400, 1, 1, 1)
    client.as_user("clusters:read").get("/gateway/metrics").problem(403, "forbidden")
    client.anonymous().get("/gateway/metrics").problem(401, "unauthenticated")
