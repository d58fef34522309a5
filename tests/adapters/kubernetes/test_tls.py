from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from outside.authority import Authority, https

from upid.adapters.kubernetes.client import ApiServer
from upid.adapters.kubernetes.errors import ApiServerError, KubeconfigError, NoAnswerError
from upid.adapters.kubernetes.lists import Lister
from upid.adapters.kubernetes.session import Patience, Session
from upid.adapters.kubernetes.target import Login, Target
from upid.domain.objects import Connection


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def version(url: str, authority_pem: bytes = b"", login: Login | None = None, **target: object) -> str:
    """Return the name that the server read off the client's certificate."""
    session = Session(Target("c", url, authority_pem, login=login or Login(), **target), Patience(attempts=1))  # type: ignore[arg-type] # options by name
    try:
        return ApiServer(Lister(session)).version()
    finally:
        session.close()


def test_a_server_of_the_given_authority_is_trusted(authority: Authority, tmp_path: Path) -> None:
    with https(authority, tmp_path) as url:
        assert version(url, authority.pem) == "nobody"


def test_a_client_certificate_says_who_calls(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("jane")
    with https(authority, tmp_path) as url:
        assert version(url, authority.pem, Login(certificate_pem=certificate, key_pem=key)) == "jane"


def test_a_server_of_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    with (
        https(authority, tmp_path) as url,
        pytest.raises(ApiServerError, match=r"cannot be trusted: .* authority") as caught,
    ):
        version(url, Authority().pem)
    assert "\n" not in caught.value.detail


def test_without_an_authority_the_systems_store_counts(authority: Authority, tmp_path: Path) -> None:
    with https(authority, tmp_path) as url, pytest.raises(ApiServerError, match="cannot be trusted"):
        version(url)


def test_who_says_so_skips_the_check(authority: Authority, tmp_path: Path) -> None:
    with https(authority, tmp_path) as url:
        assert version(url, insecure=True) == "nobody"


@pytest.mark.parametrize(("name", "fits"), [("inner", True), ("other", False)])
def test_the_servers_name_may_be_given(authority: Authority, tmp_path: Path, name: str, fits: bool) -> None:
    with https(authority, tmp_path) as url:
        if fits:
            assert version(url, authority.pem, server_name=name) == "nobody"
        else:
            with pytest.raises(ApiServerError, match="cannot be trusted"):
                version(url, authority.pem, server_name=name)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_old_tls_is_refused(authority: Authority, tmp_path: Path) -> None:
    old = ssl.TLSVersion.TLSv1_1
    with https(authority, tmp_path, old, old) as url, pytest.raises(ApiServerError):
        version(url, authority.pem)


def test_a_certificate_with_another_key_is_told(authority: Authority) -> None:
    (certificate, _), (_, key) = authority.issue("jane"), authority.issue("john")

    with pytest.raises(KubeconfigError, match="do not fit together"):
        version("https://127.0.0.1:1", authority.pem, Login(certificate_pem=certificate, key_pem=key))


@pytest.mark.parametrize("pem", [b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff"])
def test_an_authority_that_is_none_is_told(pem: bytes) -> None:
    with pytest.raises(KubeconfigError, match="not PEM text of a certificate"):
        version("https://127.0.0.1:1", pem)


def connected(url: str, authority_pem: bytes = b"", **target: object) -> Connection:
    return Session(Target("c", url, authority_pem, **target), Patience(attempts=1)).connection()  # type: ignore[arg-type] # options by name


def test_a_connection_tells_its_tls_and_when_the_certificate_ends(authority: Authority, tmp_path: Path) -> None:
    with https(authority, tmp_path, days=20) as url:
        found = connected(url, authority.pem)
    with https(authority, tmp_path, most=ssl.TLSVersion.TLSv1_2) as url:
        older = connected(url, authority.pem, server_name="inner")

    assert (found.tls, found.verified, older.tls) == ("TLSv1.3", True, "TLSv1.2")
    assert found.certificate_until == pytest.approx(datetime.now(UTC).timestamp() + 20 * 86400, abs=60)


def test_a_connection_that_is_not_checked_says_so(authority: Authority, tmp_path: Path) -> None:
    with https(authority, tmp_path) as url:
        found = connected(url, insecure=True)

    assert (found.tls, found.verified, found.certificate_until) == ("TLSv1.3", False, None)


def test_an_expired_certificate_is_told(authority: Authority, tmp_path: Path) -> None:
    with https(authority, tmp_path, days=-1) as url:
        for ask in (version, connected):
            with pytest.raises(NoAnswerError, match="expired"):
                ask(url, authority.pem)


def test_a_connection_to_nobody_is_told() -> None:
    with pytest.raises(NoAnswerError, match="cannot be reached"):
        connected("https://127.0.0.1:9")
