"""The Prometheus HTTP API's endpoints, as functions of path and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from upid.demo.prometheus import answers
from upid.demo.prometheus.evaluation import LOOKBACK_SECONDS, Evaluation
from upid.demo.prometheus.family import Family
from upid.demo.prometheus.matching import matched
from upid.demo.prometheus.parser import Parser
from upid.demo.prometheus.syntax import QueryError, Selector
from upid.domain.times import parse_duration, parse_time

MOST_POINTS: Final = 11_000
VERSION: Final = "2.53.0"
Parameters = Mapping[str, Sequence[str]]


class Reply(NamedTuple):
    """An answer: status and body."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class PrometheusApi:
    """Answers queries about one plan's families. `now`: nothing is known of what comes after it."""

    families: Mapping[str, list[Family]]
    cell_seconds: int

    def answer(self, path: str, parameters: Parameters, now: float) -> Reply:
        """Return the answer to a request; 400 bad_data for a query that is not understood, 404 for another path."""
        if path in {"/-/ready", "/-/healthy"}:
            return Reply(200, b"Prometheus Server is Ready.\n", "text/plain; charset=utf-8")
        endpoints: dict[str, Callable[[Parameters, float], bytes]] = {
            "/api/v1/query": self._query,
            "/api/v1/query_range": self._range,
            "/api/v1/series": self._series,
            "/api/v1/labels": self._labels,
            "/api/v1/status/buildinfo": lambda _parameters, _now: answers.success(
                {"version": VERSION, "revision": "demo", "goVersion": "none"}
            ),
        }
        if path.startswith("/api/v1/label/") and path.endswith("/values"):
            name = path.removeprefix("/api/v1/label/").removesuffix("/values")
            endpoints[path] = lambda parameters, now: self._label_values(name, parameters, now)
        endpoint = endpoints.get(path)
        if endpoint is None:
            return Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")
        try:
            return Reply(200, endpoint(parameters, now))
        except (QueryError, ValueError) as error:
            return Reply(400, answers.failure("bad_data", str(error)))

    def _query(self, parameters: Parameters, now: float) -> bytes:
        moment = parse_time(_one(parameters, "time", str(now)))
        expression = Parser(_one(parameters, "query"), start=moment, end=moment).parse()
        result = Evaluation(self.families, self.cell_seconds, np.array([moment]), now).of(expression)
        return answers.vector(result, moment)

    def _range(self, parameters: Parameters, now: float) -> bytes:
        start, end = parse_time(_one(parameters, "start")), parse_time(_one(parameters, "end"))
        step = _step(_one(parameters, "step"))
        if end < start:
            raise QueryError('invalid parameter "end": end timestamp must not be before start time')
        if (end - start) / step > MOST_POINTS:
            raise QueryError("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
        times = np.array(start + step * np.arange(int((end - start) / step + 1e-9) + 1), np.float64)
        expression = Parser(_one(parameters, "query"), start=start, end=end).parse()
        result = Evaluation(self.families, self.cell_seconds, times, now).of(expression)
        return answers.matrix(result, times)

    def _series(self, parameters: Parameters, now: float) -> bytes:
        return answers.success(self._matching(parameters, now))

    def _labels(self, parameters: Parameters, now: float) -> bytes:
        return answers.success(sorted({name for own in self._matching(parameters, now) for name in own}))

    def _label_values(self, label: str, parameters: Parameters, now: float) -> bytes:
        return answers.success(sorted({own[label] for own in self._matching(parameters, now) if label in own}))

    def _matching(self, parameters: Parameters, now: float) -> list[dict[str, str]]:
        start, end = parse_time(_one(parameters, "start", "0")), parse_time(_one(parameters, "end", str(now)))
        selectors = [Parser(text).parse() for text in parameters.get("match[]", ())] or [Parser('{__name__=~".+"}').parse()]
        found = []
        for selector in selectors:
            if not isinstance(selector, Selector):
                raise QueryError('invalid parameter "match[]": not a selector')
            for family, rows in matched(self.families, selector):
                lives = family.lives[rows]
                there = (lives[:, 0] < min(end, now)) & (lives[:, 1] > start - LOOKBACK_SECONDS)
                found += [family.labels[row] for row in rows[there]]
        return found


def _one(parameters: Parameters, name: str, default: str | None = None) -> str:
    values = parameters.get(name)
    if values:
        return values[0]
    if default is None:
        raise QueryError(f'invalid parameter "{name}": it is missing')
    return default


def _step(text: str) -> float:
    try:
        step = float(text)
    except ValueError:
        step = parse_duration(text)
    if step <= 0:
        raise QueryError('invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer')
    return step
