"""The pipeline over an InfluxDB that dies in the middle: what is known in the end is what blobs would have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from outside.real_influxdb import NEEDED, influxdb, is_installed
from worlds.collection import ALICE, START, STEP, World, workload

from upid.bootstrap import Services
from upid.engine.usage.rollups import figure
from upid.ports.usage_history import HistoryScope
from upid.ports.usage_rollups import RollupScope
from upid.services.profiles import Profiles
from upid.settings import InfluxSettings, Settings

DAY = 86400


def world_at(home: Path, influx: InfluxSettings | None = None) -> tuple[World, str]:
    world = World.at(home, workload("bank", "ledger"), workload("shop", "web", replicas=2, containers=("main", "mesh")))
    outside = Services(Settings(home=home, influxdb=influx))
    outside.clock = world.clock
    world.services.history, world.services.rollups = outside.history, outside.rollups
    cluster_id = world.register()
    world.collect(cluster_id, history_seconds=7200)
    return world, cluster_id


def later(world: World, cluster_id: str, steps: int) -> str:
    world.clock.moment = START + steps * STEP
    return str(world.collect(cluster_id)["status"])


def profile(world: World, cluster_id: str) -> bytes:
    return world.services.blobs.get(Profiles(world.services.blobs).name("default", cluster_id, 0))


def aged(world: World, cluster_id: str) -> int:
    """Let the day be over, and bring it onto longer steps."""
    world.services.cluster_records.change("default", cluster_id, lambda body: body | {"watermark": START // DAY * DAY + DAY})
    return world.services.downsampling.downsample("default", cluster_id)


def rolled(world: World, cluster_id: str) -> list[list[float]]:
    """The hourly 95th percentiles of what is there, by series."""
    scope = RollupScope("default", cluster_id, 0, "usage", 3600)
    chunks = world.services.rollups.read(scope, ("cpu_cores",), start=0, end=4e9, sketches=True)
    return sorted(np.nan_to_num(row).tolist() for chunk in chunks if chunk.metrics for row in figure(chunk.metrics["cpu_cores"], "p95"))


@pytest.mark.skipif(not is_installed(), reason=NEEDED)
def test_collecting_goes_on_while_the_server_is_down_and_nothing_is_missing_or_there_twice(tmp_path: Path) -> None:
    plain, plain_id = world_at(tmp_path / "plain")
    with influxdb(tmp_path / "server") as server:
        world, cluster_id = world_at(tmp_path / "influx", InfluxSettings(server.url))
        server.kill()
        assert [later(world, cluster_id, steps) for steps in (3, 5)] == ["succeeded", "succeeded"]
        assert "2 of 288 in its fullest part" in world.services.history.state("default", cluster_id).detail
        server.start()
        assert later(world, cluster_id, 6) == "succeeded"
        assert world.services.history.state("default", cluster_id).state == "healthy"

        assert [later(plain, plain_id, steps) for steps in (3, 5, 6)] == ["succeeded"] * 3
        assert profile(world, cluster_id) == profile(plain, plain_id)
        read = [
            list(w.services.history.read(HistoryScope("default", i, 0), start=0, end=4e9))
            for w, i in ((world, cluster_id), (plain, plain_id))
        ]
        assert [(c.start, c.end, c.cpu_cores.tolist()) for c in read[0]] == [(c.start, c.end, c.cpu_cores.tolist()) for c in read[1]]
        assert [aged(world, cluster_id), aged(plain, plain_id)] == [4, 4]  # two days of two families
        assert rolled(world, cluster_id) == rolled(plain, plain_id) != []
        world.services.clusters.delete(ALICE, cluster_id)
        assert (list(world.services.blobs.names("t/")), rolled(world, cluster_id)) == ([], [])
