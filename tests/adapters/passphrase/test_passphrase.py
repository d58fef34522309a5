"""Secrets under a passphrase."""

from __future__ import annotations

import pytest

from upid.adapters.passphrase.sealer import PassphraseSealer, new_salt
from upid.domain.errors import InvalidError

SEALER = PassphraseSealer("correct horse battery", b"0" * 16)


def test_what_was_sealed_opens_with_the_same_passphrase_salt_and_context() -> None:
    envelope = SEALER.seal(b"secret", context="cl_1")
    assert PassphraseSealer("correct horse battery", b"0" * 16).open(envelope, context="cl_1") == b"secret"
    assert b"secret" not in envelope


@pytest.mark.parametrize(
    ("passphrase", "salt", "context"),
    [
        ("correct horse batteri", b"0" * 16, "cl_1"),
        ("correct horse battery", b"1" * 16, "cl_1"),
        ("correct horse battery", b"0" * 16, "cl_2"),
    ],
)
def test_another_passphrase_salt_or_context_does_not_open_it(passphrase: str, salt: bytes, context: str) -> None:
    envelope = SEALER.seal(b"secret", context="cl_1")
    with pytest.raises(ValueError, match="another passphrase"):
        PassphraseSealer(passphrase, salt).open(envelope, context=context)


def test_no_envelope_that_was_changed_or_cut_opens() -> None:
    envelope = SEALER.seal(b"secret", context="cl_1")
    flipped = [envelope[:n] + bytes([envelope[n] ^ 1]) + envelope[n + 1 :] for n in range(len(envelope))]
    for wrong in [*flipped, *(envelope[:n] for n in range(len(envelope))), envelope + b"\x00"]:
        with pytest.raises(ValueError, match="envelope"):
            SEALER.open(wrong, context="cl_1")


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(InvalidError, match="at least 12"):
        PassphraseSealer("elevenchars", new_salt())


def test_every_salt_is_another() -> None:
    assert len({new_salt() for _ in range(20)}) == 20
