"""Identifiers: a prefix that tells the kind, then a ULID, so that ids sort by time.

A recommendation's id also says where it lies: `rec_` + the analysis' ULID + shard and row, four characters each. It is found without an index.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, as the ULID specification has it
ULID_LENGTH: Final = 26
PREFIXES: Final = {"cluster": "cl_", "collection": "col_", "analysis": "an_", "recommendation": "rec_", "user": "usr_", "event": "evt_",
                   "rule": "rul_", "algorithm": "alg_", "run": "run_", "collector": "ct_", "aggregation": "agg_", "prediction": "pred_"}  # fmt: skip


def encode(number: int, length: int) -> str:
    """Return `number` in Crockford's base 32, padded to `length` characters.

    Raises
    ------
    ValueError
        If the number is negative or does not fit.
    """
    if number < 0 or number >= 32**length:
        raise ValueError(f"{number} does not fit {length} characters of base 32.")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def decode(text: str) -> int:
    """Return the number that `encode` made `text` from; ValueError for any other character."""
    number = 0
    for character in text:
        number = number * 32 + ALPHABET.index(character)
    return number


def ulid(milliseconds: int, entropy: bytes) -> str:
    """Return a ULID of a moment [ms since the epoch] and ten bytes of entropy (github.com/ulid/spec)."""
    return encode(milliseconds, 10) + encode(int.from_bytes(entropy[:10], "big"), 16)


def has_shape(identifier: str, kind: str) -> bool:
    """Tell whether `identifier` has the prefix, length and alphabet of ids of `kind` (a key of PREFIXES)."""
    prefix = PREFIXES[kind]
    length = ULID_LENGTH + (8 if kind == "recommendation" else 0)
    body = identifier.removeprefix(prefix)
    return identifier.startswith(prefix) and len(body) == length and set(body) <= set(ALPHABET)


class RecommendationPlace(NamedTuple):
    """Where a recommendation lies: the analysis that made it, the shard and the row in it."""

    analysis_id: str
    shard: int
    row: int


def recommendation_id(analysis_id: str, shard: int, row: int) -> str:
    """Return the id of the recommendation in `row` of `shard` of an analysis (shard and row below 2**20)."""
    return PREFIXES["recommendation"] + analysis_id.removeprefix(PREFIXES["analysis"]) + encode(shard, 4) + encode(row, 4)


def recommendation_place(identifier: str) -> RecommendationPlace | None:
    """Return where the recommendation of this id lies, None for anything that is no such id."""
    if not has_shape(identifier, "recommendation"):
        return None
    body = identifier.removeprefix(PREFIXES["recommendation"])
    return RecommendationPlace(PREFIXES["analysis"] + body[:ULID_LENGTH], decode(body[26:30]), decode(body[30:34]))
