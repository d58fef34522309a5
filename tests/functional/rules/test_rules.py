"""Rules over the API."""

from __future__ import annotations

from typing import Any

import pytest
from functional.client import Client
from worlds.analysis import CONTAINERS
from worlds.collection import World, workload

RULE = {
    "name": "Idle", "category": "cost-reduction", "severity": "low", "when": "cpu.p95 / cpu.request < 0.2 && restarts.count_7d == 0",
    "then": {"kind": "tag", "tag": "idle"}, "explanation": "{cpu.p95} of {cpu.request} cores.",
}  # fmt: skip


def created(api: Client, **other: Any) -> Any:
    return api.post("/rules", RULE | other).expect(201)


def tried(api: Client, when: str, features: list[dict[str, Any]], **asked: Any) -> Any:
    body = {"when": when, "rows": [{"features": each} for each in features], **asked}
    return api.post("/rules/new/test", body).expect(200)


class TestManagement:
    def test_a_rule_is_created_read_changed_and_removed(self, api: Client) -> None:
        answer = api.post("/rules", RULE)
        rule = answer.expect(201)
        assert answer.header("location") == f"/api/v1/rules/{rule['id']}"
        assert (answer.header("etag"), rule["version"], rule["built_in"], rule["enabled"]) == ('"1"', 1, False, True)
        assert api.get(f"/rules/{rule['id']}").expect(200) == rule

        changed = api.put(f"/rules/{rule['id']}", RULE | {"severity": "high"}, headers={"If-Match": '"1"'}).expect(200)
        assert (changed["version"], changed["severity"], changed["created_at"]) == (2, "high", rule["created_at"])
        assert api.delete(f"/rules/{rule['id']}").status == 204
        api.get(f"/rules/{rule['id']}").problem(404, "not-found")

    def test_every_version_stays_readable(self, api: Client) -> None:
        rule = created(api)
        api.put(f"/rules/{rule['id']}", RULE | {"name": "Idler"}).expect(200)
        assert api.get(f"/rules/{rule['id']}", {"version": 1}).expect(200)["name"] == "Idle"
        assert api.get(f"/rules/{rule['id']}").expect(200)["name"] == "Idler"
        assert api.get(f"/rules/{rule['id']}", {"version": 3}).problem(404, "not-found")

    def test_a_stale_etag_is_refused(self, api: Client) -> None:
        rule = created(api)
        api.put(f"/rules/{rule['id']}", RULE | {"name": "Idler"}).expect(200)
        assert api.put(f"/rules/{rule['id']}", RULE, headers={"If-Match": '"1"'}).problem(412, "version-conflict")
        assert api.delete(f"/rules/{rule['id']}", headers={"If-Match": '"1"'}).problem(412, "version-conflict")

    def test_a_built_in_rule_can_be_disabled_and_nothing_else(self, api: Client) -> None:
        rule = api.get("/rules/memory-oom").expect(200)
        body = {name: rule[name] for name in ("name", "category", "severity", "when", "then", "explanation", "scope")}
        off = api.put("/rules/memory-oom", body | {"enabled": False}, headers={"If-Match": f'"{rule["version"]}"'}).expect(200)
        assert (off["enabled"], off["version"], off["when"]) == (False, rule["version"] + 1, rule["when"])
        assert api.put("/rules/memory-oom", body | {"when": "true"}).problem(409, "built-in-rule")
        assert api.delete("/rules/memory-oom").problem(409, "built-in-rule")
        assert api.put("/rules/memory-oom", body).expect(200)["enabled"] is True

    def test_lists_are_filtered_and_come_in_pages(self, api: Client) -> None:
        rule = created(api)
        whole = api.get("/rules").expect(200)["items"]
        assert len(whole) == len({each["id"] for each in whole}) >= 21
        first = api.get("/rules", {"limit": 10}).expect(200)
        second = api.get("/rules", {"limit": 500, "cursor": first["next_cursor"]}).expect(200)
        assert first["items"] + second["items"] == whole
        assert [each["id"] for each in api.get("/rules", {"built_in": "false"}).expect(200)["items"]] == [rule["id"]]
        assert {each["category"] for each in api.get("/rules", {"category": "availability"}).expect(200)["items"]} == {"availability"}

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"when": "cpu.p95 >"}, "#/when"), ({"when": "cpu.p95 > memory.max"}, "#/when"), ({"explanation": "{cpu.p59}"}, "#/explanation"),
            ({"category": "other"}, "#/category"), ({"then": {"kind": "tag"}}, "#/then/tag"), ({"then": {"kind": "run"}}, "#/then"),
            ({"scope": {"nodes": []}}, "#/scope/nodes"), ({"scope": {"selector": "a in"}}, "#/scope/selector"), ({"severity": 3}, "#/severity"),
            ({"then": {"kind": "adjustment", "target": "cpu_request_cores", "minimum": 2, "maximum": 1}}, "#/then/maximum"),
        ],
    )  # fmt: skip
    def test_a_faulty_rule_is_refused_with_a_pointer(self, api: Client, change: Any, pointer: str) -> None:
        problem = api.post("/rules", RULE | change).problem(422, "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]

    def test_tenants_do_not_see_each_other(self, api: Client, world: World) -> None:
        rule = created(api)
        assert all(view["built_in"] for view in world.services.rules.store.all("other"))
        assert rule["id"] in {view["id"] for view in world.services.rules.store.all("default")}

    def test_permissions_are_held(self, api: Client) -> None:
        reader = api.as_user("rules:read")
        assert reader.get("/rules").status == 200
        assert reader.post("/rules", RULE).problem(403, "forbidden")
        assert api.as_user("clusters:read").get("/rules").problem(403, "forbidden")
        assert api.anonymous().get("/rules/categories").problem(401, "unauthenticated")


class TestCategories:
    def test_every_line_has_a_built_in_rule(self, api: Client) -> None:
        found = api.get("/rules/categories").expect(200)["items"]
        assert [each["id"] for each in found] == [
            "cpu-optimization",
            "memory-optimization",
            "cost-reduction",
            "performance-tuning",
            "availability",
        ]
        lines = [line for each in found for line in each["lines"]]
        assert len(lines) == 20
        assert all(line["rules"] for line in lines)

    @pytest.mark.parametrize(
        "category", ["cpu-optimization", "memory-optimization", "cost-reduction", "performance-tuning", "availability"]
    )
    def test_a_category_shows_its_rules_whole(self, api: Client, category: str) -> None:
        created(api)
        found = api.get(f"/rules/categories/{category}").expect(200)
        assert found["id"] == category
        assert len(found["items"]) == found["rules"] == found["enabled"] >= 4
        assert {rule["category"] for rule in found["items"]} == {category}


class TestValidate:
    def test_tells_where_and_what_is_wrong(self, api: Client) -> None:
        found = api.post("/rules/new/validate", {"when": "cpu.p95 > 1.0 &&\n  memory.rekuest > 2.0"}).expect(200)
        assert found["valid"] is False
        (fault,) = found["faults"]
        assert (fault["code"], fault["position"], fault["suggestion"]) == ("unknown_feature", {"line": 2, "column": 3}, "memory.request")

    def test_a_sound_rule_is_told_with_its_features(self, api: Client) -> None:
        found = api.post("/rules/cost-waste/validate", {}).expect(200)
        assert (found["valid"], found["faults"]) == (True, [])
        units = {feature["name"]: feature["unit"] for feature in found["features"]}
        assert units == {"cpu.mean": "cores", "cpu.request": "cores", "memory.mean": "bytes", "memory.request": "bytes"}

    def test_an_integer_beside_a_double_is_taken_as_one_and_told(self, api: Client) -> None:
        found = api.post("/rules/new/validate", {"when": "2 * cpu.p95 < cpu.request"}).expect(200)
        assert (found["valid"], found["hints"][0]["suggestion"], found["hints"][0]["position"]) == (True, "2.0", {"line": 1, "column": 1})

    def test_a_new_rule_needs_a_condition(self, api: Client) -> None:
        problem = api.post("/rules/new/validate", {}).problem(422, "invalid-request")
        assert problem["errors"][0]["pointer"] == "#/when"
        assert api.post("/rules/gone/validate", {}).problem(404, "not-found")

    def test_built_in_rules_are_all_sound(self, api: Client) -> None:
        for rule in api.get("/rules", {"built_in": "true"}).expect(200)["items"]:
            found = api.post(f"/rules/{rule['id']}/validate", {}).expect(200)
            assert (found["valid"], found["faults"], found["hints"]) == (True, [], []), rule["id"]


class TestTest:
    def test_given_rows_fire_or_not_or_can_not_be_told(self, api: Client) -> None:
        rows = [{"cpu.p95": 0.1, "cpu.request": 1}, {"cpu.p95": 0.9, "cpu.request": 1.0}, {"cpu.p95": None, "cpu.request": 1.0}, {}]
        found = tried(api, "cpu.p95 / cpu.request < 0.2", rows, explanation="{cpu.p95} of {cpu.limit}")
        assert found["counts"] == {"rows": 4, "in_scope": 4, "fired": 1, "inconclusive": 2}
        (hit,) = found["fired_rows"]
        assert (hit["row"], hit["explanation"]) == (0, "0.1 of unknown")
        assert [(row["row"], row["missing"]) for row in found["inconclusive_rows"]] == [(2, ["cpu.p95"]), (3, ["cpu.p95", "cpu.request"])]
        assert found["missing_features"] == {"cpu.p95": 2, "cpu.request": 1}

    def test_missing_or_true_is_true(self, api: Client) -> None:
        assert tried(api, "latency.p95 > 1.0 || throttled.fraction > 0.1", [{"throttled.fraction": 0.2}])["counts"]["fired"] == 1

    def test_an_adjustment_shows_what_would_change(self, api: Client) -> None:
        then = {"kind": "adjustment", "target": "memory_limit_bytes", "factor": 1.5, "maximum": 250}
        features = {"recommended.memory_limit": 200.0, "memory.limit": 150.0, "oom.count": 3}
        hit = tried(api, "oom.count > 2", [features], then=then)["fired_rows"][0]
        assert hit["changes"] == [{"target": "memory_limit_bytes", "current": 150.0, "recommended": 200.0, "after": 250.0}]

    def test_a_veto_keeps_what_would_be_lowered(self, api: Client) -> None:
        features = {"cpu.request": 2.0, "recommended.cpu_request": 1.0, "memory.request": 10.0, "recommended.memory_request": 20.0}
        hit = tried(api, "true", [features], then={"kind": "veto", "of": "decreases"})["fired_rows"][0]
        assert hit["changes"] == [{"target": "cpu_request_cores", "current": 2.0, "recommended": 1.0, "after": 2.0}]

    def test_a_veto_that_can_not_be_told_shows_what_it_keeps(self, api: Client) -> None:
        features = {"cpu.request": 2.0, "recommended.cpu_request": 1.0}
        found = tried(api, "latency.p95 > 1.0", [features], then={"kind": "veto", "of": "cpu"})
        (row,) = found["inconclusive_rows"]
        assert row["missing"] == ["latency.p95"]
        assert row["changes"] == [{"target": "cpu_request_cores", "current": 2.0, "recommended": 1.0, "after": 2.0}]

    def test_only_limits_can_be_taken_away(self, api: Client) -> None:
        then = {"kind": "adjustment", "target": "memory_request_bytes", "unset": True}
        assert api.post("/rules", RULE | {"then": then}).problem(422, "invalid-request")["errors"][0]["pointer"].startswith("#/then")

    def test_runs_on_a_cluster_and_names_the_containers(self, api: Client, cluster_id: str) -> None:
        found = api.post(
            "/rules/new/test", {"cluster_id": cluster_id, "when": "cpu.mean < cpu.request && container.role == 'main'"}
        ).expect(200)
        assert found["counts"] == {"rows": CONTAINERS, "in_scope": CONTAINERS, "fired": CONTAINERS, "inconclusive": 0}
        assert {(row["namespace"], row["name"]) for row in found["fired_rows"]} >= {("shop", "api"), ("data", "db")}
        features = found["fired_rows"][0]["features"]
        assert 0 < features["cpu.mean"] < features["cpu.request"] == 1.0

    def test_a_scope_narrows_it(self, api: Client, world: World, cluster_id: str) -> None:
        rule = created(api, when="cpu.mean > 0.0", scope={"namespaces": ["data"]})
        found = api.post(f"/rules/{rule['id']}/test", {"cluster_id": cluster_id}).expect(200)
        assert (found["counts"]["in_scope"], [row["namespace"] for row in found["fired_rows"]]) == (1, ["data"])
        other = created(api, when="true", scope={"clusters": ["cl_other"]})
        assert api.post(f"/rules/{other['id']}/test", {"cluster_id": cluster_id}).expect(200)["counts"]["in_scope"] == 0

    def test_labels_narrow_given_rows(self, api: Client) -> None:
        rule = created(api, when="true", scope={"labels": {"team": "a"}})
        rows = [{"features": {}, "labels": {"team": "a", "x": "y"}}, {"features": {}, "labels": {"team": "b"}}, {"features": {}}]
        assert [row["row"] for row in api.post(f"/rules/{rule['id']}/test", {"rows": rows}).expect(200)["fired_rows"]] == [0]

    def test_a_selector_narrows_them_as_kubectl_has_it(self, api: Client) -> None:
        rule = created(api, when="true", scope={"selector": "team in (a, b),!canary"})
        rows = [{"features": {}, "labels": labels} for labels in ({"team": "a"}, {"team": "b", "canary": "1"}, {"team": "c"}, {})]
        assert [row["row"] for row in api.post(f"/rules/{rule['id']}/test", {"rows": rows}).expect(200)["fired_rows"]] == [0]

    def test_what_was_not_collected_is_409(self, api: Client, world: World) -> None:
        asked = {"cluster_id": world.register(), "when": "true"}
        assert api.post("/rules/new/test", asked).problem(409, "nothing-collected")
        assert api.post("/rules/new/test", {"cluster_id": "cl_" + "0" * 26, "when": "true"}).problem(404, "not-found")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"when": "true"}, "#"), ({"when": "true", "rows": []}, "#/rows"), ({"when": "true", "rows": [{"features": {"cpu.x": 1}}]}, "#/rows/0/features/cpu.x"),
            ({"when": "true", "rows": [{"features": {"oom.count": 1.5}}]}, "#/rows/0/features/oom.count"), ({"when": "1", "rows": [{"features": {}}]}, "#/when"),
        ],
    )  # fmt: skip
    def test_tells_what_is_wrong_with_a_request(self, api: Client, body: Any, pointer: str) -> None:
        problem = api.post("/rules/new/test", body).problem(422, "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]

    def test_every_built_in_rule_runs_on_a_cluster(self, api: Client, world: World) -> None:
        world.cluster.listed = type(world.cluster.listed)((workload("a", "b"),), (), (), ("a",))
        cluster_id = world.register()
        world.collect(cluster_id)
        for rule in api.get("/rules", {"built_in": "true"}).expect(200)["items"]:
            found = api.post(f"/rules/{rule['id']}/test", {"cluster_id": cluster_id}).expect(200)
            assert found["counts"]["rows"] == 1
