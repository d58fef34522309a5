"""EKS clusters by name against a server that plays AWS, and the cluster that the platform runs in."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from outside.serving import Reply, Request, serving
from worlds.collection import SetClock

from upid.adapters.kubernetes import eks, kubeconfig
from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.kubernetes.errors import NoAnswerError
from upid.adapters.kubernetes.session import Patience
from upid.adapters.resilience.breaker import Limits
from upid.adapters.resilience.guards import Guards
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import InvalidRequestError, RefusedError, UnavailableError

ROLE = "arn:aws:iam::123456789012:role/reader"
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@pytest.fixture
def seen() -> list[Request]:
    return []


@pytest.fixture
def cluster(seen: list[Request]) -> Iterator[str]:
    def answer(request: Request) -> Reply:
        seen.append(request)
        return Reply({"gitVersion": "v1.33.1-eks"} if len(seen) > 1 else {}, 200 if len(seen) > 1 else 401)

    with serving(answer) as url:
        yield url


@pytest.fixture
def aws(cluster: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        if request.param("Action") == "AssumeRole":
            return Reply(ASSUMED.encode(), headers={"Content-Type": "text/xml"})
        if request.path == "/clusters/production":
            return Reply({"cluster": {"name": "production", "endpoint": cluster, "certificateAuthority": {"data": ""}, "status": "ACTIVE"}})
        return Reply({"message": "No cluster"}, 403, {"x-amzn-ErrorType": "AccessDeniedException"})

    with serving(answer) as url:
        told = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        yield asked


def signed_request(request: Request) -> tuple[str, dict[str, list[str]]]:
    text = request.headers["authorization"].removeprefix("Bearer k8s-aws-v1.")
    parts = urlsplit(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    return parts.netloc, parse_qs(parts.query)


def test_a_token_is_a_signed_request_of_the_role_for_this_cluster(aws: list[Request], seen: list[Request]) -> None:
    server = ApiServers().open(ClusterAccess(eks_name="production", eks_region="eu-central-1", role_arn=ROLE))
    assert (server.context, aws) == ("production", [])

    assert server.version() == "v1.33.1-eks"

    host, query = signed_request(seen[-1])
    assert host == "sts.eu-central-1.amazonaws.com"
    assert (query["Action"], query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == (["GetCallerIdentity"], ["60"], ["host;x-k8s-aws-id"])
    assert query["X-Amz-Credential"][0].startswith("ASIAROLE/")
    assert query["X-Amz-Security-Token"] == ["role-session"]
    assert len(seen) == 2  # the first was refused, and a token made anew


def test_a_role_is_taken_on_with_the_external_id_that_was_told(aws: list[Request]) -> None:
    told = ClusterAccess(eks_name="production", eks_region="eu-central-1", role_arn=ROLE, external_id="upid:team-a")
    ApiServers().open(told).version()

    assumed = [request for request in aws if request.param("Action") == "AssumeRole"]
    assert {request.param("ExternalId") for request in assumed} == {"upid:team-a"}


def test_a_token_is_made_anew_before_its_fifteen_minutes_end(aws: list[Request], seen: list[Request]) -> None:
    clock = SetClock()
    server = ApiServers(Patience(now=clock.now)).open(ClusterAccess(eks_name="production", eks_region="eu-central-1", role_arn=ROLE))
    assumed = []
    for seconds in (0, 839, 1):
        clock.moment += seconds
        server.version()
        assumed.append(len([request for request in aws if request.param("Action") == "AssumeRole"]))

    assert [count - assumed[0] for count in assumed] == [0, 0, 1]
    assert len([request for request in seen if request.path == "/version"]) == 4  # the first was refused


def test_an_aws_that_hangs_is_given_up_in_time(aws: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{hanging.getsockname()[1]}")
        monkeypatch.setattr(eks, "READ_SECONDS", 0.2)
        with pytest.raises(UnavailableError, match=r"(STS|EKS) in eu-central-1"):
            ApiServers().open(ClusterAccess(eks_name="production", eks_region="eu-central-1", role_arn=ROLE)).version()

    assert aws == []


def test_an_aws_that_is_gone_is_left_alone_after_a_while_as_its_cluster_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []

    def broken(request: Request) -> Reply:
        asked.append(request)
        return Reply({}, 500)

    with serving(broken) as url:
        for name, value in {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "s"}.items():
            monkeypatch.setenv(name, value)
        guards = Guards(SetClock(), lambda *_: None, Limits(failures=2))
        server = ApiServers(guards=guards).open(ClusterAccess(eks_name="production", eks_region="eu-central-1", system="cl_1/kubernetes"))
        for _ in range(2):
            with pytest.raises(NoAnswerError, match=r"EKS in eu-central-1 answered DescribeCluster"):
                server.version()
        before = len(asked)
        with pytest.raises(NoAnswerError, match=r"cl_1/kubernetes is not asked for now, it failed 2 times in a row: EKS in eu-central-1"):
            server.version()

    assert len(asked) == before


def test_what_aws_refuses_says_nothing_of_the_cluster(aws: list[Request]) -> None:
    guards = Guards(SetClock(), lambda *_: None, Limits(failures=1))
    server = ApiServers(guards=guards).open(ClusterAccess(eks_name="other", eks_region="eu-central-1", system="cl_1/kubernetes"))
    for _ in range(2):
        with pytest.raises(RefusedError):
            server.version()

    assert guards.of("cl_1/kubernetes").breaker.state == "closed"


def test_without_a_role_the_platform_signs_for_itself(aws: list[Request], seen: list[Request]) -> None:
    ApiServers().open(ClusterAccess(eks_name="production", eks_region="eu-central-1")).version()

    assert signed_request(seen[-1])[1]["X-Amz-Credential"][0].startswith("AKIAOWN/")
    assert not [request for request in aws if request.param("Action") == "AssumeRole"]


def test_what_aws_refuses_is_told(aws: list[Request]) -> None:
    with pytest.raises(RefusedError, match="EKS in eu-central-1"):
        ApiServers().open(ClusterAccess(eks_name="other", eks_region="eu-central-1")).version()


def test_in_a_pod_its_service_account_logs_in(cluster: str, seen: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("pods-token\n")
    (tmp_path / "ca.crt").write_bytes(b"")
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")

    target = kubeconfig.load(ClusterAccess(in_cluster=True))

    assert (target.context, target.server) == ("in-cluster", "https://[fd00::1]:6443")
    assert target.login.token_file == f"{tmp_path}/token"


def test_outside_of_a_pod_in_cluster_is_refused_with_a_pointer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(InvalidRequestError) as refused:
        ApiServers().open(ClusterAccess(in_cluster=True))

    assert refused.value.members["errors"][0]["pointer"] == "#/in_cluster"
