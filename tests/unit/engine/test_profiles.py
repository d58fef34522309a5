from __future__ import annotations

import numpy as np
import pytest
from unit.engine.making import PER_DAY, noise, part, profile_of, samples
from unit.engine.test_folding import assert_same

from upid.engine.arrays import pack, unpack
from upid.engine.usage.evidence import exact_evidence, profile_evidence
from upid.engine.usage.folding import fold
from upid.engine.usage.profile import UsageProfile, empty_profile, reindex
from upid.engine.usage.storage import from_arrays, to_arrays


def crowd() -> UsageProfile:
    """Return a profile of three rows of two workloads; the first row has two pods."""
    usage = noise(9, series=4)
    usage[3, :700] = np.nan
    return profile_of(samples(usage, row=[0, 0, 1, 2], workload=[0, 0, 1], oom_kills=np.array([0, 0, 1, 0])))


def test_a_stored_profile_comes_back_whole() -> None:
    profile = crowd()

    again = from_arrays(*unpack(pack(*to_arrays(profile))))

    assert_same(again, profile)
    assert pack(*to_arrays(again)) == pack(*to_arrays(profile))


def test_an_empty_profile_comes_back_too() -> None:
    again = from_arrays(*unpack(pack(*to_arrays(empty_profile(np.array([0, 1]))))))

    assert again.rows == 2
    assert again.folded_until == 0


def test_a_stored_profile_can_be_folded_further() -> None:
    given_samples = samples(noise(4))
    stored = from_arrays(*unpack(pack(*to_arrays(profile_of(part(given_samples, 0, 500))))))

    assert_same(fold(stored, part(given_samples, 500, 4 * PER_DAY)), profile_of(given_samples))


def test_a_container_takes_at_most_8_kib() -> None:
    # Use that moves over a factor of about ten, as most of it does.
    arrays = pack(*to_arrays(profile_of(samples(noise(7, series=50), noise(7, mean=3e8, series=50)))))

    assert len(arrays) / 50 <= 8192


def test_other_arrays_are_no_profile() -> None:
    with pytest.raises(ValueError, match="missing"):
        from_arrays({}, {})
    arrays, meta = to_arrays(crowd())
    del arrays["profile.cpu.top"]
    with pytest.raises(ValueError, match=r"cpu.top"):
        from_arrays(arrays, meta)


def test_rows_move_appear_and_go() -> None:
    profile = crowd()

    moved = reindex(profile, np.array([2, -1, 0]), np.array([0, 1, 2]))

    np.testing.assert_array_equal(moved.cpu.days[[0, 2]], profile.cpu.days[[2, 0]])
    np.testing.assert_array_equal(moved.cpu_daily.total[[0, 2]], profile.cpu_daily.total[[2, 0]])
    assert moved.steps[1].sum() == 0
    assert moved.busiest.index.tolist() == [2]
    np.testing.assert_array_equal(moved.busiest.cpu.days, profile.busiest.cpu.days)
    assert moved.summed.index.tolist() == [2]


def test_moving_rows_there_and_back_changes_nothing() -> None:
    profile = crowd()

    there = reindex(profile, np.array([1, 2, 0]), np.array([1, 0, 1]))

    assert_same(reindex(there, np.array([2, 0, 1]), profile.workload), profile)


def test_a_row_cannot_be_named_twice_or_be_none() -> None:
    profile = crowd()

    for source in ([0, 0], [7, 1]):
        with pytest.raises(ValueError, match="at most once"):
            reindex(profile, np.array(source), np.array([0, 1]))
    with pytest.raises(ValueError, match="one shape"):
        reindex(profile, np.array([0]), np.array([0, 1]))


def test_evidence_from_a_profile_is_within_half_a_bucket_of_the_order_statistic() -> None:
    usage = noise(1, series=4)  # one day: no decay
    memory = noise(1, mean=2e8, series=4, seed=9)

    found = profile_evidence(profile_of(samples(usage, memory)))

    for spread, values in ((found.cpu, usage), (found.memory, memory)):
        for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
            expected = np.quantile(values, q, axis=1, method="inverted_cdf")
            np.testing.assert_allclose(getattr(spread, name), expected, rtol=0.0151)


def test_evidence_from_a_profile_counts_exactly() -> None:
    usage = noise(5, series=3)
    usage[0, 100:300] = np.nan
    given_samples = samples(usage, row=[0, 0, 1], workload=[0, 1], restarts=np.array([1, 2, 0]))

    found, exact = profile_evidence(profile_of(given_samples)), exact_evidence(given_samples)

    for name in ("cpu_samples", "memory_samples", "samples", "oom_kills", "restarts", "pods"):
        np.testing.assert_array_equal(getattr(found, name), getattr(exact, name), err_msg=name)
    np.testing.assert_allclose(found.cpu.mean, exact.cpu.mean, rtol=1e-12)
    np.testing.assert_allclose(found.cpu.max, exact.cpu.max, rtol=1e-12)
    np.testing.assert_allclose(found.effective_samples, exact.effective_samples, rtol=1e-9)
    np.testing.assert_allclose(found.coverage, exact.coverage, rtol=1e-12)


def test_no_quantile_of_a_profile_lies_above_its_maximum() -> None:
    flat = np.full((4, 288), 1.0) * np.array([[0.1], [0.35], [1.0], [5613412352.0]])  # each at another place within its bucket

    found = profile_evidence(profile_of(samples(flat, flat)))

    for spread in (found.cpu, found.memory):
        assert (spread.p50 <= spread.max).all()
        np.testing.assert_allclose(spread.p99, spread.max, rtol=0.0151)


def test_evidence_of_an_empty_profile_is_nothing() -> None:
    found = profile_evidence(empty_profile(np.array([0])))

    assert np.isnan(found.cpu.p50[0])
    assert np.isnan(found.throttled_fraction[0])
    assert (found.samples[0], found.coverage[0], found.effective_samples[0]) == (0, 0, 0)
