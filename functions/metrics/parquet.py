"""Usage as a table in Parquet. Imported when such an answer is asked for, never with a handler: pandas takes seconds."""

from __future__ import annotations

import io
from contextlib import nullcontext
from typing import Final

import fastparquet
import numpy as np
import pandas as pd

from functions.metrics.schemas.history import UsageHistoryOut
from upid.domain.times import parse_time

MILLISECONDS: Final = "datetime64[ms]"


def parquet_of(answer: UsageHistoryOut) -> bytes:
    """Return an answer as Parquet: a row for each value, with columns time (UTC), metric, unit, those of the groups, value (null = no sample)."""
    table = pd.DataFrame(_columns(answer))
    file = io.BytesIO()
    # The writer closes what it writes to, and a closed file in memory is gone: it closes a context that leaves this one open.
    fastparquet.write(
        "usage", table, compression="SNAPPY", open_with=lambda *_: nullcontext(file), object_encoding="utf8", stats=False, write_index=False
    )
    return file.getvalue()


def _columns(answer: UsageHistoryOut) -> dict[str, object]:
    start, series = int(parse_time(answer.start)), answer.series
    seconds = start + answer.step_seconds * np.arange(answer.steps, dtype=np.int64)
    labels: dict[str, list[str | None]] = {str(name): [each.labels[name] for each in series] for name in answer.group_by}
    texts: dict[str, list[str | None]] = {"metric": [each.metric for each in series], "unit": [each.unit for each in series], **labels}
    values = [np.nan if value is None else value for each in series for value in each.values]
    columns: dict[str, object] = {"time": np.tile((seconds * 1000).astype(MILLISECONDS), len(series))}
    columns |= {name: np.repeat(np.array(column, object), answer.steps) for name, column in texts.items()}
    return columns | {"value": np.array(values, np.float64)}
