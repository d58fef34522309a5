"""Lists by pages: `limit` and an opaque `cursor` in, `items` and `next_cursor` out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Annotated, Generic, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, Field

from upid.http.schemas import Answer

Item = TypeVar("Item")
Source = TypeVar("Source")


def encode_cursor(after: str) -> str:
    """Return a cursor that goes on behind the sort key `after`."""
    return base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """Return the sort key that a cursor goes on behind; ValueError for a text that is none."""
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:  # no base 64, or no text in it
        raise ValueError("this is no cursor: send the `next_cursor` of the page before") from None


def slice_after(items: Iterable[Item], key: Callable[[Item], str], *, after: str | None, limit: int) -> tuple[list[Item], str | None]:
    """Return one page of items that are in memory, in the order of `key`, and the next page's cursor (None = there is none)."""
    behind = [item for item in sorted(items, key=key) if after is None or key(item) > after]
    return behind[:limit], encode_cursor(key(behind[limit - 1])) if len(behind) > limit else None


Limit = Annotated[int, Query(ge=1, le=500, description="How many items a page has at most.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="Where to go on: `next_cursor` of the page before."), AfterValidator(decode_cursor)
]


class Page(Answer, Generic[Item]):
    """Items in order, and where to go on."""

    items: list[Item]
    next_cursor: str | None = Field(default=None, description="Send it as `cursor` for the next page; null on the last page.")

    @classmethod
    def of(cls, sources: Iterable[Source], after: str | None, convert: Callable[[Source], Item]) -> Page[Item]:
        """Return a page of converted sources; `after` is the sort key behind which the next page begins, None = there is none."""
        return cls(items=[convert(source) for source in sources], next_cursor=None if after is None else encode_cursor(after))
