"""A collection and an analysis on the stores of AWS while these fail: it comes out as without a fault, nothing lost and nothing twice.

Between the services and the emulator lies a road that throttles, loses answers or is cut. Tasks are tried again as the machines do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3
from adapters.aws.endpoint import HANG_UP, Answer, Endpoint, Request, failure, s3_failure
from contract.cloud import FAKE, REGION, Cloud
from e2e.homes import ministack
from worlds.analysis import TENANT, listed
from worlds.analysis import start as start_analysis
from worlds.collection import World, workload

from upid.adapters.aws.clients import AwsClients
from upid.bootstrap import Services
from upid.domain.errors import UnavailableError
from upid.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(ministack.missing()), reason=ministack.missing())]
WORKLOADS = tuple(workload(f"ns-{n % 3}", f"app-{n}") for n in range(6))
TRIES = 4  # a task's first and its three more, as every machine has it


class LambdaTimedOutError(BaseException):
    """A task's process ends right here: no handler of it runs."""


@dataclass
class Road:
    """Forwards to the emulator. `toll` may answer instead, before anything is forwarded or (`lose`) when it was; `requests` counts since it was set."""

    url: str
    toll: Callable[[int, Request], Answer | None] = lambda _, __: None
    lose: Callable[[int], bool] = lambda _: False
    requests: int = 0
    faults: int = 0
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=30))

    def __call__(self, request: Request) -> Answer:
        self.requests += 1
        number = self.requests
        answer = self.toll(number, request)
        if answer is None:
            sent = self.http.request(request.method, self.url + request.path, body=request.body, headers=request.headers)
            kept = {
                name: value
                for name, value in sent.headers.items()
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}
            }
            answer = HANG_UP if self.lose(number) else Answer(sent.status, sent.data, kept)
            self.faults += answer is HANG_UP
            return answer
        self.faults += 1
        return answer


def throttled(number: int, request: Request) -> Answer | None:
    """Slow down every fifth request, as each service says it."""
    if number % 5:
        return None
    target = request.headers.get("X-Amz-Target", "")
    if not target:
        return s3_failure("SlowDown", 503)
    return failure("ProvisionedThroughputExceededException" if "DynamoDB" in target else "ThrottlingException")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack.started(tmp_path_factory.mktemp("ministack"), AUTH="false") as url:
        yield url


