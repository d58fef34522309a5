"""Kubeconfigs as they should not be: each is one clear message."""

from __future__ import annotations

from pathlib import Path

import pytest
from outside.cluster import Cluster
from outside.scanning import World

GOOD = Cluster().kubeconfig("http://127.0.0.1:1")


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


NOT_USABLE = {
    "empty": "",
    "not YAML": "clusters: [{{{ :\n\t- }",
    "a scalar": "hello",
    "a number": "5",
    "a list": "- 1\n- 2",
    "binary": b"\x00\xff\xfe\x80" * 50,
    "nested without end": "[" * 5000,
    "another document": "kind: Pod\nmetadata: {name: x}",
    "lists that are none": "current-context: test\nclusters: 5\ncontexts: [{}]\nusers: x",
    "entries that are none": "current-context: test\nclusters: [1]\ncontexts: [[], null, 7]\nusers: ['x']",
    "no current context": changed("current-context: test", "current-context: ''"),
    "a context that is not there": changed("current-context: test", "current-context: other"),
    "a context that is a number": changed("current-context: test", "current-context: 5"),
    "a cluster that is not there": changed("{cluster: c, user: u}", "{cluster: nope, user: u}"),
    "a user that is not there": changed("{cluster: c, user: u}", "{cluster: c, user: nope}"),
    "a context that is text": changed("context: {cluster: c, user: u}", "context: text"),
    "a server that is no URL": changed("http://127.0.0.1:1", "not a url"),
    "a server of another scheme": changed("http://127.0.0.1:1", "ftp://127.0.0.1"),
    "a server without a host": changed("http://127.0.0.1:1", "https://"),
    "a server with a bad port": changed("http://127.0.0.1:1", "https://127.0.0.1:99999"),
    "a server that is a list": changed('"http://127.0.0.1:1"', "[1, 2]"),
    "no server": changed('server: "http://127.0.0.1:1"', "namespace: x"),
    "a token with a line break": changed('token: "a-token-that-is-good"', 'token: "a\\nb: c"'),
    "a token that is a map": changed('token: "a-token-that-is-good"', "token: {a: b}"),
    "a login provider of the past": changed('token: "a-token-that-is-good"', "auth-provider: {name: gcp}"),
    "a login provider that is text": changed('token: "a-token-that-is-good"', "auth-provider: gcp"),
    "a plugin without a command": changed('token: "a-token-that-is-good"', "exec: {args: [a]}"),
    "a plugin that is text": changed('token: "a-token-that-is-good"', "exec: aws"),
    "a plugin whose arguments are no list": changed('token: "a-token-that-is-good"', "exec: {command: echo, args: 5}"),
    "a plugin whose environment is no list": changed('token: "a-token-that-is-good"', "exec: {command: echo, env: {A: b}}"),
    "groups that are no list": changed('token: "a-token-that-is-good"', "as: me, as-groups: 5"),
    "a plugin that is not installed": changed('token: "a-token-that-is-good"', "exec: {command: no-such-program-here}"),
    "a plugin that fails": changed('token: "a-token-that-is-good"', "exec: {command: 'false'}"),
    "a plugin that talks nonsense": changed('token: "a-token-that-is-good"', "exec: {command: echo, args: ['<html>']}"),
    "a plugin that gives nothing": changed('token: "a-token-that-is-good"', "exec: {command: echo, args: ['{}']}"),
    "a token file that is not there": changed('token: "a-token-that-is-good"', "tokenFile: no/such/file"),
    "a certificate that is not base 64": changed('token: "a-token-that-is-good"', "client-certificate-data: '!!!'"),
    "a certificate file that is not there": changed('token: "a-token-that-is-good"', "client-certificate: nope.pem"),
    "an authority that is no certificate": changed('server: "http://127.0.0.1:1"', 'server: "https://127.0.0.1:1", certificate-authority-data: aGVsbG8='),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_USABLE)
def test_a_kubeconfig_that_cannot_be_used_is_one_clear_message(world: World, case: str) -> None:
    world.run(kubeconfig=world.kubeconfig(NOT_USABLE[case])).assert_refused(1)


def test_what_is_not_yaml_is_called_so(world: World) -> None:
    world.run(kubeconfig=world.kubeconfig(NOT_USABLE["not YAML"])).assert_refused(1, "kubeconfig", "not YAML")


def test_a_context_that_is_not_there_is_named(world: World) -> None:
    world.run("--context", "staging").assert_refused(1, "staging")


def test_a_file_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    world.run(kubeconfig=str(tmp_path / "none")).assert_refused(1, str(tmp_path / "none"), "No such file")


def test_a_folder_is_no_kubeconfig(world: World, tmp_path: Path) -> None:
    world.run(kubeconfig=str(tmp_path)).assert_refused(1, str(tmp_path), "directory")


def test_no_message_shows_a_secret(world: World) -> None:
    text = changed('"a-token-that-is-good"', '"s3cr3t-t0ken\\nx"')
    outcome = world.run(kubeconfig=world.kubeconfig(text))
    outcome.assert_refused(1)
    assert "s3cr3t" not in outcome.err


def test_a_kubeconfig_that_grows_by_references_is_read_in_no_time(world: World) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    outcome = world.run(kubeconfig=world.kubeconfig("\n".join([*lines, GOOD.replace("current-context: test", "current-context: *a11")])))
    outcome.assert_refused(1)
