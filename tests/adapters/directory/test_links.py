"""Links that the embedded home answers itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from upid.adapters.directory.blobs import DirectoryBlobs
from upid.adapters.directory.links import DirectoryLinks
from upid.adapters.system.ids import UlidIds
from upid.domain.errors import NotFoundError

CSV = "text/csv; charset=utf-8"


class Watch:
    time = 1000.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    return DirectoryBlobs(tmp_path, durable=False)


@pytest.fixture
def links(blobs: DirectoryBlobs, watch: Watch) -> DirectoryLinks:
    return DirectoryLinks(blobs, watch, UlidIds(watch))


def read(links: DirectoryLinks, link: str) -> tuple[str, bytes]:
    path, _, query = link.partition("?")
    return links.read(path, query)


def test_a_link_gives_the_blob_until_it_ends(links: DirectoryLinks, blobs: DirectoryBlobs, watch: Watch) -> None:
    link = links.link("answers/a", seconds=300, content_type=CSV)
    blobs.put("answers/a", b"time,value\n")

    assert read(links, link) == (CSV, b"time,value\n")
    watch.time += 300
    with pytest.raises(NotFoundError, match="has ended"):
        read(links, link)


def test_a_link_gives_nothing_else(links: DirectoryLinks, blobs: DirectoryBlobs) -> None:
    link = links.link("answers/a", seconds=300, content_type=CSV)
    for name in ("answers/a", "answers/b", "profiles/a"):
        blobs.put(name, name.encode())

    for old, new in (
        ("answers/a?", "answers/b?"),
        ("answers/a?", "profiles/a?"),
        ("ends=1300", "ends=9999"),
        ("text%2Fcsv", "text%2Fhtml"),
        ("signature=", "other="),
    ):
        assert old in link
        with pytest.raises(NotFoundError):
            read(links, link.replace(old, new))
    with pytest.raises(NotFoundError):
        read(DirectoryLinks(blobs, links.clock, links.ids), link)


def test_what_lies_behind_links_that_ended_is_removed(links: DirectoryLinks, blobs: DirectoryBlobs, watch: Watch) -> None:
    blobs.put("answers/of-another-start", b"1")
    blobs.put("profiles/a", b"2")
    for name, seconds in (("answers/a", 10), ("answers/b", 300)):
        links.link(name, seconds=seconds, content_type=CSV)
        blobs.put(name, b"3")
    watch.time += 11
    links.link("answers/c", seconds=300, content_type=CSV)

    assert list(blobs.names("")) == ["answers/b", "profiles/a"]
