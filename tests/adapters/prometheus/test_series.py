from __future__ import annotations

import numpy as np
import pytest

from upid.adapters.prometheus.series import Family, Stretch, below_zero, block_of, not_negative, positive, share_of
from upid.ports.metrics_source import PodContainer, UsageBlock

NAN = float("nan")
KEY = PodContainer("shop", "api-1", "api")
LABELS = {"namespace": "shop", "pod": "api-1", "container": "api"}


def joined(*series: tuple[dict[str, str], list[float]], adds: bool = True) -> list[float]:
    family = Family(adds=adds)
    family.add([LABELS | labels for labels, _ in series], np.array([values for _, values in series]))
    return spread(family.by_key()[KEY], len(series[0][1]))


def spread(stretch: Stretch, steps: int) -> list[float]:
    row = np.full(steps, NAN)
    row[stretch.first : stretch.end] = stretch.values
    return list(row)


@pytest.mark.parametrize("adds", [True, False])
def test_the_same_run_scraped_twice_counts_once(adds: bool) -> None:
    rows = ({"id": "/a", "prometheus_replica": "0"}, [1.0, NAN]), ({"id": "/a", "prometheus_replica": "1"}, [1.1, 2.0])

    assert joined(*rows, adds=adds) == pytest.approx([1.1, 2.0])


def test_series_that_others_repeat_are_counted() -> None:
    family = Family(adds=True)
    labels = [LABELS | {"id": "/a", "instance": name} for name in ("one", "two", "three")] + [LABELS | {"id": "/b"}]

    family.add(labels, np.ones((4, 2)))

    assert family.duplicates == 2


def test_values_below_zero_are_counted() -> None:
    assert below_zero(UsageBlock([KEY], np.array([[-1.0, 0.0, NAN, -0.5, 2.0]]))) == 2


def test_runs_of_a_restarted_container_add_up_where_they_meet() -> None:
    # The step in which one run ends and the next begins has a part of both: 0.2 + 0.3.
    result = joined(({"id": "/a"}, [1.0, 0.2, NAN]), ({"id": "/b"}, [NAN, 0.3, 1.0]))

    assert result == [1.0, 0.5, 1.0]


def test_the_larger_memory_of_two_runs_counts() -> None:
    assert joined(({"id": "/a"}, [100.0, 80.0]), ({"id": "/b"}, [NAN, 90.0]), adds=False) == [100.0, 90.0]


def test_single_cpus_add_up_and_their_total_replaces_them() -> None:
    cpus = ({"id": "/a", "cpu": "cpu00"}, [1.0]), ({"id": "/a", "cpu": "cpu01"}, [2.0])

    assert joined(*cpus) == [3.0]
    assert joined(*cpus, ({"id": "/a", "cpu": "total"}, [3.5])) == [3.5]


def test_runs_are_told_apart_by_name_where_there_is_no_id() -> None:
    assert joined(({"name": "x"}, [1.0]), ({"name": "y"}, [2.0])) == [3.0]


def test_series_of_no_container_are_left_out() -> None:
    family = Family(adds=True)
    family.add([{"namespace": "shop", "pod": "api-1"}], np.array([[1.0]]))

    assert family.by_key() == {}


def test_parts_follow_each_other_and_gaps_stay() -> None:
    other = PodContainer("shop", "api-0", "api")

    block = block_of([{KEY: Stretch(0, np.array([1.0, 2.0]))}, {other: Stretch(0, np.array([3.0]))}], [2, 1])

    assert block.keys == [other, KEY]
    np.testing.assert_array_equal(block.values, [[NAN, NAN, 3], [1, 2, NAN]])


def test_no_parts_are_an_empty_block() -> None:
    assert block_of([{}], [3]).values.shape == (0, 3)


def test_an_empty_working_set_is_no_sample_and_no_rate_is_negative() -> None:
    np.testing.assert_array_equal(positive(UsageBlock([KEY], np.array([[0.0, 5.0, -1.0]]))).values, [[NAN, 5, NAN]])
    np.testing.assert_array_equal(not_negative(UsageBlock([KEY], np.array([[0.0, 5.0, -1.0]]))).values, [[0, 5, NAN]])


def test_a_share_is_of_the_periods_and_stands_for_every_fine_step() -> None:
    # 5 of 10 periods a second, then none ran, then no sample.
    share = share_of(UsageBlock([KEY], np.array([[5.0, 0.0, NAN]])), UsageBlock([KEY], np.array([[10.0, 0.0, 10.0]])), 2, 6)

    np.testing.assert_array_equal(share.values, [[0.5, 0.5, 0, 0, NAN, NAN]])


def test_a_share_needs_both_and_is_never_above_one() -> None:
    other = PodContainer("shop", "api-0", "api")

    share = share_of(UsageBlock([KEY], np.array([[12.0]])), UsageBlock([other, KEY], np.array([[1.0], [10.0]])), 1, 1)

    assert share.keys == [KEY]
    assert share.values.tolist() == [[1.0]]
