"""Whose data the benchmarks make."""

from __future__ import annotations

from typing import Final

CLUSTER: Final = "cl_01BENCH0000000000000000000"
TENANT: Final = "default"
