"""What every Sealer adapter keeps to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from upid.ports.keys import Sealer

SECRET = b"apiVersion: v1\ntoken: s3cr3t"


@pytest.mark.parametrize("plain", [b"", b"x", SECRET, bytes(100_000)])
def test_what_was_sealed_opens_with_its_context(sealer: Sealer, plain: bytes) -> None:
    assert sealer.open(sealer.seal(plain, context="cl_1"), context="cl_1") == plain


@pytest.mark.parametrize("context", ["", "cl_2", "cl_1 ", "CL_1"])
def test_another_context_does_not_open_it(sealer: Sealer, context: str) -> None:
    with pytest.raises(ValueError, match="context"):
        sealer.open(sealer.seal(SECRET, context="cl_1"), context=context)


def test_no_single_changed_byte_opens(sealer: Sealer) -> None:
    envelope = sealer.seal(b"secret", context="cl_1")
    for position in range(len(envelope)):
        changed = bytearray(envelope)
        changed[position] ^= 1
        with pytest.raises(ValueError, match=r"envelope|master key"):
            sealer.open(bytes(changed), context="cl_1")


def test_no_envelope_that_was_cut_or_lengthened_opens(sealer: Sealer) -> None:
    envelope = sealer.seal(b"secret", context="cl_1")
    for wrong in [envelope[:length] for length in range(len(envelope))] + [envelope + b"\x00"]:
        with pytest.raises(ValueError, match=r"envelope|master key"):
            sealer.open(wrong, context="cl_1")


def test_parts_of_two_envelopes_do_not_fit_together(sealer: Sealer) -> None:
    first, second = (sealer.seal(text, context="cl_1") for text in (b"first!", b"second"))
    for cut in range(1, len(first)):
        mixed = first[:cut] + second[cut:]
        if mixed not in {first, second}:
            with pytest.raises(ValueError, match=r"envelope|master key"):
                sealer.open(mixed, context="cl_1")


def test_sealing_twice_gives_different_envelopes_without_the_secret(sealer: Sealer) -> None:
    first, second = (sealer.seal(SECRET, context="cl_1") for _ in range(2))
    assert first != second
    assert b"s3cr3t" not in first


def test_the_key_outlives_the_process_that_made_it(open_sealer: Callable[[Path], Sealer], tmp_path: Path) -> None:
    envelope = open_sealer(tmp_path).seal(SECRET, context="cl_1")
    assert open_sealer(tmp_path).open(envelope, context="cl_1") == SECRET


def test_another_installations_key_does_not_open_it(open_sealer: Callable[[Path], Sealer], tmp_path: Path) -> None:
    envelope = open_sealer(tmp_path / "one").seal(SECRET, context="cl_1")
    with pytest.raises(ValueError, match="another master key"):
        open_sealer(tmp_path / "two").open(envelope, context="cl_1")
