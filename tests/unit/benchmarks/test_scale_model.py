"""The model of scale: worked by hand once, and the tables of the document are what it prints."""

from __future__ import annotations

from pathlib import Path

from benchmarks import scale_model

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "scale.md"


def test_ten_thousand_pods_by_hand() -> None:
    found = scale_model.run(10_000)

    # 10,000 / 3 = 3,333 containers, in 4 shards of 834; 2 GB are more than one vCPU, of which one is used.
    # 2 s start + 0.562 s x 834 / 10,000 + 6 x 0.03 s = 2.2269 s; 4 shards x 2 GB x that + 2 x 0.5 s x 0.5 GB = 18.3 GB-seconds.
    assert (found.shards, found.containers_per_shard, found.shard_seconds, found.lambda_gb_seconds) == (4, 834, 2.23, 18.3)
    # 18.315 x 0.0000133334 + 6 x 0.0000002 + 14 x 0.000025 + 16 x 0.625e-6 + 26 x 0.125e-6 + 8 x 5e-6 + 16 x 0.4e-6 + 4 x 3e-6
    assert found.usd == 0.00067


def test_a_million_pods_are_analyzed_in_one_wave() -> None:
    found = scale_model.run(1_000_000)

    # 64 shards are over 40: each is an execution of its own, which begins, enters and leaves a state, and ends.
    assert (found.shards, found.transitions) == (64, 6 + 4 * 64)
    # 1 s until they run + 2 s start + 0.562 s x 5,209 / 10,000 + 0.18 s + twice 2.5 s for plan and summary.
    assert found.wall_seconds == 8.5


def test_the_first_limit_is_the_memory_of_a_shard() -> None:
    limit, pods = scale_model.first_met()

    # 0.2 GB + 4 x 8 KiB x containers = 2 GB at 54,932 containers a shard, of which 64 x 3 are 10.5 million pods.
    assert limit == "memory of a shard's function"
    assert 10_546_000 <= pods < 10_546_000 * 1.1


def test_no_limit_is_met_at_a_million_pods() -> None:
    assert int(scale_model.run(1_000_000).first_limit.rpartition(" ")[2].rstrip("%")) < 100


def test_more_pods_never_cost_less() -> None:
    costs = [scale_model.run(pods).usd for pods in (100, 1_000, 10_000, 100_000, 1_000_000)]

    assert costs == sorted(costs)


def test_every_figure_says_where_it_is_from() -> None:
    assert all(figure.source and figure.compared and figure.unit for figure in (scale_model.PRICES | scale_model.LIMITS).values())


def test_the_document_holds_what_the_model_prints() -> None:
    assert scale_model.markdown() in DOCUMENT.read_text()
