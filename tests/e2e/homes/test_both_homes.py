"""What a client sees, the same in both homes: login, register, collect, analyze, read; bad input and missing permissions refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from e2e.homes.journey import Journey

Place = tuple[str, str, str, str]


def place(entry: dict[str, Any]) -> Place:
    """Return which container a recommendation is for."""
    return entry["namespace"], entry["kind"], entry["name"], entry["container"]


def test_health_and_the_document_are_for_everybody(journey: Journey) -> None:
    assert journey.home.request("GET", "/gateway/health").expect(200)["status"] == "ok"
    assert journey.home.request("GET", "/openapi.json").expect(200)["openapi"].startswith("3.1")


@pytest.mark.parametrize("token", ["", "not.a.token"])
def test_nobody_is_let_in_without_a_token_of_ours(journey: Journey, token: str) -> None:
    assert journey.home.request("GET", "/clusters", token=token).problem(401, "unauthenticated")


def test_a_wrong_password_is_refused(journey: Journey) -> None:
    body = {"username": "admin", "password": "wrong"}

    assert journey.home.request("POST", "/auth/login", body).problem(401, "unauthenticated")


def test_who_logs_in_is_known(journey: Journey) -> None:
    profile = journey.get("/auth/profile").expect(200)

    assert (profile["username"], profile["permissions"]) == ("admin", ["self:*", "*"])


def test_a_registered_cluster_can_be_read_and_shows_no_credentials(journey: Journey) -> None:
    location = journey.registered.headers["location"]

    found = journey.home.follow(location, token=journey.token)

    assert found.expect(200)["name"] == journey.registration["name"]
    assert found.headers["etag"] == journey.registered.headers["etag"]
    assert journey.cluster_token not in str(found.body) + str(journey.registered.body)


def test_registering_twice_with_one_key_is_registering_once(journey: Journey) -> None:
    assert journey.register().expect(201)["id"] == journey.cluster_id


def test_a_name_is_taken_once(journey: Journey) -> None:
    assert journey.cluster_id
    assert journey.post("/clusters", journey.registration).problem(409, "cluster-name-taken")


def test_a_collection_reads_the_whole_cluster(journey: Journey) -> None:
    assert (journey.collection["status"], journey.collection["errors"]) == ("succeeded", [])
    assert journey.collection["result"]["samples"] > 1000
    assert journey.collection["progress"] == 1.0


def test_an_analysis_sizes_every_container(journey: Journey) -> None:
    assert (journey.analysis["status"], journey.analysis["errors"]) == ("succeeded", [])
    assert journey.analysis["summary"]["containers"] == journey.collection["result"]["containers"] > 10


def test_every_container_has_one_recommendation(journey: Journey) -> None:
    places = [place(entry) for entry in journey.recommendations]

    assert len(set(places)) == len(places) == journey.analysis["summary"]["containers"]
    assert {entry["status"] for entry in journey.recommendations} >= {"recommended", "withheld"}


def test_a_recommendation_is_read_by_its_id_and_reviewed_once(journey: Journey) -> None:
    first = next(entry for entry in journey.recommendations if entry["status"] == "recommended")
    path = f"/optimization/recommendations/{first['id']}"
    read = journey.get(path)
    stale = {"If-Match": read.headers["etag"]}

    review = journey.home.request("PUT", f"{path}/status", {"review": "approved"}, token=journey.token, **stale)

    assert read.expect(200)["id"] == first["id"]
    assert review.expect(200)["review"] == "approved"
    assert journey.home.request("PUT", f"{path}/status", {"review": "rejected"}, token=journey.token, **stale).problem(
        412, "version-conflict"
    )


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/clusters", {"server": "https://example.org"}, "#/name"),
        ("/clusters", {"name": "x", "unheard": 1}, "#/unheard"),
        ("/metrics/collect", {"cluster_id": 7}, "#/cluster_id"),
    ],
)
def test_bad_input_is_refused_with_a_pointer_to_it(journey: Journey, path: str, body: dict[str, object], pointer: str) -> None:
    problem = journey.post(path, body).problem(422, "invalid-request")

    assert pointer in [fault["pointer"] for fault in problem["errors"]]


@pytest.mark.parametrize("path", ["/clusters/cl_01ARZ3NDEKTSV4RRFFQ69G5FAV", "/clusters/cl_x/nothing", "/nothing"])
def test_what_is_not_there_is_a_404(journey: Journey, path: str) -> None:
    assert journey.get(path).problem(404, "not-found")


def test_a_method_that_is_not_there_is_a_405(journey: Journey) -> None:
    answer = journey.home.request("DELETE", "/clusters", token=journey.token)

    assert answer.problem(405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]


def test_who_may_only_read_clusters_may_do_nothing_else(journey: Journey) -> None:
    def asked(method: str, path: str, body: object = None) -> int:
        return journey.home.request(method, path, body, token=journey.viewer).status

    assert asked("GET", "/clusters") == 200
    assert asked("POST", "/clusters", journey.registration) == 403
    assert asked("POST", "/metrics/collect", {"cluster_id": journey.cluster_id}) == 403
    assert asked("GET", f"/optimization/recommendations/{journey.cluster_id}") == 403
    assert journey.home.request("DELETE", f"/clusters/{journey.cluster_id}", token=journey.viewer).problem(403, "forbidden")


def test_no_caller_is_taken_for_another(journey: Journey) -> None:
    callers = [(journey.token, "admin"), (journey.viewer, journey.viewer_name)] * 5

    names = [journey.home.request("GET", "/auth/profile", token=token).expect(200)["username"] for token, _ in callers]

    assert names == [name for _, name in callers]
    assert journey.home.request("GET", "/auth/profile").problem(401, "unauthenticated")


def test_both_homes_say_the_same(journey_of: Callable[[str], Journey]) -> None:
    def told(home: str) -> dict[Place, tuple[str, str | None]]:
        return {place(entry): (entry["status"], entry["withheld_code"]) for entry in journey_of(home).recommendations}

    assert told("embedded") == told("aws")
