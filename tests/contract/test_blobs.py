"""What every Blobs adapter keeps to."""

from __future__ import annotations

import pytest

from upid.domain.errors import NotFoundError
from upid.ports.blobs import Blobs

IMPOSSIBLE = [
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a b",
    "a\\b",
    "ä",
    "a\n",
    "a\x00",
    "~",
    "a~",
    "x" * 300,
    "a/" * 600 + "b",
]


def test_a_blob_is_read_as_it_was_written(blobs: Blobs) -> None:
    data = bytes(range(256)) * 1000
    assert blobs.put("t/default/clusters/cl_1/inventory.json", data)
    assert blobs.get("t/default/clusters/cl_1/inventory.json") == data


def test_an_empty_blob_and_a_view_of_memory_can_be_written(blobs: Blobs) -> None:
    blobs.put("empty", b"")
    blobs.put("view", memoryview(b"0123456789")[2:5])
    assert (blobs.get("empty"), blobs.get("view")) == (b"", b"234")


def test_writing_again_replaces_the_blob(blobs: Blobs) -> None:
    blobs.put("a/b", b"long and old")
    assert blobs.put("a/b", b"new")
    assert blobs.get("a/b") == b"new"


def test_writing_only_where_there_is_none_keeps_the_first(blobs: Blobs) -> None:
    assert blobs.put("a/b", b"first", if_absent=True)
    assert not blobs.put("a/b", b"second", if_absent=True)
    assert blobs.get("a/b") == b"first"


@pytest.mark.parametrize("name", ["none", "a/none", "a", "a/b/under", "none/at/all"])
def test_a_blob_that_is_not_there_is_not_found(blobs: Blobs, name: str) -> None:
    blobs.put("a/b", b"")
    with pytest.raises(NotFoundError):
        blobs.get(name)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_name_is_refused_by_every_operation(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="blob"):
        blobs.put(name, b"")
    with pytest.raises(ValueError, match="blob"):
        blobs.get(name)
    with pytest.raises(ValueError, match="blob"):
        blobs.delete(name)
    assert list(blobs.names("")) == []


@pytest.mark.parametrize("prefix", ["/", "/a", "../", "a/../", "a//", "a/../../b"])
def test_a_prefix_that_no_name_can_have_is_refused(blobs: Blobs, prefix: str) -> None:
    with pytest.raises(ValueError, match="begins with"):
        list(blobs.names(prefix))


def test_names_are_sorted_as_whole_texts(blobs: Blobs) -> None:
    names = ["a", "a-b", "a.b/c", "a0", "b/a", "b/a-", "b/b/c", "b-", "b0", "B", ".hidden", "...", "_"]
    for name in names:
        blobs.put(name, b"")
    assert list(blobs.names("")) == sorted(names)


def test_a_prefix_may_end_within_a_part_of_a_name(blobs: Blobs) -> None:
    for name in ("t/a/api/1", "t/a/api-gateway/1", "t/b/api/1", "t/a/apa"):
        blobs.put(name, b"")
    assert list(blobs.names("t/a/api")) == ["t/a/api-gateway/1", "t/a/api/1"]
    assert list(blobs.names("t/a/api/")) == ["t/a/api/1"]
    assert list(blobs.names("t/a/api/1")) == ["t/a/api/1"]
    assert list(blobs.names("t/a/api/1/")) == []
    assert list(blobs.names("nothing/here")) == []


def test_removing_is_repeatable_and_leaves_the_neighbours(blobs: Blobs) -> None:
    blobs.put("a/b", b"")
    blobs.put("a/c", b"")
    for _ in range(2):
        blobs.delete("a/b")
    blobs.delete("a")
    assert list(blobs.names("")) == ["a/c"]


def test_removing_all_of_a_prefix_tells_how_many(blobs: Blobs) -> None:
    for name in ("t/a/1", "t/a/x/2", "t/ab/3", "t/b/4"):
        blobs.put(name, b"")
    assert blobs.delete_all("t/a/") == 2
    assert blobs.delete_all("t/a/") == 0
    assert list(blobs.names("")) == ["t/ab/3", "t/b/4"]


def test_a_name_is_free_again_after_removal(blobs: Blobs) -> None:
    blobs.put("a/b/c", b"1")
    blobs.delete_all("a/")
    assert blobs.put("a/b/c", b"2", if_absent=True)
    assert blobs.get("a/b/c") == b"2"