@pytest.fixture
def road(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    """The road, which every client goes; botocore's pauses are left out."""
    road, endpoint = Road(emulator), Endpoint()
    endpoint.says(road)
    for name, value in {**FAKE, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": endpoint.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("upid.services.shards.CONTAINERS_PER_SHARD", 2)
    monkeypatch.setattr("upid.services.collection_plans.NAMESPACES_PER_GROUP", 1)
    yield road
    endpoint.close()


def world_on_aws(place: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose records, events, blobs and keys are those of a home on AWS."""
    cloud = Cloud.__new__(Cloud)
    cloud.clients = AwsClients()
    made = {"UPID_TABLE": cloud.table(place), "UPID_BUCKET": cloud.bucket(place), "UPID_KEY": cloud.key(place)}
    machines = f"arn:aws:states:{REGION}:000000000000:stateMachine:upid-"
    for name, value in {**made, "UPID_MACHINES": machines, "UPID_HOME": "aws"}.items():
        monkeypatch.setenv(name, value)
    return World.on(Services(Settings.from_environment()), *WORKLOADS)


@dataclass
class Lives:
    """After how many of its writes the first process of each task ends, once the store has done them: another number in each."""

    left: int = 0
    deaths: list[str] = field(default_factory=list)
    tasks: int = 0

    def begin(self) -> None:
        self.tasks += 1
        self.left = 1 + self.tasks % 3

    def answered(self, model: Any, **_: Any) -> None:
        if not model.name.startswith(("Put", "Update", "Transact", "Delete")):
            return
        self.left -= 1
        if self.left == 0:
            self.deaths.append(model.name)
            raise LambdaTimedOutError


def retried(task: Callable[..., Any], *arguments: Any, lives: Lives | None = None) -> Any:
    """Run a task as a machine does: again where what it needs does not answer or its process is gone, and not for ever."""
    if lives:
        lives.begin()
    for _ in range(TRIES - 1):
        try:
            return task(*arguments)
        except (UnavailableError, LambdaTimedOutError):
            continue
    return task(*arguments)


def gone_through(world: World, begin: Callable[[World], None], lives: Lives | None = None) -> Any:
    """Collect and analyze, with faults from `begin` on, and return all that came of it without the ids of this run."""
    cluster_id = world.register()
    collection_id = world.start(cluster_id, history_seconds=7200)
    begin(world)
    run = partial(retried, lives=lives)
    work, ending, analyzing = world.services.collecting, world.services.completing, world.services.analyzing
    plan = run(work.plan, TENANT, collection_id)
    collected = [run(work.collect, TENANT, collection_id, item) for item in plan["items"]]
    folded = [run(work.fold, TENANT, collection_id, shard) for shard in plan["shards"]]
    run(ending.complete, TENANT, collection_id, collected, folded)
    analysis_id = run(start_analysis, world, cluster_id)
    payload = world.workflows.payloads[analysis_id]
    shards = run(analyzing.plan, TENANT, analysis_id, payload["request"], "alice")["shards"]
    done = [run(analyzing.analyze, TENANT, analysis_id, shard) for shard in shards]
    run(analyzing.summarize, TENANT, analysis_id, done)
    views = [
        retried(world.services.collections.view, TENANT, collection_id)["result"], retried(world.services.analyses.view, TENANT, analysis_id)["summary"],
        list(retried(listed, world, cluster_id).entries),
    ]  # fmt: skip
    events = [stored.event for stored in retried(world.services.events.read, TENANT)]
    assert len({event.id for event in events}) == len(events)
    text = json.dumps([views, sorted(Counter(event.type for event in events).items())], default=str)
    for place, known in enumerate((cluster_id, collection_id, analysis_id)):
        text = text.replace(known, f"id-{place}").replace(known.partition("_")[2], f"id-{place}")
    return json.loads(text)


@pytest.fixture(scope="module")
def kept() -> list[Any]:
    """What is computed once for all tests of this file."""
    return []


@pytest.fixture
def undisturbed(road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: list[Any]) -> Any:
    """What comes of it without a fault."""
    if not kept:
        kept.append(gone_through(world_on_aws(tmp_path / "undisturbed", monkeypatch), lambda _: None))
    return kept[0]


def test_stores_that_slow_down_and_lose_answers_change_nothing(
    road: Road, undisturbed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(_: World) -> None:
        road.requests, road.toll, road.lose = 0, throttled, lambda number: number % 7 == 0

    assert gone_through(world_on_aws(tmp_path, monkeypatch), begin) == undisturbed
    assert road.faults > 20


def test_an_emulator_that_goes_away_in_the_middle_and_comes_back_changes_nothing(
    road: Road, undisturbed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(_: World) -> None:
        # Longer than one request asks again, so that tasks fail; three times in the course of it.
        road.requests, road.toll = 0, lambda number, _: HANG_UP if number % 50 in range(20, 28) else None

    assert gone_through(world_on_aws(tmp_path, monkeypatch), begin) == undisturbed
    assert road.faults > 20


def test_tasks_that_time_out_in_the_middle_and_run_again_change_nothing(
    undisturbed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = Lives()

    def begin(world: World) -> None:
        for service in ("dynamodb", "s3"):
            world.services.aws.get(service).meta.events.register("after-call", lives.answered)

    assert gone_through(world_on_aws(tmp_path, monkeypatch), begin, lives) == undisturbed
    assert {"TransactWriteItems", "PutObject"} <= set(lives.deaths)
    assert len(lives.deaths) > 8


def test_stores_that_stay_away_are_told_after_bounded_tries(road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_on_aws(tmp_path, monkeypatch)
    collection_id = world.start(world.register(), history_seconds=7200)
    road.requests, road.toll = 0, lambda *_: HANG_UP

    with pytest.raises(UnavailableError, match=r"^The bucket upid-\w+ of S3 does not answer"):
        retried(world.services.collecting.plan, TENANT, collection_id)

    assert road.requests <= TRIES * 4
