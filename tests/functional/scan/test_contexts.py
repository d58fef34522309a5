"""`upid scan --all-contexts`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from outside.cluster import TOKEN, Cluster, container
from outside.scanning import World
from outside.serving import serving


def kubeconfig(**servers: str) -> str:
    """A kubeconfig with a context for each server."""
    return yaml.safe_dump({
        "current-context": next(iter(servers)),
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in servers],
    })  # fmt: skip


def edge() -> Cluster:
    cluster = Cluster().namespace("far")
    cluster.deployment("far", "gate", [container(cpu="4", memory="8Gi")], pods=["gate-1"])
    return cluster


def test_every_context_is_in_the_answer_with_the_totals_of_all(world: World) -> None:
    with serving(edge().answer) as other:
        outcome = world.run("--all-contexts", kubeconfig=world.kubeconfig(kubeconfig(prod=world.api_url, edge=other)))

    document = outcome.document
    assert (outcome.status, list(document)) == (0, ["generated_at", "window", "summary", "clusters"])
    assert [(c["cluster"], [e["name"] for e in c["recommendations"]]) for c in document["clusters"]] == [
        ("prod", ["web"]),
        ("edge", ["gate"]),
    ]
    assert (document["summary"]["clusters"], document["summary"]["containers"]) == (2, 2)
    assert document["clusters"][0]["window"] == document["clusters"][1]["window"] == document["window"]


def test_a_context_is_as_it_is_by_itself(world: World) -> None:
    config = world.kubeconfig(kubeconfig(prod=world.api_url))

    assert world.run("--all-contexts", kubeconfig=config).document["clusters"] == [
        world.run("--context", "prod", kubeconfig=config).document
    ]


def test_one_that_fails_is_named_and_does_not_stop_the_others(world: World) -> None:
    outcome = world.run("--all-contexts", kubeconfig=world.kubeconfig(kubeconfig(dead="http://127.0.0.1:9", prod=world.api_url)))

    assert outcome.status == 3
    assert [c["cluster"] for c in outcome.document["clusters"]] == ["prod"]
    assert [(e["code"], e["subject"]) for e in outcome.document["summary"]["errors"]] == [("cluster_unreadable", "dead")]
    assert "  dead: " in outcome.err
    assert len(outcome.err.splitlines()) <= 6


def test_where_all_fail_nothing_was_done(world: World) -> None:
    outcome = world.run("--all-contexts", kubeconfig=world.kubeconfig(kubeconfig(dead="http://127.0.0.1:9", gone="http://127.0.0.1:9")))

    outcome.assert_refused(1, "cannot be reached")


def test_one_context_and_all_of_them_is_a_usage_error(world: World) -> None:
    world.run("--all-contexts", "--context", "test").assert_refused(2, "--context")


def test_each_context_has_its_matcher_in_a_shared_source(world: World) -> None:
    metrics: list[str] = []
    answer = world.metrics.answer
    with serving(edge().answer) as other, serving(lambda request: metrics.append(str(request.params)) or answer(request)) as shared:  # type: ignore[func-returns-value] # append gives none
        config = world.kubeconfig(kubeconfig(prod=world.api_url, edge=other))
        outcome = world.run("--all-contexts", "--prometheus-url", shared, "--cluster-label", "cluster={context}", kubeconfig=config)

    assert outcome.status in {0, 1}
    assert all(('cluster="prod"' in asked) or ('cluster="edge"' in asked) for asked in metrics)


def test_a_shared_source_without_a_matcher_is_warned_of(world: World) -> None:
    with serving(edge().answer) as other:
        outcome = world.run("--all-contexts", kubeconfig=world.kubeconfig(kubeconfig(prod=world.api_url, edge=other)))

    assert "would be mixed" in outcome.err


@pytest.mark.parametrize(
    ("form", "holds"),
    [
        ("table", lambda text: "prod" in text and "far/gate" in text and "2 containers of 2 workloads" in text),
        ("csv", lambda text: [line.split(",")[0] for line in text.splitlines()] == ["cluster", "prod", "edge"]),
        ("yaml", lambda text: [c["cluster"] for c in yaml.safe_load(text)["clusters"]] == ["prod", "edge"]),
        ("html", lambda text: text.count('<tbody class="entry') == 2 and text.count('<svg class="plot"') == 2),
    ],
)
def test_every_form_has_every_cluster(world: World, form: str, holds: Callable[[str], bool]) -> None:
    with serving(edge().answer) as other:
        outcome = world.run("--all-contexts", "--output", form, kubeconfig=world.kubeconfig(kubeconfig(prod=world.api_url, edge=other)))

    assert outcome.status == 0
    assert holds(outcome.out)


def test_patches_go_into_a_folder_and_the_commands_to_standard_output(world: World, tmp_path: Path) -> None:
    outcome = world.run("--output", "patch", "--file", str(tmp_path / "patches"))

    assert outcome.out.startswith("kubectl --context test --namespace shop patch deployment web --patch-file ")
    assert (tmp_path / "patches" / "shop_deployment_web.yaml").is_file()
    assert json.loads((tmp_path / "patches" / "patches.json").read_bytes())["without_patch"] == []


def test_patches_without_a_folder_are_a_usage_error(world: World) -> None:
    world.run("--output", "patch").assert_refused(2, "--file")


def test_a_file_where_the_folder_shall_be_is_told_before_anything_is_read(world: World, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")

    world.run("--output", "patch", "--file", str(tmp_path / "taken")).assert_refused(1, "taken")
    assert world.cluster.asked == []
