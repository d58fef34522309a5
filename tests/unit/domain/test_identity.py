from __future__ import annotations

import pytest

from upid.domain.identity import Caller


@pytest.mark.parametrize(
    ("held", "asked", "may"),
    [
        (("*",), "clusters:read", True),
        (("clusters:*",), "clusters:delete", True),
        (("clusters:read",), "clusters:read", True),
        (("clusters:read",), "clusters:write", False),
        (("cluster:*",), "clusters:read", False),
        ((), "clusters:read", False),
    ],
)
def test_a_caller_may_what_it_holds_and_nothing_else(held: tuple[str, ...], asked: str, may: bool) -> None:
    assert Caller("usr_1", "ada", "default", held).may(asked) is may
