from __future__ import annotations

import pytest

from upid.domain.errors import InvalidError
from upid.domain.selectors import parse_selector

LABELS = {"revision": "7", "app": "web", "tier": "front", "app.kubernetes.io/name": "web", "empty": ""}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True), ("app=web", True), ("app==web", True), ("app=db", False), ("app!=db", True), ("app!=web", False), ("none!=x", True),
        ("app=web,tier=front", True), ("app=web,tier=back", False), (" app = web , tier = front ", True), ("app", True), ("none", False),
        ("!none", True), ("!app", False), ("app in (db, web)", True), ("app in (db)", False), ("app notin (db,cache)", True),
        ("app notin (web)", False), ("none notin (web)", True), ("app.kubernetes.io/name=web", True), ("empty=", True), ("app in (web),!none", True),
        ("revision>6", True), ("revision > 7", False), ("revision<8,app=web", True), ("revision<7", False), ("app>1", False), ("none<1", False),
    ],
)  # fmt: skip
def test_a_selector_matches_as_in_kubectl(selector: str, matches: bool) -> None:
    assert parse_selector(selector)(LABELS) is matches


@pytest.mark.parametrize(
    "selector", ["=", "app=web,", ",app", "app in web", "app in (web", "app=(web)", "app web", "a=b=c", "!", "-a=b", "a>b", "a>", "a>=1"]
)
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(InvalidError, match="is no label selector"):
        parse_selector(selector)
