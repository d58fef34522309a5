from __future__ import annotations

from pathlib import Path

import pytest
import typer

from upid.cli import arguments
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import UnavailableError


@pytest.mark.parametrize(("text", "seconds"), [("7d", 604800), ("36h", 129600), ("1h30m", 5400), ("1s", 1)])
def test_a_duration_is_whole_seconds(text: str, seconds: int) -> None:
    assert arguments.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "0s", "500ms", "-1h", "1.5s", "forever"])
def test_what_is_no_duration_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        arguments.duration(text)


@pytest.mark.parametrize(("text", "pair"), [("X-Scope-OrgID: a:b ", ("X-Scope-OrgID", "a:b")), ("X:", ("X", ""))])
def test_a_header_is_split_at_its_first_colon(text: str, pair: tuple[str, str]) -> None:
    assert arguments.header(text) == pair


def test_a_password_may_have_colons() -> None:
    assert arguments.basic_auth("me:a:b") == ("me", "a:b")


@pytest.mark.parametrize("text", ["me", ":secret", ""])
def test_basic_auth_without_a_user_is_a_usage_error_that_keeps_the_secret(text: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        arguments.basic_auth(text)
    assert "secret" not in str(caught.value)


def test_the_first_kubeconfig_of_a_list_that_exists_counts(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("second")

    access = arguments.cluster_access(f"{tmp_path / 'a'}:{tmp_path / 'b'}", "prod")

    assert (access.kubeconfig, access.context, access.trusted, access.base_path) == ("second", "prod", True, str(tmp_path))


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff\xfe\x00")])
def test_a_kubeconfig_that_cannot_be_read_is_named(tmp_path: Path, make: object) -> None:
    path = tmp_path / "config"
    make(path)  # type: ignore[operator] # a function of the path

    with pytest.raises(UnavailableError, match=str(path)):
        arguments.cluster_access(str(path), "")


def test_a_token_comes_from_its_file_without_the_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")

    assert arguments.token_from(tmp_path / "token", "other") == "secret"
    assert arguments.token_from(None, "other") == "other"


def test_a_token_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="token"):
        arguments.token_from(tmp_path / "token", "")


def test_matchers_join_the_clusters_label() -> None:
    access = arguments.metrics_access(MetricsAccess("http://x", cluster_label="cluster=prod"), ["X-A: b"], ['env=~"a|b"'])

    assert (access.headers, access.cluster_label) == ((("X-A", "b"),), 'cluster=prod,env=~"a|b"')


@pytest.mark.parametrize("access", [MetricsAccess(), MetricsAccess("http://x", "metrics-server")])
def test_a_url_is_wanted_by_all_sources_but_the_clusters_own(access: MetricsAccess) -> None:
    with pytest.raises(typer.BadParameter):
        arguments.metrics_access(access, [], [])
    assert arguments.metrics_access(MetricsAccess(kind="metrics-server"), [], []).kind == "metrics-server"
