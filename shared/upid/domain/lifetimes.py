"""How long what was looked up or made is kept, so that it need not be looked up or made again."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

MEBIBYTE: Final = 2**20


class Bounds(NamedTuple):
    """The most that one process keeps of a kind: entries, and their size together. [1], [bytes]"""

    entries: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The lifetimes of each kind [s]; 0 = nothing is kept.

    cluster_configs: credentials of clusters, opened. optimization_rules: rules of tenants, parsed. statistical_models: fits of series.
    user_sessions: access tokens whose signature was verified. api_rate_limits: counts of failed logins, which are records and not in memory.
    """

    cluster_configs: int = 300
    optimization_rules: int = 3600
    statistical_models: int = 1800
    user_sessions: int = 86400
    api_rate_limits: int = 3600


# What is kept in the memory of a process, and how much of it. A Lambda of the API has 512 MB.
KEPT: Final[MappingProxyType[str, Bounds]] = MappingProxyType({
    "cluster_configs": Bounds(256, 16 * MEBIBYTE), "optimization_rules": Bounds(256, 32 * MEBIBYTE),
    "statistical_models": Bounds(512, 32 * MEBIBYTE), "user_sessions": Bounds(10_000, 8 * MEBIBYTE),
})  # fmt: skip
