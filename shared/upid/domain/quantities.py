"""Kubernetes quantities (apimachinery `resource.Quantity`): text to base units and back."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

_SUFFIX: Final = {
    "": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9),
    "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30),
    "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
LARGEST_EXPONENT: Final = 400
LARGEST: Final = 2.0**63 - 1024  # the last double before 2**63
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d+))")


def parse_quantity(text: str | float) -> float:
    """Return a quantity in base units (cores, bytes), capped at 2**63 as the API server does; ValueError for what it would refuse."""
    found = _QUANTITY.fullmatch(str(text))
    if not found:
        raise ValueError(f"{text!r} is no Kubernetes quantity.")
    # No exponent beyond these changes the result: the largest is capped, the smallest is nothing.
    scale = Decimal(10) ** min(max(int(found[3]), -LARGEST_EXPONENT), LARGEST_EXPONENT) if found[3] else _SUFFIX[found[2] or ""]
    return min(max(float(Decimal(found[1]) * scale), -LARGEST), LARGEST)


def format_cpu(cores: float) -> str:
    """Return CPU as a person pastes it: `250m`, `2`; rounded up to a millicore, never down."""
    millicores = math.ceil(round(cores * 1000, 6))
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def format_memory(size_bytes: float) -> str:
    """Return memory as a person pastes it: `512Mi`, `2Gi`; rounded up to a mebibyte where it is one or more, never down."""
    whole = math.ceil(size_bytes)
    if whole < 2**20:
        return str(whole)
    mebibytes = -(-whole // 2**20)
    return f"{mebibytes // 1024}Gi" if mebibytes % 1024 == 0 else f"{mebibytes}Mi"
