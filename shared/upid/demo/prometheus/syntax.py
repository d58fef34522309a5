"""What a query is made of once it is parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RANGE_FUNCTIONS: Final = frozenset({
    "rate", "increase", "max_over_time", "min_over_time", "avg_over_time", "sum_over_time", "count_over_time", "last_over_time", "present_over_time",
    "changes", "resets",
})  # fmt: skip
AGGREGATIONS: Final = frozenset({"sum", "max", "min", "avg", "count", "group", "quantile"})
COMPARISONS: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})
ARITHMETIC: Final = frozenset({"+", "-", "*", "/"})
SETS: Final = frozenset({"and", "or", "unless"})


class QueryError(ValueError):
    """A query that cannot be parsed or is not supported: bad_data, as Prometheus says."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher: `sign` is one of =, !=, =~, !~."""

    label: str
    sign: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series by matchers; `range_seconds` 0 = an instant selector. `at`: a fixed moment, None = the step's own."""

    matchers: tuple[Matcher, ...]
    range_seconds: float = 0.0
    offset_seconds: float = 0.0
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one range of samples."""

    function: str
    selector: Selector


@dataclass(frozen=True, slots=True)
class Relabel:
    """`label_replace`: series whose label `source` matches `pattern` as a whole get `label`; `$1` stands for a group."""

    of: Expression
    label: str
    replacement: str
    source: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Aggregation:
    """An aggregation over series, by labels or without them; `parameter` is the share of `quantile`."""

    operator: str
    of: Expression
    labels: tuple[str, ...] = ()
    without: bool = False
    parameter: float = 0.0


@dataclass(frozen=True, slots=True)
class Binary:
    """Two expressions joined; `on`: the labels that are compared (None = all), `ignoring`: those that are not; `many` = left, right or neither side."""

    operator: str
    left: Expression
    right: Expression
    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] = ()
    many: str = ""
    taken: tuple[str, ...] = ()
    is_bool: bool = False


Expression = Number | Selector | Call | Relabel | Aggregation | Binary
