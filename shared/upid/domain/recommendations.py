"""The review of a recommendation: what people and roll-outs decided about it, apart from the verdict of the analysis."""

from __future__ import annotations

from typing import Final, Literal, get_args

Review = Literal["open", "approved", "rejected", "deploying", "applied", "reverted", "superseded"]
REVIEWS: Final[tuple[Review, ...]] = get_args(Review)

# What may follow what. Nothing leaves `superseded`: the newer recommendation is the one to decide about.
NEXT_REVIEWS: Final[dict[Review, frozenset[Review]]] = {
    "open": frozenset({"approved", "rejected", "superseded"}),
    "approved": frozenset({"open", "rejected", "deploying", "superseded"}),
    "rejected": frozenset({"open", "approved", "superseded"}),
    "deploying": frozenset({"applied", "reverted"}),
    "applied": frozenset({"reverted", "superseded"}),
    "reverted": frozenset({"open", "superseded"}),
    "superseded": frozenset(),
}  # fmt: skip


def may_follow(now: Review, then: Review) -> bool:
    """Tell whether a recommendation in review `now` may be set to `then`; the same again is no transition."""
    return then in NEXT_REVIEWS[now]
