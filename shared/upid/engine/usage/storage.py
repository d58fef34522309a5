"""Profiles as arrays: histograms sparse, days that nobody has left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upid.engine.arrays import Array
from upid.engine.usage.profile import UsageProfile


def to_arrays(profile: UsageProfile) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return a profile as arrays and a JSON-able meta, for `arrays.pack`; same profile, same bytes."""
    raise NotImplementedError


def from_arrays(arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> UsageProfile:
    """Return the profile that `to_arrays` was given; other keys of `arrays` and `meta` are ignored. ValueError where something is missing or malformed."""
    raise NotImplementedError
