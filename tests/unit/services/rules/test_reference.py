"""The reference of rules is what the code says."""

from __future__ import annotations

from pathlib import Path

from upid.engine.rules.catalogue import FEATURES
from upid.services.rules.reference import reference

DOCUMENT = Path(__file__).parents[4] / "docs" / "rules.md"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text() == reference()


def test_every_feature_is_in_it() -> None:
    text = reference()
    assert [feature.name for feature in FEATURES if f"`{feature.name}`" not in text] == []
