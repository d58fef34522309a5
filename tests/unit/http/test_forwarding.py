from __future__ import annotations

from ipaddress import ip_network

import pytest

from upid.http.forwarding import client_of

TRUSTED = [ip_network(text) for text in ("10.0.0.0/8", "fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7, 10.1.1.1"], "203.0.113.7"),  # two proxies of ours
        ("10.0.0.1", ["203.0.113.7", "10.1.1.1"], "203.0.113.7"),  # which each wrote a header
        ("10.0.0.1", ["10.2.2.2"], "10.2.2.2"),  # a client of our own network
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
    ],
)
def test_a_trusted_proxy_tells_whom_it_was_asked_by(peer: str, forwarded: list[str], client: str) -> None:
    assert client_of(peer, forwarded, TRUSTED) == client


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # nobody trusts this one
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # the client wrote the first itself
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7, 10.1.1.1"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_what_others_wrote_counts_for_nothing(peer: str, forwarded: list[str], client: str) -> None:
    assert client_of(peer, forwarded, TRUSTED) == client


def test_without_a_trusted_proxy_the_peer_is_the_client() -> None:
    assert client_of("10.0.0.1", ["203.0.113.7"], ()) == "10.0.0.1"
