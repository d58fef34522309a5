"""What rules may change of an assessment, and how far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.engine.making import GIB, MIB, PER_DAY, assessed, current, noise, samples

from upid.engine.rightsizing.options import Options
from upid.engine.rules.columns import feature_table, measured
from upid.engine.rules.effects import Proposal
from upid.engine.rules.proposals import proposal_of, proposal_of_features


def proposed(memory: Any = None, *, cpu: Any = None, now: dict[str, Any] | None = None, **given: Any) -> Proposal:
    resources = current(1, **(now or {}))
    return proposal_of(assessed(samples(noise(7) if cpu is None else cpu, memory, **given), resources), resources)


def test_amounts_are_in_the_order_of_the_targets() -> None:
    found = proposed(now={"cpu_limit_cores": 2.0, "memory_limit_bytes": 3 * GIB})

    assert found.current.tolist() == [[1.0, 2.0, GIB, 3 * GIB]]
    assert found.most[0, [0, 2]].tolist() == [64.0, 256 * GIB]
    assert not found.is_fixed.any()


def test_memory_has_all_that_sizing_asks_for_as_its_floor() -> None:
    found = proposed()
    assert found.least[0, 2:].tolist() == found.recommended[0, 2:].tolist()
    assert found.least[0, 0] == 0.01

    heap = proposed(now={"heap_bytes": 3 * GIB})
    assert heap.least[0, 2] >= 3 * GIB


def test_a_kill_is_a_floor() -> None:
    killed = proposed(oom_kills=np.array([2], dtype=np.int32), oom_limit_bytes=np.array([2.0 * GIB]))

    # 1.2 times the limit at the kill is more than 100 MiB above it.
    assert killed.least[0, 2] >= 1.2 * 2 * GIB


def test_throttled_use_keeps_the_request_from_being_lowered() -> None:
    throttled = proposed(throttled=np.full((1, 7 * PER_DAY), 0.5, dtype=np.float32), now={"cpu_limit_cores": 1.0})

    assert throttled.least[0, 0] == 1.0


def test_what_sizing_leaves_alone_is_fixed() -> None:
    growing = np.repeat((1.0 + 0.1 * np.arange(10)) * 200 * MIB, PER_DAY)[None, :]
    leak = proposed(growing, cpu=noise(10))
    scaled = proposed(now={"scaled_on_cpu": True})
    dark = proposed(cpu=np.full(7 * PER_DAY, np.nan), memory=np.full((1, 7 * PER_DAY), 100 * MIB))
    withheld = proposed(now={"is_init": True})

    assert leak.is_fixed.tolist() == [[False, False, True, True]]
    assert scaled.is_fixed.tolist() == [[True, False, False, False]]
    assert dark.is_fixed.tolist() == [[True, True, False, False]]
    assert withheld.is_fixed.all()


def test_rows_that_differ_are_refused() -> None:
    columns = assessed(samples(noise(7)))
    with pytest.raises(ValueError, match="2 rows have resources and 1 a recommendation"):
        proposal_of(columns, current(2))


def test_features_alone_tell_the_same() -> None:
    features = {
        "cpu.request": 2.0, "recommended.cpu_request": 1.0, "memory.request": 10.0, "recommended.memory_request": 8.0, "memory.heap": 9.0,
        "hpa.cpu_target": 0.7, "nodes.largest_cpu": 16.0,
    }  # fmt: skip
    found = proposal_of_features(feature_table(1, {name: measured([value]) for name, value in features.items()}), Options())

    assert found.current[0, [0, 2]].tolist() == [2.0, 10.0]
    assert found.recommended[0, [0, 2]].tolist() == [1.0, 8.0]
    assert (found.least[0, 0], found.least[0, 2], found.most[0, 0]) == (0.01, 9.0, 16.0)
    assert found.is_fixed.tolist() == [[True, False, False, False]]
