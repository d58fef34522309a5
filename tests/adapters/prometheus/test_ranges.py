from __future__ import annotations

import numpy as np
import pytest
from adapters.prometheus.scripted import Answer, Asked, Server, matrix, refused

from upid.adapters.prometheus.client import TimedOutError
from upid.adapters.prometheus.matrix import Grid
from upid.adapters.prometheus.ranges import SAMPLES_PER_ANSWER, Answers, ask_range, pieces_of
from upid.adapters.prometheus.series import block_of
from upid.domain.errors import RefusedError, UnavailableError

T0 = 1_700_000_100
GRID = Grid(T0, 300, 8)
LABELS = {"namespace": "shop", "pod": "api-1", "container": "api"}


def count_of(asked: Asked) -> int:
    start, end, step = (int(asked.params[name][0]) for name in ("start", "end", "step"))
    return (end - start) // step + 1


def truth(asked: Asked) -> Answer:
    """Each sample is the number of its step since T0."""
    first = (int(asked.params["start"][0]) - T0) // 300
    return matrix((LABELS, [(T0 + 300 * i, str(i)) for i in range(first, first + count_of(asked))]))


def values(answers: Answers) -> list[float]:
    return list(block_of(answers.parts, answers.widths).values[0])


def test_parts_cover_the_grid_once_and_are_bounded() -> None:
    parts = list(pieces_of(Grid(T0, 300, 2016), 2000))

    assert sum(part.count for part in parts) == 2016
    assert all(part.count * 2000 <= SAMPLES_PER_ANSWER for part in parts)
    assert [part.first for part in parts[1:]] == [part.first + part.count * 300 for part in parts[:-1]]


def test_no_part_has_more_points_than_prometheus_gives() -> None:
    assert [part.count for part in pieces_of(Grid(T0, 60, 20_000), 1)] == [10_000, 10_000]


@pytest.mark.parametrize("series", [0, 1, 10**9])
def test_any_number_of_series_gives_parts_of_at_least_one_step(series: int) -> None:
    assert sum(part.count for part in pieces_of(GRID, series)) == 8


@pytest.mark.parametrize("status", [400, 422, 503])
def test_a_part_that_is_too_much_is_asked_in_halves_and_told(server: Server, status: int) -> None:
    server.answer = lambda asked: refused(status, "too many samples") if count_of(asked) > 2 else truth(asked)
    answers = Answers()

    ask_range(server.client(), "q", GRID, adds=True, into=answers)

    assert answers.widths == [2, 2, 2, 2]
    assert values(answers) == list(range(8))
    assert all("smaller parts" in told and "too many samples" in told for told in answers.warnings)


def test_what_is_refused_at_every_size_is_an_error(server: Server) -> None:
    server.script(refused(422, "no"))

    with pytest.raises(RefusedError, match="no"):
        ask_range(server.client(), "q", GRID, adds=True, into=Answers())
    assert len(server.asked) == 4  # 8, 4, 2 and 1 step


def test_what_times_out_at_every_size_ends_sooner(server: Server) -> None:
    server.script(refused(503, "query timed out"))

    with pytest.raises(TimedOutError):
        ask_range(server.client(), "q", GRID, adds=True, into=Answers())
    assert len(server.asked) == 3  # 8, 4 and 2 steps


def test_a_closed_door_is_not_asked_in_halves(server: Server) -> None:
    server.script(Answer(b"<html>", 404))

    with pytest.raises(UnavailableError, match="404"):
        ask_range(server.client(), "q", GRID, adds=True, into=Answers())
    assert len(server.asked) == 1


def test_an_answer_that_broke_off_counts_once(server: Server) -> None:
    half = matrix((LABELS, [(T0, "5")]))._replace(cut=True)
    server.answer = lambda asked: half if len(server.asked) == 1 else truth(asked)
    answers = Answers()

    ask_range(server.client(), "q", GRID, adds=True, into=answers)

    assert values(answers) == list(range(8))


@pytest.mark.parametrize(
    ("more", "told"), [({"warnings": ["store x is down"]}, "store x is down"), ({"isPartial": True}, "part of its data")]
)
def test_partial_data_is_told(server: Server, more: dict[str, object], told: str) -> None:
    server.script(matrix((LABELS, [(T0, "1")]), **more))
    answers = Answers()

    ask_range(server.client(), "q", GRID, adds=True, into=answers)

    assert [told in warning for warning in answers.warnings] == [True]
    assert np.isfinite(values(answers)).sum() == 1
