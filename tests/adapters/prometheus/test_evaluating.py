"""Queries that a person wrote."""

from __future__ import annotations

import numpy as np
import pytest
from adapters.prometheus.scripted import Answer, Server, matrix, refused

from upid.adapters.prometheus.evaluating import evaluated
from upid.ports.metrics_source import Evaluated, Window

START, STEP = 1_700_000_100, 300
WINDOW = Window(START, START + 3 * STEP, STEP)
NAN = float("nan")


def points(*values: str) -> list[tuple[int, str]]:
    return [(START + STEP * (n + 1), value) for n, value in enumerate(values) if value]


def one(server: Server, answer: Answer) -> Evaluated:
    server.script(answer)
    (found,) = evaluated(server.client(), ["sum(up)"], WINDOW)
    return found


def test_one_series_is_the_querys_values_and_the_query_goes_as_it_stands_with_a_time_limit(server: Server) -> None:
    found = one(server, matrix(({}, points("1", "", "3.5"))))

    np.testing.assert_array_equal(found.values, [1.0, NAN, 3.5])
    assert (found.problem, found.faults) == ("", {})
    (asked,) = server.asked
    assert (asked.query, asked.params["timeout"], asked.params["start"], asked.params["step"]) == (
        "sum(up)",
        ["30s"],
        [str(START + STEP)],
        [str(STEP)],
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [(matrix(), "no series"), (matrix(({"a": "1"}, points("1")), ({"a": "2"}, points("2"))), "2 series where one is needed"),
     (refused(400, "parse error: unexpected end"), "parse error: unexpected end"), (matrix(({}, points("NaN", "NaN", "NaN"))), "at 3 of 3 steps"),
     (matrix(({}, points("1", "1", "1")), warnings=["a store is down"]), "a store is down")],
)  # fmt: skip
def test_what_is_wrong_is_told(server: Server, answer: Answer, said: str) -> None:
    assert said in one(server, answer).problem


def test_nan_and_negative_numbers_are_dropped_counted_and_told(server: Server) -> None:
    found = one(server, matrix(({}, points("NaN", "-1", "2"))))

    np.testing.assert_array_equal(found.values, [NAN, NAN, 2.0])
    assert found.faults == {"not_a_number": 1, "negative": 1}
    assert "at 2 of 3 steps" in found.problem


def test_several_series_give_no_values_since_none_of_them_is_the_workloads(server: Server) -> None:
    assert np.isnan(one(server, matrix(({"a": "1"}, points("1")), ({"a": "2"}, points("2")))).values).all()


def test_one_that_fails_leaves_the_others(server: Server) -> None:
    server.answer = lambda asked: refused(422, "no") if asked.query == "bad" else matrix(({}, points("1", "2", "3")))
    first, second = evaluated(server.client(), ["bad", "good"], WINDOW)
    assert ("no" in first.problem, list(second.values)) == (True, [1.0, 2.0, 3.0])


def test_behind_the_time_that_all_have_together_no_more_are_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upid.adapters.prometheus.evaluating.ALL_SECONDS", -1.0)
    assert "It was not asked" in one(server, matrix(({}, points("1", "2", "3")))).problem
    assert server.asked == []
