"""Pages and cursors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.http.paging import Page, decode_cursor, encode_cursor, slice_after


@given(st.text())
def test_a_cursor_gives_back_the_key_that_it_was_made_of(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert decode_cursor(encode_cursor(key)) == key


@pytest.mark.parametrize("text", ["a", "a b c d", "ä", "////", "_w", "YQ\n"])
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        decode_cursor(text)


def test_no_cursor_is_the_beginning() -> None:
    assert decode_cursor(None) is None


@given(st.lists(st.text(min_size=1, alphabet="abcä"), unique=True, max_size=20), st.integers(1, 7))
def test_pages_of_a_list_have_every_item_once_and_in_order(items: list[str], limit: int) -> None:
    found: list[str] = []
    after = None
    while True:
        page, cursor = slice_after(items, str, after=after, limit=limit)
        found += page
        assert len(page) <= limit
        if cursor is None:
            break
        after = decode_cursor(cursor)
    assert found == sorted(items)


def test_a_page_converts_its_items_and_ends_without_a_cursor() -> None:
    page = Page[str].of([1, 2], None, str)
    assert (page.items, page.next_cursor) == (["1", "2"], None)
    assert Page[str].of([1], "key", str).next_cursor == encode_cursor("key")
