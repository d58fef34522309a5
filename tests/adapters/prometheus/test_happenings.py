from __future__ import annotations

import numpy as np
import pytest
from adapters.prometheus.scripted import Answer, Asked, Server, matrix, refused, vector

from upid.adapters.prometheus.happenings import Happenings, coarse_grid, kills_of, restarts_of
from upid.ports.metrics_source import ContainerEvents, PodContainer, PodOwner, PodPlace, Window

NAN = float("nan")
HOUR = 3600
START = 1_699_999_200
WINDOW = Window(START, START + 4 * HOUR, HOUR)
KEY = PodContainer("shop", "api-1", "api")
LABELS = KEY._asdict()


def happenings(server: Server, window: Window = WINDOW) -> Happenings:
    return Happenings(server.client(), ["shop"], window, 'cluster="x"')


def moments(*values: str | None) -> list[tuple[int, str]]:
    return [(START + HOUR * i, value) for i, value in enumerate(values) if value is not None]


@pytest.mark.parametrize(
    ("counter", "killed", "restarts", "kills"),
    [
        ([NAN, NAN, 1, 1], [NAN, NAN, 1, 1], 1, 1),
        ([NAN, NAN, 3, 5], [NAN, NAN, 1, 1], 5, 5),
        ([2, 2, 2, 2], [1, 1, 1, 1], 0, 0),  # killed before the window
        ([2, 3, 3, 3], [1, 1, 1, 1], 1, 1),
        ([NAN, 1, 2, 2], [NAN, NAN, 1, 1], 2, 1),  # the first restart had another reason
        ([5, NAN, 5, 6], [NAN, NAN, 1, 1], 1, 1),  # a gap is no restart
        ([5, 1, 1, 2], [NAN, NAN, NAN, NAN], 2, 0),  # the counter began again
    ],
)
def test_kills_are_restarts_while_memory_is_what_ended_it(counter: list[float], killed: list[float], restarts: int, kills: int) -> None:
    assert restarts_of(np.array(counter, float)) == restarts
    assert kills_of(np.array(counter, float), np.array(killed)) == kills


def test_restarts_and_kills_come_with_their_limit(server: Server) -> None:
    calm = LABELS | {"pod": "calm"}

    def answer(asked: Asked) -> Answer:
        if "last_terminated_reason" in asked.query:
            return matrix((LABELS, moments(None, None, "1", "1", "1")))
        if "resource_limits" in asked.query:
            return vector((LABELS, "268435456"), (calm, "1"))
        return matrix((LABELS, moments(None, None, "1", "2", "2")), (calm, moments("1", "1", "1", "2", "2")))

    server.answer = answer
    warnings: list[str] = []

    found = happenings(server).events(warnings)

    assert found == ContainerEvents({KEY: 2}, {KEY: 2, KEY._replace(pod="calm"): 1}, {KEY: 2.0**28})
    assert warnings == []
    assert all('cluster="x"' in asked.query and 'namespace="shop"' in asked.query for asked in server.asked)


def test_where_nothing_was_restarted_one_query_is_enough(server: Server) -> None:
    server.script(matrix())

    assert happenings(server).events([]) == ContainerEvents({}, {}, {})
    assert len(server.asked) == 1


def series(*labels: dict[str, str]) -> Answer:
    import json

    return Answer(json.dumps({"status": "success", "data": labels}).encode())


POD = {
    "__name__": "kube_pod_owner",
    "namespace": "shop",
    "pod": "api-1",
    "owner_kind": "ReplicaSet",
    "owner_name": "api-5d",
    "owner_is_controller": "true",
}


def test_owners_come_from_the_index_in_one_request(server: Server) -> None:
    set_ = {
        "__name__": "kube_replicaset_owner",
        "namespace": "shop",
        "replicaset": "api-5d",
        "owner_kind": "Deployment",
        "owner_name": "api",
    }
    job = {"__name__": "kube_job_owner", "namespace": "shop", "job_name": "sum-1", "owner_kind": "CronJob", "owner_name": "sum"}
    nobodys = POD | {"pod": "alone", "owner_kind": "<none>", "owner_name": "<none>"}
    server.script(series(set_, POD, POD, job, nobodys, POD | {"owner_is_controller": "false", "owner_name": "other"}))

    assert happenings(server).told([]).owners == [
        PodOwner("shop", "Job", "sum-1", "CronJob", "sum"),
        PodOwner("shop", "Pod", "api-1", "ReplicaSet", "api-5d"),
        PodOwner("shop", "ReplicaSet", "api-5d", "Deployment", "api"),
    ]
    assert [asked.path for asked in server.asked] == ["/api/v1/series"]
    assert len(server.asked[0].params["match[]"]) == 4


def test_a_source_that_refuses_its_index_is_asked_for_the_last_values(server: Server) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("series"):
            return refused(422, "too many series")
        labels = {name: value for name, value in POD.items() if name != "__name__"}
        return vector((labels, "1")) if "kube_pod_owner" in asked.query else vector()

    server.answer = answer

    assert happenings(server).told([]).owners == [PodOwner("shop", "Pod", "api-1", "ReplicaSet", "api-5d")]


def test_where_pods_were_comes_with_their_owners(server: Server) -> None:
    info = {"__name__": "kube_pod_info", "namespace": "shop", "pod": "api-1", "uid": "u-1", "node": "node-a", "pod_ip": ""}
    server.script(series(POD, info, info | {"pod_ip": "10.0.0.1"}, info | {"pod": "waits", "node": ""}, info | {"pod": "bare", "uid": ""}))

    told = happenings(server).told([])
    assert told.places == [PodPlace("shop", "api-1", "u-1", "node-a"), PodPlace("shop", "bare", "", "node-a")]
    assert told.owners == [PodOwner("shop", "Pod", "api-1", "ReplicaSet", "api-5d")]
    assert len(server.asked) == 1


@pytest.mark.parametrize(("steps", "step", "coarse"), [(2016, 300, 3600), (1, 300, 300), (7, 300, 2100), (13, 300, 300), (48, 7200, 7200)])
def test_the_coarse_grid_divides_the_window(steps: int, step: int, coarse: int) -> None:
    grid = coarse_grid(Window(0, steps * step, step))

    assert grid.step == coarse
    assert (grid.first, grid.step * grid.count) == (coarse, steps * step)
