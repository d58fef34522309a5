"""Answers as the Prometheus HTTP API writes them. Numbers are text; a series' text is joined from pieces that were made many at once."""

from __future__ import annotations

from operator import add
from typing import Any

import numpy as np
import orjson

from upid.demo.prometheus.family import Floats
from upid.demo.prometheus.joining import Vector


def matrix(result: Vector | float, times: Floats) -> bytes:
    """Return the answer to a range query: every series with its samples, those that are NaN left out."""
    vector = result if isinstance(result, Vector) else Vector([{}], np.full((1, len(times)), result))
    heads = np.array([f'[{_moment(moment)},"'.encode() for moment in times], dtype=object)
    series = b",".join(_series(own, row, heads) for own, row in zip(vector.labels, vector.values, strict=True))
    return b'{"status":"success","data":{"resultType":"matrix","result":[' + series + b"]}}"


def vector(result: Vector | float, time: float) -> bytes:
    """Return the answer to an instant query."""
    moment = int(time) if time == int(time) else time
    if not isinstance(result, Vector):
        return success({"resultType": "scalar", "result": [moment, _text(result)]})
    items = [
        {"metric": own, "value": [moment, _text(row[0])]}
        for own, row in zip(result.labels, result.values, strict=True)
        if not np.isnan(row[0])
    ]
    return success({"resultType": "vector", "result": items})


def success(data: Any) -> bytes:
    """Return an answer with data of any form."""
    return orjson.dumps({"status": "success", "data": data})


def failure(kind: str, words: str) -> bytes:
    """Return an error's answer."""
    return orjson.dumps({"status": "error", "errorType": kind, "error": words})


def _series(labels: dict[str, str], row: Floats, heads: np.ndarray[Any, Any]) -> bytes:
    there = ~np.isnan(row)
    # Nine decimals are more than a scrape is exact to, and short text is quick to read. What is infinite comes out as null.
    numbers = orjson.dumps(np.round(row[there], 9), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].replace(b"null", b"+Inf").split(b",")
    samples = b'"],'.join(map(add, heads[there], numbers))
    return b'{"metric":' + orjson.dumps(labels) + b',"values":[' + samples + b'"]]}'


def _moment(moment: float) -> str:
    return str(int(moment)) if moment == int(moment) else f"{moment:.3f}".rstrip("0")


def _text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
