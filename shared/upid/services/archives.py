"""The form of an archive: what lies where, and that it is whole.

`manifest.json` is written last: it names the form, the counts and the SHA-256 of every file of records, of events and of the list of blobs;
that list has the SHA-256 of every blob. `records/*.jsonl`, `events/*.jsonl`: one JSON document a line. `blobs/<name>`: the blobs as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import orjson

from upid.domain.errors import InvalidError, NotFoundError
from upid.ports.blobs import Blobs

FORMAT: Final = "upid-archive"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
BLOBS: Final = "blobs/"
LINES: Final = 1000  # of one file

SEALED_BY_SOURCE: Final = "source"
SEALED_BY_PASSPHRASE: Final = "passphrase"  # noqa: S105 a kind, not a secret


@dataclass
class Manifest:
    """What an archive holds. `secrets`: what seals them. `files`: SHA-256 by name."""

    created_at: float
    secrets: str = SEALED_BY_SOURCE
    salt: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def digest(data: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_lines(archive: Blobs, manifest: Manifest, kind: str, documents: Iterable[Any]) -> None:
    """Write documents as files of a thousand lines, `<kind>/<number>.jsonl`, and count them in the manifest."""
    lines: list[bytes] = []
    count = number = 0
    for document in documents:
        lines.append(orjson.dumps(document))
        count += 1
        if len(lines) == LINES:
            _write(archive, manifest, f"{kind}/{number:06d}.jsonl", lines)
            lines, number = [], number + 1
    if lines:
        _write(archive, manifest, f"{kind}/{number:06d}.jsonl", lines)
    manifest.counts[kind] = count


def read_lines(archive: Blobs, manifest: Manifest, kind: str) -> Iterator[Any]:
    """Yield the documents of a kind; InvalidError where a file is missing or was changed."""
    for name in sorted(name for name in manifest.files if name.startswith(f"{kind}/")):
        for line in checked(archive, name, manifest.files[name]).splitlines():
            yield orjson.loads(line)


def write_manifest(archive: Blobs, manifest: Manifest) -> None:
    """Close an archive."""
    archive.put(MANIFEST, orjson.dumps({"format": FORMAT, "version": VERSION, **asdict(manifest)}, option=orjson.OPT_INDENT_2))


def read_manifest(archive: Blobs) -> Manifest:
    """Return the manifest; InvalidError for what is no archive, one that was broken off, or one of another version."""
    try:
        document = orjson.loads(archive.get(MANIFEST))
    except NotFoundError:
        raise InvalidError(f"This is no archive, or its export did not end: it has no {MANIFEST}.") from None
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"{MANIFEST} of the archive cannot be read: {error}.") from None
    if document.pop("format", "") != FORMAT or document.pop("version", 0) != VERSION:
        raise InvalidError(f"This archive is not of the form {FORMAT}, version {VERSION}.")
    return Manifest(**document)


def checked(archive: Blobs, name: str, wanted: str) -> bytes:
    """Return a file of the archive; InvalidError where it is missing, or not what the SHA-256 says."""
    try:
        data = archive.get(name)
    except NotFoundError:
        raise InvalidError(f"The archive lacks {name}.") from None
    if digest(data) != wanted:
        raise InvalidError(f"{name} of the archive was changed: its SHA-256 is not the one that was written.")
    return data


def _write(archive: Blobs, manifest: Manifest, name: str, lines: list[bytes]) -> None:
    data = b"\n".join(lines) + b"\n"
    archive.put(name, data)
    manifest.files[name] = digest(data)
