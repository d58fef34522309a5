"""`upid erase`: nothing of a tenant's clusters is left, and everything of others."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from worlds.collection import ALICE, MALLORY, World, registration, workload

from upid.cli.main import main
from upid.ports.records import Key


def test_everything_collected_for_a_tenant_is_removed_and_nothing_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPID_HOME", str(tmp_path))
    world = World.at(tmp_path, workload("bank", "ledger"))
    mine = [world.register(name) for name in ("one", "two")]
    theirs = str(world.services.clusters.register(MALLORY, registration())["id"])
    for cluster_id in mine:
        world.collect(cluster_id, history_seconds=2 * 86400)
        world.services.downsampling.downsample("default", cluster_id)
    left = "t/default/clusters/cl_gone/history/0000/1699660800-1699747200.bin"
    world.services.blobs.put(left, b"what a deletion that broke off has left")
    assert [name for name in world.services.blobs.names("t/default/") if "/rollups/" in name] != []

    assert main(["erase", ALICE.tenant, "--yes"]) == 0

    assert json.loads(capsys.readouterr().out) == {"tenant": "default", "clusters": mine}
    assert list(world.services.blobs.names("t/default/")) == []
    records = world.services.records
    assert [len(records.query(f"t#{tenant}#clusters").items) for tenant in ("default", "other")] == [0, 1]
    assert records.get(Key("g#clusters", theirs)) is not None
    assert [main(["erase", "default", "--yes"]), json.loads(capsys.readouterr().out)["clusters"]] == [0, []]


def test_without_a_yes_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPID_HOME", str(tmp_path))
    world = World.at(tmp_path)
    cluster_id = world.register()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["erase", "default"]) == 1
    assert world.services.clusters.get(ALICE, cluster_id)["id"] == cluster_id
