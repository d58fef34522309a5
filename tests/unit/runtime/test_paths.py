"""JSONPath as Step Functions reads and writes it."""

from __future__ import annotations

from typing import Any

import pytest

from upid.runtime.workflows.jsonpath import parse
from upid.runtime.workflows.paths import PathError, Scope, is_reference, write

DATA: Any = {"i": [{"n": "a", "p": 5}, {"n": "b", "p": 15}, {"n": "c", "p": 25, "ok": True}], "limit": 10, "a b": {"x-y": 1}, "null": None}
SCOPE = Scope(DATA, {"Execution": {"Id": "e1"}}, {"x": {"y": [3, 4]}})

FOUND: list[tuple[str, Any]] = [
    ("$", DATA),
    ("$.limit", 10),
    ("$.null", None),
    ("$['a b']['x-y']", 1),
    ("$['a b'].x-y", 1),
    ("$.i[-1].n", "c"),
    ("$.i[0,2].n", ["a", "c"]),
    ("$.i[1:].n", ["b", "c"]),
    ("$.i[:-1].n", ["a", "b"]),
    ("$.i[::-1].n", ["c", "b", "a"]),
    ("$.i[0]['n','p']", ["a", 5]),
    ("$.i[*].p", [5, 15, 25]),
    ("$.i[0].*", ["a", 5]),
    ("$..n", ["a", "b", "c"]),
    ("$..[0].n", ["a"]),
    ("$.i[?(@.p > 10)].n", ["b", "c"]),
    ("$.i[?(@.p <= $.limit)].n", ["a"]),
    ("$.i[?(@.n == 'b' || @.n == \"c\")].p", [15, 25]),
    ("$.i[?(@.p >= 15 && !(@.n == 'c'))].n", ["b"]),
    ("$.i[?(@.n != 'a')].p", [15, 25]),
    ("$.i[?(@.ok)].n", ["c"]),
    ("$.i[?(!@.ok)].n", ["a", "b"]),
    ("$.i[?(@.ok == true)].n", ["c"]),
    ("$.i[?(@.p == 1.5e1)].n", ["b"]),
    ("$.i[?(@.n > 1)].n", []),  # an order between kinds holds never
    ("$.i[?(@.p == true)].n", []),
    ("$.i[?(@.gone != 1)].p", [5, 15, 25]),
    ("$..gone", []),
    ("$.i[9:].n", []),
    ("$$.Execution.Id", "e1"),
    ("$x.y[1]", 4),
]
ABSENT = ["$.gone", "$.limit.x", "$.i[3]", "$.i.n", "$.null.x", "$$.Task.Token", "$unknown", "$['gone']"]
REFUSED = [
    "x", "", "$.", "$..", "$.a b", "$.length()", "$.i[", "$.i['a", "$.i[a]", "$.i[::0]", "$.i[?(@.p =~ /x/)]", "$.i[?(1)]", "$.i[?(@.p > )]",
    "$.i[?(@.p > 1]", "$.i[?@.p > 1]", "$$x", "$1", "$.i[?(@.p in [1])]", "$.a..",
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), FOUND)
def test_a_path_finds_what_it_names(path: str, value: Any) -> None:
    assert SCOPE.read(path) == value


@pytest.mark.parametrize("path", ABSENT)
def test_a_definite_path_to_nothing_is_an_error(path: str) -> None:
    with pytest.raises(PathError):
        SCOPE.read(path)


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_not_known_in_a_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"known|expected|must begin|cannot"):
        parse(path)


@pytest.mark.parametrize(
    ("path", "document", "result"),
    [
        ("$", {"a": 1}, 9),
        ("$.b", {"a": 1}, {"a": 1, "b": 9}),
        ("$.b.c", {"a": 1}, {"a": 1, "b": {"c": 9}}),
        ("$.a[1]", {"a": [1, 2]}, {"a": [1, 9]}),
        ("$['a']", {"a": 1}, {"a": 9}),
    ],
)
def test_a_value_is_written_into_a_copy(path: str, document: Any, result: Any) -> None:
    before = repr(document)

    assert write(path, document, 9) == result
    assert repr(document) == before


@pytest.mark.parametrize(("path", "document"), [("$.a", 5), ("$.a.b", {"a": 5}), ("$.a[2]", {"a": [1, 2]}), ("$[0]", {"a": 1})])
def test_nothing_is_written_where_the_way_is_barred(path: str, document: Any) -> None:
    with pytest.raises(PathError):
        write(path, document, 9)


@pytest.mark.parametrize(
    ("path", "reference"), [("$.a[0].b", True), ("$.a[*]", False), ("$$.State", False), ("$x.y", False), ("$..a", False)]
)
def test_a_reference_names_one_place_of_the_data(path: str, reference: bool) -> None:
    assert is_reference(parse(path)) is reference
