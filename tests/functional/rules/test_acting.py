"""Rules act in analyses: what they change is in the recommendations, with the rule's name and numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from functional.client import Client
from worlds.analysis import CONTAINERS, analyze
from worlds.collection import MALLORY, World, workload

from upid.services.rules.model import RuleDraft, Then
from upid.services.shard_results import table_name

RULE = {
    "name": "Mine",
    "category": "cost-reduction",
    "severity": "low",
    "when": "cpu.mean < cpu.request",
    "explanation": "{cpu.mean} of {cpu.request}.",
}
MIB = 2**20


def rule(api: Client, then: dict[str, Any], **other: Any) -> str:
    return str(api.post("/rules", RULE | {"then": then} | other).expect(201)["id"])


def entries(api: Client, world: World, cluster_id: str) -> list[dict[str, Any]]:
    """Analyze, and return the recommendations by name."""
    view = analyze(world, cluster_id)
    assert view["status"] == "succeeded", view["errors"]
    return list(api.get(f"/optimization/recommendations/{cluster_id}", {"sort": "name"}).expect(200)["items"])


def said(entry: dict[str, Any], rule_id: str) -> dict[str, Any]:
    (found,) = [each for each in entry["rules"] if each["id"] == rule_id]
    return found


def test_an_adjustment_shows_before_and_after(api: Client, world: World, cluster_id: str) -> None:
    plain = entries(api, world, cluster_id)
    mine = rule(api, {"kind": "adjustment", "target": "cpu_request_cores", "minimum": 0.6})

    changed = entries(api, world, cluster_id)

    for before, after in zip(plain, changed, strict=True):
        was, now = before["recommended"]["cpu_request_cores"], after["recommended"]["cpu_request_cores"]
        assert now == max(was, 0.6)
        verdict = said(after, mine)
        assert (verdict["version"], verdict["outcome"], verdict["kind"]) == (1, "fired", "adjustment")
        assert verdict["changes"] == ([{"target": "cpu_request_cores", "before": was, "after": 0.6}] if was < 0.6 else [])
        assert set(verdict["features"]) == {"cpu.mean", "cpu.request"}
        assert verdict["explanation"].endswith("of 1.")
    reason = next(each for entry in changed for each in entry["reasons"] if each["code"] == "rule_adjustment")
    assert reason["values"]["rule"] == mine
    assert f"Rule {mine} (version 1)" in reason["text"]
    assert "becomes 600m" in reason["text"]


def test_savings_and_risk_are_of_what_the_rules_leave(api: Client, world: World, cluster_id: str) -> None:
    plain = entries(api, world, cluster_id)
    rule(api, {"kind": "adjustment", "target": "cpu_request_cores", "minimum": 0.89})

    changed = entries(api, world, cluster_id)

    raised = [(was, now) for was, now in zip(plain, changed, strict=True) if was["recommended"] != now["recommended"]]
    assert raised
    for was, now in raised:
        assert now["savings_usd_per_month"] < was["savings_usd_per_month"]
        assert now["risk"]["score"] < was["risk"]["score"]


def test_a_veto_leaves_what_is_set_and_names_the_rule(api: Client, world: World, cluster_id: str) -> None:
    changing = {(each["name"], each["container"]) for each in entries(api, world, cluster_id) if each["status"] == "recommended"}
    mine = rule(api, {"kind": "veto", "of": "all"})

    vetoed = [each for each in entries(api, world, cluster_id) if (each["name"], each["container"]) in changing]

    assert vetoed
    for entry in vetoed:
        assert (entry["status"], entry["savings_usd_per_month"], entry["risk"]["score"]) == ("unchanged", 0.0, 0.0)
        assert entry["recommended"] == entry["current"]
        (reason,) = [each for each in entry["reasons"] if each["code"] == "rule_veto"]
        assert (reason["values"]["rule"], reason["values"]["version"]) == (mine, 1)


def test_a_safety_rule_that_can_not_be_told_changes_nothing(api: Client, world: World, cluster_id: str) -> None:
    plain = entries(api, world, cluster_id)
    mine = rule(api, {"kind": "veto", "of": "cpu"}, when="latency.p95 > 1.0")

    doubted = [
        now for was, now in zip(plain, entries(api, world, cluster_id), strict=True) if was["recommended"]["cpu_request_cores"] != 1.0
    ]

    assert doubted
    for entry in doubted:
        assert entry["recommended"]["cpu_request_cores"] == entry["current"]["cpu_request_cores"] == 1.0
        assert [each["values"]["rule"] for each in entry["reasons"] if each["code"] == "rule_inconclusive"] == [mine]
        assert said(entry, mine)["features"]["latency.p95"] is None


def test_another_rule_that_can_not_be_told_does_nothing(api: Client, world: World, cluster_id: str) -> None:
    plain = entries(api, world, cluster_id)
    mine = rule(api, {"kind": "adjustment", "target": "cpu_request_cores", "factor": 3.0}, when="latency.p95 > 1.0")

    changed = entries(api, world, cluster_id)

    assert [each["recommended"] for each in changed] == [each["recommended"] for each in plain]
    assert not [each for entry in changed for each in entry["rules"] if each["id"] == mine]


def test_no_rule_takes_memory_below_what_sizing_asks_for(api: Client, world: World, cluster_id: str) -> None:
    plain = entries(api, world, cluster_id)
    for target in ("memory_request_bytes", "memory_limit_bytes"):
        rule(api, {"kind": "adjustment", "target": target, "factor": 0.1, "maximum": MIB}, when="true")

    assert [each["recommended"] for each in entries(api, world, cluster_id)] == [each["recommended"] for each in plain]


def test_tags_and_advice_are_shown_and_change_nothing(api: Client, world: World, cluster_id: str) -> None:
    tag, advice = rule(api, {"kind": "tag", "tag": "idle"}), rule(api, {"kind": "recommendation", "action": "look at it"})

    entry = entries(api, world, cluster_id)[0]

    assert (said(entry, tag)["tag"], said(entry, advice)["action"], said(entry, tag)["changes"]) == ("idle", "look at it", [])


def test_scopes_are_held(api: Client, world: World, cluster_id: str) -> None:
    labelled = replace(workload("shop", "labelled"), labels=(("team", "a"),))
    world.cluster.listed = replace(world.cluster.listed, workloads=(*world.cluster.listed.workloads, labelled))
    world.clock.moment += 600
    world.collect(cluster_id)
    tag = {"kind": "tag", "tag": "mine"}
    of_namespace, of_label = (
        rule(api, tag, when="true", scope={"namespaces": ["data"]}),
        rule(api, tag, when="true", scope={"labels": {"team": "a"}, "selector": "team notin (b)"}),
    )
    elsewhere, off = rule(api, tag, when="true", scope={"clusters": ["cl_other"]}), rule(api, tag, when="true", enabled=False)
    world.services.rules.create(MALLORY, RuleDraft("Foreign", "availability", "low", "true", Then("veto"), ""))

    view = analyze(world, cluster_id)

    counts = {each["id"]: (each["in_scope"], each["fired"]) for each in view["rules"]}
    assert (counts[of_namespace], counts[of_label]) == ((1, 1), (1, 1))
    assert not {elsewhere, off} & set(counts)
    assert all(each["id"] in {of_namespace, of_label} or api.get(f"/rules/{each['id']}").expect(200)["built_in"] for each in view["rules"])
    assert view["summary"]["containers"] == CONTAINERS + 1


def test_an_analysis_keeps_the_versions_that_it_used(api: Client, world: World, cluster_id: str) -> None:
    then = {"kind": "tag", "tag": "one"}
    mine = rule(api, then)
    first = analyze(world, cluster_id)["id"]
    api.put(f"/rules/{mine}", RULE | {"then": then | {"tag": "two"}}).expect(200)
    second = analyze(world, cluster_id)["id"]

    versions = [
        {each["id"]: each["version"] for each in api.get(f"/optimization/analysis/{each}").expect(200)["rules"]}[mine]
        for each in (first, second)
    ]

    assert versions == [1, 2]
    told = [
        api.get(f"/optimization/recommendations/{cluster_id}", {"analysis_id": each}).expect(200)["items"][0] for each in (first, second)
    ]
    assert [said(each, mine)["tag"] for each in told] == ["one", "two"]


def test_a_disabled_built_in_rule_is_not_applied(api: Client, world: World, cluster_id: str) -> None:
    found = api.get("/rules/cost-waste").expect(200)
    body = {name: found[name] for name in ("name", "category", "severity", "when", "then", "explanation", "scope")}
    api.put("/rules/cost-waste", body | {"enabled": False}).expect(200)

    applied = {each["id"] for each in analyze(world, cluster_id)["rules"]}

    assert "memory-oom" in applied
    assert "cost-waste" not in applied


def test_the_same_rules_give_the_same_bytes(api: Client, world: World, cluster_id: str) -> None:
    rule(api, {"kind": "adjustment", "target": "cpu_request_cores", "factor": 1.3})
    rule(api, {"kind": "adjustment", "target": "cpu_request_cores", "minimum": 0.3, "maximum": 0.5})
    rule(api, {"kind": "veto", "of": "memory_decreases"}, when="memory.p95 > 100000000.0")

    tables = [world.services.blobs.get(table_name("default", analyze(world, cluster_id)["id"], 0)) for _ in range(2)]

    assert tables[0] == tables[1]


def test_a_recommendation_by_its_id_tells_the_same_verdicts(api: Client, world: World, cluster_id: str) -> None:
    for entry in entries(api, world, cluster_id):
        assert api.get(f"/optimization/recommendations/{entry['id']}").expect(200)["rules"] == entry["rules"]
