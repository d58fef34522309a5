"""All published rules by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from upid.engine.rightsizing.published import attune, castai, crane, krr, kruize, kubecost, vpa
from upid.engine.rightsizing.published.window import Floats, Window

Rule = Callable[[Window], Floats]

CPU_RULES: Final[Mapping[str, Rule]] = MappingProxyType({
    "krr": krr.cpu, "vpa": vpa.cpu, "attune": attune.cpu, "kruize-cost": kruize.cpu_cost, "kruize-performance": kruize.cpu_performance,
    "crane": crane.cpu, "kubecost": kubecost.cpu, "castai": castai.cpu,
})  # fmt: skip
MEMORY_RULES: Final[Mapping[str, Rule]] = MappingProxyType({
    "krr": krr.memory, "vpa": vpa.memory, "attune": attune.memory, "kruize": kruize.memory, "crane": crane.memory, "kubecost": kubecost.memory,
    "castai": castai.memory,
})  # fmt: skip
