from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from upid.adapters.kubernetes.errors import KubeconfigError
from upid.adapters.kubernetes.kubeconfig import load
from upid.domain.clusters import ClusterAccess
from upid.domain.errors import InvalidRequestError

PEM = b"-----BEGIN CERTIFICATE-----\n"
Body = dict[str, Any]


def document(user: Body | None = None, cluster: Body | None = None, **more: Any) -> Body:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "clusters": [
            {"name": "other", "cluster": {"server": "https://other"}},
            {"name": "c", "cluster": {"server": "https://api:6443/"} | (cluster or {})},
        ],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [
            {"name": "main", "context": {"cluster": "c", "user": "u"}},
            {"name": "second", "context": {"cluster": "other", "user": "u"}},
        ],
    } | more


def trusted(config: Body | str, context: str = "", base: Path | None = None) -> ClusterAccess:
    text = config if isinstance(config, str) else yaml.safe_dump(config)
    return ClusterAccess(kubeconfig=text, context=context, trusted=True, base_path=str(base or "."))


def pointers(config: Body | str, **more: Any) -> list[str]:
    text = config if isinstance(config, str) else yaml.safe_dump(config)
    with pytest.raises(InvalidRequestError) as caught:
        load(ClusterAccess(kubeconfig=text, **more))
    errors = caught.value.members["errors"]
    assert isinstance(errors, list)
    return [error["pointer"] for error in errors]


def test_the_current_context_says_where_and_who() -> None:
    target = load(trusted(document({"token": " abc\n"}, {"tls-server-name": "inner", "insecure-skip-tls-verify": True})))

    assert (target.context, target.server, target.login.token) == ("main", "https://api:6443", "abc")
    assert (target.server_name, target.insecure) == ("inner", True)


def test_another_context_is_taken_by_name() -> None:
    assert load(trusted(document(), "second")).server == "https://other"


def test_inline_certificates_are_decoded() -> None:
    data = base64.b64encode(PEM).decode()
    target = load(trusted(document({"client-certificate-data": data, "client-key-data": data}, {"certificate-authority-data": data})))

    assert (target.authority_pem, target.login.certificate_pem, target.login.key_pem) == (PEM, PEM, PEM)


def test_paths_are_relative_to_the_kubeconfigs_folder(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(PEM)
    target = load(trusted(document({"tokenFile": "token"}, {"certificate-authority": "ca.pem"}), base=tmp_path))

    assert (target.authority_pem, target.login.token_file) == (PEM, str(tmp_path / "token"))


def test_inline_data_stands_before_a_path() -> None:
    data = base64.b64encode(PEM).decode()

    assert load(trusted(document(cluster={"certificate-authority-data": data, "certificate-authority": "/nowhere"}))).authority_pem == PEM


def test_impersonation_goes_into_headers() -> None:
    target = load(trusted(document({"as": "jane", "as-groups": ["a", "b"], "as-uid": "7"})))

    assert target.login.headers == (
        ("Impersonate-User", "jane"), ("Impersonate-Uid", "7"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"),
    )  # fmt: skip


def test_secrets_show_in_no_representation() -> None:
    assert "hush" not in repr(load(trusted(document({"token": "hush", "password": "hush"}))))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{[", "not YAML"),
        ("just text", "no kubeconfig"),
        ("", "no kubeconfig"),
        ("a: &a [*a]\nb: 1", "no kubeconfig"),
        (document(**{"current-context": ""}), "no current-context"),
        (document(**{"current-context": "gone"}), "no context 'gone'"),
        (document(contexts=[{"name": "main", "context": {"cluster": "x", "user": "u"}}]), "no cluster 'x'"),
        (document(contexts=[{"name": "main", "context": {"cluster": "c", "user": "x"}}]), "no user 'x'"),
        (document(cluster={"server": ""}), "no http or https URL"),
        (document(cluster={"server": "ftp://x"}), "no http or https URL"),
        (document(cluster={"server": 7}), "server must be text"),
        (document(cluster={"proxy-url": "socks5://x"}), "'socks5://x' is no http or https URL"),
        (document({"token": "a\nb"}), "cannot stand in an HTTP header"),
        (document({"client-key-data": "%"}), "not base64"),
        (document({"client-key": "/no/such/file"}), "'/no/such/file' cannot be read: No such file"),
        (document({"exec": {"args": []}}), "names no command"),
        (document({"auth-provider": {"name": "gcp"}}), "left kubectl with 1.26"),
        (document(users=[{"name": "u", "user": "me"}]), "is not a mapping"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(config: Body | str, words: str) -> None:
    with pytest.raises(KubeconfigError, match=words) as caught:
        load(trusted(config))
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize("key", ["exec", "auth-provider", "tokenFile", "client-certificate", "client-key"])
def test_what_comes_from_strangers_names_no_program_and_no_file(key: str) -> None:
    assert pointers(document({key: "x"})) == [f"#/kubeconfig/users/0/user/{key}"]


def test_every_fault_of_a_strangers_kubeconfig_is_pointed_at_in_unused_entries_too() -> None:
    config = document({"token": "t"}, {"certificate-authority": "/etc/shadow"})
    config["users"].append({"name": "spare", "user": {"exec": {"command": "sh"}, "tokenFile": "/etc/shadow"}})

    assert pointers(config) == [
        "#/kubeconfig/clusters/1/cluster/certificate-authority",
        "#/kubeconfig/users/1/user/exec",
        "#/kubeconfig/users/1/user/tokenFile",
    ]


@pytest.mark.parametrize(
    ("config", "more", "pointer"),
    [
        ("{[", {}, "#/kubeconfig"),
        (document(), {"context": "gone"}, "#/context"),
        (document(cluster={"server": "x"}), {}, "#/kubeconfig/clusters/1/cluster/server"),
        (document({"token": "a\x7fb"}), {}, "#/kubeconfig/users/0/user/token"),
    ],
)
def test_other_faults_are_pointed_at_as_well(config: Body | str, more: Body, pointer: str) -> None:
    assert pointers(config, **more) == [pointer]


@pytest.mark.parametrize(
    ("access", "pointer"),
    [
        (ClusterAccess(server="api:6443"), "#/server"),
        (ClusterAccess(server="https://api", token="a\r\nX-Evil: 1"), "#/token"),
        (ClusterAccess(server="https://api", certificate_authority="nonsense"), "#/certificate_authority"),
    ],
)
def test_a_server_by_itself_is_held_to_the_same(access: ClusterAccess, pointer: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        load(access)
    assert caught.value.members["errors"][0]["pointer"] == pointer  # type: ignore[index] # a list of mappings


def test_a_server_by_itself_is_named_after_its_host() -> None:
    assert load(ClusterAccess(server="https://api:6443/", token="t")).context == "api:6443"
