"""Order, pages and isolation of every Records adapter."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upid.ports.records import Key, Records

PARTITION = "t#a#clusters"
# Everything that UTF-8 can write, with the neighbours of the places where ranges of prefixes go wrong.
TEXT = st.text(st.sampled_from("ab#\x00\x7f\u00ff\ud7ff\ue000\uffff\U0010ffff"), max_size=4)


def fill(records: Records, *sorts: str, partition: str = PARTITION) -> None:
    for sort in sorts:
        records.put(Key(partition, sort), {"sort": sort})


def sorts(records: Records, **options: object) -> list[str]:
    return [item.key.sort for item in records.query(PARTITION, **options).items]  # type: ignore[arg-type] # options of the test's own choosing


def every_page(records: Records, *, limit: int, prefix: str = "", descending: bool = False) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = records.query(PARTITION, prefix=prefix, after=after, limit=limit, descending=descending)
        found += [item.key.sort for item in page.items]
        after = page.after
        if after is None:
            return found


def test_a_query_answers_in_the_order_of_sort_keys(records: Records) -> None:
    fill(records, "b", "a10", "a2", "B", "ä", "")
    assert sorts(records) == ["", "B", "a10", "a2", "b", "ä"]
    assert sorts(records, descending=True) == ["ä", "b", "a2", "a10", "B", ""]


def test_a_query_of_an_empty_partition_is_an_empty_page(records: Records) -> None:
    page = records.query("t#a#nothing")
    assert (page.items, page.after) == ((), None)


def test_partitions_do_not_see_each_other(records: Records) -> None:
    fill(records, "mine")
    for partition in ("t#a#cluster", "t#a#clusters#", "t#b#clusters", "T#A#CLUSTERS", ""):
        fill(records, "theirs", partition=partition)
    assert sorts(records) == ["mine"]
    assert records.get(Key("t#c#clusters", "mine")) is None


def test_a_prefix_selects_what_begins_with_it_and_nothing_like_it(records: Records) -> None:
    fill(records, "api", "api#1", "api#2", "api-gateway", "apj", "API#1", "a%", "a_i#1")
    assert sorts(records, prefix="api#") == ["api#1", "api#2"]
    assert sorts(records, prefix="a_") == ["a_i#1"]
    assert sorts(records, prefix="a%") == ["a%"]


@pytest.mark.parametrize("count", [3, 4])
def test_the_last_page_says_that_there_is_no_more_even_when_it_is_full(records: Records, count: int) -> None:
    fill(records, *(str(number) for number in range(4)))
    page = records.query(PARTITION, limit=count)
    assert page.after == ("2" if count == 3 else None)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_of_any_size_give_every_record_once(records: Records, limit: int, descending: bool) -> None:
    names = [f"x#{number:02}" for number in range(7)]
    fill(records, "w", *names, "y")
    assert every_page(records, limit=limit, prefix="x#", descending=descending) == sorted(names, reverse=descending)


def test_a_page_goes_on_behind_a_record_that_was_removed_in_between(records: Records) -> None:
    fill(records, "a", "b", "c")
    page = records.query(PARTITION, limit=1)
    records.delete(Key(PARTITION, "a"))
    assert sorts(records, after=page.after) == ["b", "c"]


def test_a_page_goes_on_behind_a_key_that_never_was(records: Records) -> None:
    fill(records, "a", "c")
    assert sorts(records, after="b") == ["c"]
    assert sorts(records, after="b", descending=True) == ["a"]
    assert sorts(records, after="z") == []


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_without_room_is_refused(records: Records, limit: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        records.query(PARTITION, limit=limit)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(names=st.lists(TEXT, max_size=12, unique=True), prefix=TEXT, descending=st.booleans())
def test_any_prefix_answers_as_python_sorts_and_filters(records: Records, names: list[str], prefix: str, descending: bool) -> None:
    for old in every_page(records, limit=100):
        records.delete(Key(PARTITION, old))
    fill(records, *names)
    expected = sorted((name for name in names if name.startswith(prefix)), key=lambda name: name.encode(), reverse=descending)
    assert every_page(records, limit=5, prefix=prefix, descending=descending) == expected
