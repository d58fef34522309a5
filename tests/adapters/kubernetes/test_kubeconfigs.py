from __future__ import annotations

from pathlib import Path

import pytest

from upid.adapters.kubernetes.errors import KubeconfigError
from upid.adapters.kubernetes.kubeconfig import load
from upid.adapters.kubernetes.kubeconfigs import contexts_of, merged
from upid.cli.arguments import cluster_access


def config(name: str, *, server: str = "", current: str = "", user: str = "{token: t}") -> str:
    return f"""
current-context: "{current}"
clusters: [{{name: {name}, cluster: {{server: "https://{server or name}"}}}}]
users: [{{name: {name}, user: {user}}}]
contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]
"""


def write(folder: Path, **texts: str) -> str:
    """Write files into folders of their own and return them as `KUBECONFIG` lists them."""
    paths = []
    for name, text in texts.items():
        path = folder / name / "config"
        path.parent.mkdir()
        path.write_text(text)
        paths.append(str(path))
    return ":".join(paths)


def test_contexts_of_all_files_are_there(tmp_path: Path) -> None:
    access = cluster_access(write(tmp_path, a=config("one"), b=config("two")), "two")

    assert contexts_of(access.kubeconfig or "") == ("one", "two")
    assert load(access).server == "https://two"


def test_the_first_file_that_has_a_name_counts(tmp_path: Path) -> None:
    access = cluster_access(write(tmp_path, a=config("x", server="first"), b=config("x", server="second")), "x")

    assert load(access).server == "https://first"


def test_the_current_context_is_of_the_first_file_that_sets_one(tmp_path: Path) -> None:
    files = write(tmp_path, a=config("one"), b=config("two", current="two"), c=config("three", current="three"))

    assert load(cluster_access(files, "")).context == "two"


def test_paths_start_at_the_folder_of_their_file(tmp_path: Path) -> None:
    user = "{tokenFile: secret, exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login}}"
    access = cluster_access(write(tmp_path, a=config("one"), b=config("two", user=user)), "two")

    login = load(access).login
    assert login.token_file == str(tmp_path / "b" / "secret")
    assert login.plugin is not None
    assert login.plugin["command"] == str(tmp_path / "b" / "login")


def test_a_program_without_a_path_is_searched_for(tmp_path: Path) -> None:
    access = cluster_access(write(tmp_path, a=config("one"), b=config("two", user="{exec: {command: aws}}")), "two")

    plugin = load(access).login.plugin
    assert plugin is not None
    assert plugin["command"] == "aws"


def test_files_that_are_missing_or_empty_are_passed_over(tmp_path: Path) -> None:
    files = write(tmp_path, a="", b=config("two", current="two"))

    assert load(cluster_access(f"{tmp_path / 'none'}:{files}", "")).server == "https://two"


def test_a_file_that_is_no_kubeconfig_is_named() -> None:
    with pytest.raises(KubeconfigError, match="/b/config cannot be used: It is not YAML"):
        merged([(Path("/a/config"), config("one")), (Path("/b/config"), "{")])


def test_a_kubeconfig_without_contexts_has_none_to_scan() -> None:
    with pytest.raises(KubeconfigError, match="no context"):
        contexts_of("clusters: []")


def test_a_file_whose_name_has_a_colon_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "a:b").write_text(config("one", current="one"))

    assert load(cluster_access(str(tmp_path / "a:b"), "")).server == "https://one"
