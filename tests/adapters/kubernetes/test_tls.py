from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from upid.adapters.kubernetes.client import ApiServer
from upid.adapters.kubernetes.errors import ApiServerError, KubeconfigError, NoAnswerError
from upid.adapters.kubernetes.lists import Lister
from upid.adapters.kubernetes.session import Patience, Session
from upid.adapters.kubernetes.target import Login, Target
from upid.domain.objects import Connection


class Authority:
    """A certificate authority that signs what it is asked to."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("ca", self.key, x509.BasicConstraints(ca=True, path_length=None))
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, days: float = 1) -> tuple[bytes, bytes]:
        """Return a certificate for 127.0.0.1 and `inner`, and its key, as PEM; it ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("inner")])
        certificate = self._signed(name, key, names, days)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return certificate.public_bytes(serialization.Encoding.PEM), private

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType, days: float = 1) -> x509.Certificate:
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
        builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])).issuer_name(issuer)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number()).add_extension(extension, critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        now = datetime.now(UTC)
        return builder.not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=days)).sign(self.key, hashes.SHA256())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        certificate = self.connection.getpeercert()  # type: ignore[attr-defined] # a TLS socket
        subject = dict(pair[0] for pair in certificate["subject"]) if certificate else {}
        body = b'{"gitVersion": "%s"}' % str(subject.get("commonName", "nobody")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@contextmanager
def https(
    authority: Authority,
    folder: Path,
    least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    days: float = 1,
) -> Iterator[str]:
    """Serve over TLS, taking client certificates of the authority, and tell who came as the version."""
    (folder / "server.pem").write_bytes(b"".join(authority.issue("server", days)))
    (folder / "ca.pem").write_bytes(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.minimum_version, context.maximum_version = least, most
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a refused handshake is what a test wants
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
        pytest.raises(ApiServerError, match=r"cannot be trusted: .*certificate verify failed") as caught,
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
