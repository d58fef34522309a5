"""Folding samples into profiles, and merging profiles."""

from __future__ import annotations

from upid.engine.usage.profile import UsageProfile
from upid.engine.usage.samples import Samples


def fold(profile: UsageProfile, samples: Samples) -> UsageProfile:
    """Return the profile with `samples` folded in. Rows and workloads of both are the same.

    Samples that end at or before `folded_until` change nothing (the very same profile is returned); of samples that overlap it only the steps
    behind it count. Folding chunk after chunk equals folding all at once: counts exactly, the older part to 1e-12 (relative).

    Raises
    ------
    ValueError
        If rows or the step differ from the profile's, or shapes do not match.
    """
    raise NotImplementedError


def merge(a: UsageProfile, b: UsageProfile) -> UsageProfile:
    """Return the profile of what both saw: disjoint times, or different rows of the same indexing. Equals one pass over everything.

    Raises
    ------
    ValueError
        If rows, workloads or steps differ.
    """
    raise NotImplementedError
