"""The system's clock, and identifiers that sort."""

from __future__ import annotations

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from upid.adapters.system.clock import SystemClock
from upid.adapters.system.ids import UlidIds
from upid.domain.ids import PREFIXES, decode, has_shape


class Ticking:
    """A clock that gives one moment after the other, then the last for ever."""

    def __init__(self, *moments: float) -> None:
        self._moments = list(moments)

    def now(self) -> float:
        return self._moments.pop(0) if len(self._moments) > 1 else self._moments[0]


def test_the_clock_tells_the_systems_time() -> None:
    before = time.time()
    assert before <= SystemClock().now() <= time.time()


@pytest.mark.parametrize("kind", sorted(set(PREFIXES) - {"recommendation"}))
def test_an_id_has_the_shape_of_its_kind(kind: str) -> None:
    assert has_shape(UlidIds(SystemClock()).new(kind), kind)


def test_an_id_tells_the_moment_and_the_entropy() -> None:
    made = UlidIds(Ticking(1_700_000_000.123), lambda count: b"\x00" * (count - 1) + b"\x06").new("cluster")
    assert decode(made[3:13]) == 1_700_000_000_123
    assert decode(made[13:]) == 3  # the highest bit is kept free: 6 >> 1


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of id"):
        UlidIds(SystemClock()).new("flower")


def test_ids_of_one_millisecond_sort_as_they_were_made() -> None:
    ids = UlidIds(Ticking(5.0), lambda count: b"\xff" * count)
    made = [ids.new("event") for _ in range(1000)]
    assert made == sorted(set(made))


def test_ids_sort_also_when_the_clock_steps_back() -> None:
    ids = UlidIds(Ticking(100.0, 50.0, 99.9, 100.001, 7.0))
    made = [ids.new("event") for _ in range(5)]
    assert made == sorted(set(made))


def test_threads_never_get_the_same_id() -> None:
    ids = UlidIds(Ticking(5.0))
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new("event"), range(2000)))
    assert len(set(made)) == 2000


def test_a_forked_child_does_not_repeat_its_parents_ids() -> None:
    ids = UlidIds(Ticking(5.0))
    ids.new("event")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, ids.new("event").encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() != ids.new("event")


def test_secrets_are_unguessable_and_fit_a_url() -> None:
    ids = UlidIds(SystemClock())
    made = {ids.secret() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in made)  # 256 bits
