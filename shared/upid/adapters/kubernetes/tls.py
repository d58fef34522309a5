"""TLS of a connection: at least 1.2, whom to trust, and the client's certificate."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from upid.adapters.kubernetes.credentials import Credentials
from upid.adapters.kubernetes.errors import KubeconfigError
from upid.adapters.kubernetes.target import Target
from upid.adapters.resilience.trust import trusting


def tls_context(target: Target, credentials: Credentials) -> ssl.SSLContext:
    """Return the context for a target; KubeconfigError where a certificate or key cannot be used."""
    try:
        context = trusting(target.authority_pem.decode("ascii"))
    except UnicodeDecodeError:
        raise KubeconfigError("The certificate authority is not PEM text of a certificate.") from None
    except ValueError as error:
        raise KubeconfigError(str(error)) from None
    if target.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if credentials.certificate_pem:
        _load_chain(context, credentials.certificate_pem + b"\n" + credentials.key_pem)
    return context


def _load_chain(context: ssl.SSLContext, pem: bytes) -> None:
    """Load a certificate and its key; OpenSSL takes them from a file only, which only this user can read and which is gone right after."""
    handle, path = tempfile.mkstemp(prefix="upid-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        context.load_cert_chain(path, password="")
    except (ssl.SSLError, OSError, ValueError):
        raise KubeconfigError("The client certificate and key do not fit together, or are not PEM text.") from None
    finally:
        Path(path).unlink()
