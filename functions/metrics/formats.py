"""Answers in the form that `Accept` asks for: JSON, or rows of CSV or Parquet."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.content_types import APPLICATION_JSON
from aws_lambda_powertools.event_handler.openapi.params import Header

from functions.metrics.schemas.history import UsageHistoryOut
from upid.domain.times import format_time, parse_time

CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"

Accept = Annotated[
    str,
    Header(
        alias="Accept",
        max_length=500,
        description="`text/csv` or `application/vnd.apache.parquet` for one row for each value; JSON otherwise.",
    ),
]


def history_as(answer: UsageHistoryOut, accept: str) -> Response[UsageHistoryOut]:
    """Return the answer as JSON, or as CSV or Parquet where `accept` prefers that."""
    kind, headers = preferred(accept), {"Vary": "Accept"}
    if kind == CSV:
        return Response(200, f"{CSV}; charset=utf-8", _rows(answer), headers=headers)  # type: ignore[arg-type] # text in place of the model
    if kind == PARQUET:
        from functions.metrics.parquet import parquet_of  # noqa: PLC0415 pandas is loaded for who wants a table

        return Response(200, PARQUET, parquet_of(answer), headers=headers)  # type: ignore[arg-type] # bytes in place of the model
    return Response(200, APPLICATION_JSON, answer, headers=headers)


def preferred(accept: str) -> str:
    """Return which of the media types an `Accept` header weighs highest (RFC 9110, 12.5.1); alike, JSON before CSV before Parquet."""
    return max((APPLICATION_JSON, CSV, PARQUET), key=lambda name: _weight(accept, name))


def _weight(accept: str, media_type: str) -> float:
    """Return the weight of a media type: of the most specific range that holds it. [1]."""
    ranges = {"*/*": 0, f"{media_type.partition('/')[0]}/*": 1, media_type: 2}
    best = (-1, 0.0)
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name in ranges:
            best = max(best, (ranges[name], _quality(parameters)))
    return best[1]


def _quality(parameters: list[str]) -> float:
    given = [text[2:] for text in parameters if text.startswith("q=")]
    try:
        return float(given[0]) if given else 1.0
    except ValueError:
        return 0.0


def _rows(answer: UsageHistoryOut) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["time", "metric", "unit", *answer.group_by, "value"])
    start = parse_time(answer.start)
    for series in answer.series:
        labels = [series.labels[name] for name in answer.group_by]
        for step, value in enumerate(series.values):
            writer.writerow([format_time(start + step * answer.step_seconds), series.metric, series.unit, *labels, value])
    return text.getvalue()
