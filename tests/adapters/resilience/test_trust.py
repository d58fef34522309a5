"""Servers that must not be trusted, over real TLS: each client says which of it is wrong, and does not ask again."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from outside.authority import Authority, https
from outside.serving import Reply, serving

from upid.adapters.kubernetes.client import ApiServers
from upid.adapters.kubernetes.session import Patience
from upid.adapters.prometheus.source import PrometheusSources
from upid.adapters.resilience.trust import distrust
from upid.domain.clusters import ClusterAccess, MetricsAccess
from upid.domain.errors import UnavailableError

SIGNER = Authority()


def never(_seconds: float) -> None:
    raise AssertionError("Whom one does not trust is asked again.")


def kubernetes(url: str, trusted: bytes) -> str:
    """Return why the Kubernetes client refuses a server."""
    access = ClusterAccess(server=url, certificate_authority=trusted.decode(), token="t")
    with pytest.raises(UnavailableError) as refused:
        ApiServers(Patience(sleep=never)).open(access).version()
    return refused.value.detail


def prometheus(url: str, trusted: bytes = b"") -> str:
    """Return why the Prometheus client refuses a server."""
    source = PrometheusSources().open(MetricsAccess(url, certificate_authority=trusted.decode()))
    source.client.sleep = never
    with pytest.raises(UnavailableError) as refused:
        source.check()
    return refused.value.detail


@contextmanager
def plain(_folder: Path) -> Iterator[str]:
    with serving(lambda _: Reply({})) as url:
        yield url.replace("http:", "https:")


def with_certificate(**wrong: object) -> Callable[[Path], object]:
    return lambda folder: https(SIGNER, folder, certificate=SIGNER.issue("server", **wrong))  # type: ignore[arg-type] # options by name


FAULTS = {
    "expired": (with_certificate(days=-1), "its certificate has expired"),
    "not yet valid": (with_certificate(begins_in_days=0.5), "its certificate is not valid yet: see that the clocks agree"),
    "another host": (with_certificate(address="127.0.0.2"), "its certificate is for another IP address"),
    "plain HTTP": (plain, "it does not speak TLS, perhaps it is http instead of https"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_api_server_that_is_not_to_be_trusted_is_told_by_its_fault(fault: str, tmp_path: Path) -> None:
    serve, words = FAULTS[fault]
    with serve(tmp_path) as url:  # type: ignore[attr-defined] # a context manager each
        assert kubernetes(url, SIGNER.pem) == f"The Kubernetes API at {url} cannot be trusted: {words}."


def test_a_self_signed_certificate_without_an_authority_says_what_to_give(tmp_path: Path) -> None:
    other = Authority()
    with https(SIGNER, tmp_path, certificate=SIGNER.own()) as url:
        assert "cannot be trusted: its certificate is self-signed: add it to the authorities that are trusted." in kubernetes(url, b"")
        assert "cannot be trusted: its certificate is self-signed: add it to the authorities that are trusted." in prometheus(url)
    with https(SIGNER, tmp_path) as url:
        assert "its certificate is not signed by the certificate authority that was given." in kubernetes(url, other.pem)
        assert f"{url} cannot be trusted: its certificate comes from an authority that is not known here" in prometheus(url)


def test_a_metrics_source_is_trusted_by_the_authority_that_was_given_and_by_no_other(tmp_path: Path) -> None:
    with https(SIGNER, tmp_path) as url:
        PrometheusSources().open(MetricsAccess(url, certificate_authority=SIGNER.pem.decode())).check()
        assert "its certificate is not signed by the certificate authority that was given." in prometheus(url, Authority().pem)


def test_a_metrics_source_in_plain_http_is_told_and_asked_once(tmp_path: Path) -> None:
    with plain(tmp_path) as url:
        assert prometheus(url) == f"{url} cannot be trusted: it does not speak TLS, perhaps it is http instead of https."


def test_a_connection_that_breaks_off_within_tls_is_no_matter_of_trust() -> None:
    assert distrust(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")) == ""
    assert distrust(OSError("gone")) == ""


def test_what_is_not_known_is_told_in_openssls_words() -> None:
    error = ssl.SSLError(1, "[SSL: DH_KEY_TOO_SMALL] dh key too small (_ssl.c:1016)")

    assert distrust(error) == "[SSL: DH_KEY_TOO_SMALL] dh key too small"
