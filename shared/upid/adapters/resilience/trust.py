"""Whom to trust, and why a server is not trusted, in words that tell what would mend it instead of OpenSSL's."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from typing import Final

from urllib3.util.ssl_match_hostname import CertificateError

# X509_V_ERR_... of OpenSSL's x509_vfy.h
REASONS: Final = {
    7: "its certificate is not signed by the certificate authority that was given",
    9: "its certificate is not valid yet: see that the clocks agree",
    10: "its certificate has expired",
    18: "its certificate is self-signed: add it to the authorities that are trusted",
    19: "its certificate comes from an authority that is not known here: add it to those that are trusted",
    20: "its certificate comes from an authority that is not known here: add it to those that are trusted",
    21: "its certificate comes from an authority that is not known here: add it to those that are trusted",
    23: "its certificate was revoked",
    62: "its certificate is for another host name",
    64: "its certificate is for another IP address",
}
PROTOCOLS: Final = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS, perhaps it is http instead of https",
    "HTTP_REQUEST": "it does not speak TLS, perhaps it is http instead of https",
    "RECORD_LAYER_FAILURE": "it does not speak TLS, perhaps it is http instead of https",
    "UNSUPPORTED_PROTOCOL": "it speaks no TLS of 1.2 or later",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks no TLS of 1.2 or later",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a client certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know the authority of our client certificate",
}


BROKEN_OFF: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def trusting(authority_pem: str) -> ssl.SSLContext:
    """Return the TLS of a connection, 1.2 at least, to servers of these authorities alone ("" = of the system's); ValueError for text that is no PEM of certificates."""
    try:
        context = ssl.create_default_context(cadata=authority_pem.encode("ascii").decode() or None)
    except (ssl.SSLError, ValueError):
        raise ValueError("The certificate authority is not PEM text of a certificate.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def distrust(error: BaseException) -> str:
    """Return why a server is not trusted, without a full stop; "" for an error that is none of trust, such as a connection that broke off."""
    for found in _causes(error):
        if isinstance(found, CertificateError):
            return REASONS[62]
        if isinstance(found, ssl.SSLError):
            return "" if isinstance(found, BROKEN_OFF) else _words(found)
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        inner = getattr(found, "reason", None) or (found.args[-1] if found.args else None)
        found = inner if isinstance(inner, BaseException) else found.__cause__


def _words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in REASONS:
        return REASONS[error.verify_code]
    plain = re.sub(r"\s*\(_ssl\.c:\d+\)", "", str(error.args[-1] if error.args else error)).strip(" .")
    return PROTOCOLS.get(getattr(error, "reason", None) or "", " ".join(plain.split())[:200])
