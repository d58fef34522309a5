"""Our loader against the one of the official client, on what both understand."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config

from upid.adapters.kubernetes.credentials import obtain
from upid.adapters.kubernetes.kubeconfig import load
from upid.domain.clusters import ClusterAccess

DATA = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode()
USERS = {
    "token": {"token": "abc"},
    "token-file": {"tokenFile": "token"},
    "basic": {"username": "jane", "password": "p:w"},
    "plugin": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": "Never"}},
    "certificate": {"client-certificate-data": DATA, "client-key-data": DATA},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("from-a-file\n")
    plugin = tmp_path / "plugin"
    plugin.write_text(
        '#!/bin/sh\necho \'{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"made"}}\'\n'
    )
    plugin.chmod(0o755)
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "token",
        "clusters": [{"name": "c", "cluster": {"server": "https://api:6443", "certificate-authority-data": DATA}}],
        "users": [{"name": name, "user": user} for name, user in USERS.items()],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": name}} for name in USERS],
    }  # fmt: skip
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    return tmp_path


@pytest.mark.parametrize("context", USERS)
def test_both_loaders_come_to_the_same(folder: Path, context: str) -> None:
    theirs = Configuration()
    load_kube_config(str(folder / "config"), context, theirs)
    target = load(ClusterAccess(kubeconfig=(folder / "config").read_text(), context=context, trusted=True, base_path=str(folder)))
    ours = obtain(target, 0.0)

    assert [value for _, value in ours.headers] == [setting["value"].strip() for setting in theirs.auth_settings().values()]
    assert target.server == theirs.host
    assert target.authority_pem == Path(theirs.ssl_ca_cert).read_bytes()
    assert ours.certificate_pem == (Path(theirs.cert_file).read_bytes() if theirs.cert_file else b"")
