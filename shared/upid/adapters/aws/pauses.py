"""Pauses between attempts: doubling, with full jitter, so that rivals do not meet again and again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Final

FIRST_SECONDS: Final = 0.02
LONGEST_SECONDS: Final = 1.0

Sleep = Callable[[float], None]


def attempts(most: int, sleep: Sleep = time.sleep) -> Iterator[int]:
    """Yield the numbers of up to `most` attempts, with a random pause before each but the first."""
    for number in range(most):
        if number:
            sleep(random.uniform(0.0, min(LONGEST_SECONDS, FIRST_SECONDS * 2**number)))  # noqa: S311 no secret
        yield number
