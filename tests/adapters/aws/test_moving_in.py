"""A home that was used moves to AWS with its users, its clusters and their credentials, and is used there by the same services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.cloud import REGION, Cloud

from upid.bootstrap import Services
from upid.cli.main import main
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import UnauthenticatedError
from upid.services.cluster_records import Access, cluster_key
from upid.settings import Settings

ACCESS = Access(ClusterAccess(kubeconfig="token: s3cr3t"), MetricsAccess("http://prometheus", headers=(("X-Scope", "t"),)))


@pytest.fixture
def environment(aws: Cloud, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a home on the pretended AWS."""
    set_ = {
        "UPID_TABLE": aws.table(tmp_path), "UPID_BUCKET": aws.bucket(tmp_path), "UPID_KEY": aws.key(tmp_path), "AWS_REGION": REGION,
        "UPID_MACHINES": f"arn:aws:states:{REGION}:123456789012:stateMachine:upid-", "UPID_TRANSFER_PASSPHRASE": "correct horse battery",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**set_, "UPID_HOME": str(tmp_path / "home")}.items():
            patch.setenv(name, value)
        yield {**set_, "UPID_HOME": "aws"}


def test_users_log_in_and_credentials_open_where_they_moved_to(environment: dict[str, str], tmp_path: Path) -> None:
    here = Services(Settings(home=tmp_path / "home"))
    here.identity.ensure_admin("a long password")
    token = here.identity.login("admin", "a long password").access_token
    body = {"id": "cl_1", "sealed": here.cluster_records.seal("cl_1", ACCESS)}
    here.records.put(cluster_key("default", "cl_1"), body)
    here.database.close()

    assert main(["export", str(tmp_path / "archive"), "--with-secrets"]) == 0
    assert main(["import", str(tmp_path / "archive"), "--home", "aws"]) == 0

    there = Services(Settings.from_environment(environment))
    assert there.identity.login("admin", "a long password").caller.username == "admin"
    assert there.cluster_records.access("default", there.cluster_records.get("default", "cl_1").body) == ACCESS
    assert [stored.event.type for stored in there.events.read("default")] == ["user.created", "user.logged_in", "user.logged_in"]
    with pytest.raises(UnauthenticatedError):  # tokens of the old home are not taken: its signing key stayed there
        there.identity.authenticate(token)


def test_the_platform_here_does_not_run_on_a_home_on_aws(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--home", "aws"]) == 2
    assert "UPID_HOME=aws is for functions on AWS" in capsys.readouterr().err
