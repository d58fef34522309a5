"""Why each figure is what it is, as code columns; text is made when an entry is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.advice import is_guaranteed
from upid.engine.rightsizing.columns import CODES, WITHHELD_CODES
from upid.engine.rightsizing.cpu import is_lower_bound
from upid.engine.rightsizing.current import CurrentResources
from upid.engine.rightsizing.options import Options
from upid.engine.rightsizing.rule import Sized
from upid.engine.rightsizing.seen import STARTUP_RAMP

Bools = NDArray[np.bool_]
MARGIN_TOLD = 0.01  # a wider margin for little data is worth telling from here


def reason_matrix(
    sized: Sized, columns: dict[str, NDArray[Any]], current: CurrentResources, options: Options, *, price_is_known: Bools
) -> Bools:
    """Return which reasons hold for each row, shape (rows, len(REASONS))."""
    withheld = columns["withheld_code"]
    reasons = _cpu(sized, columns, current, options) | _memory(sized, columns, current)
    told = sized.cpu_enough | sized.memory_enough
    reasons |= {
        "qos_guaranteed": is_guaranteed(current) & (sized.cpu.changes | sized.memory.changes),
        "margin_for_little_data": told & (columns["volume_margin"] >= MARGIN_TOLD),
        "price_unknown": ~price_is_known,
        "run_peaks": told & (columns["runs"] > 0),
    }
    matrix = np.zeros((len(withheld), len(CODES)), dtype=bool)
    for code, holds in reasons.items():
        matrix[:, CODES.index(code)] = holds & (withheld < 0)
    for position, code in enumerate(WITHHELD_CODES):
        matrix[:, CODES.index(code)] = withheld == position
    return matrix


def _cpu(sized: Sized, columns: dict[str, NDArray[Any]], current: CurrentResources, options: Options) -> dict[str, Bools]:
    need, advice = sized.cpu_need, sized.cpu
    known = sized.cpu_enough & np.isfinite(advice.fitted_request)
    sizes = known & ~current.scaled_on_cpu
    with np.errstate(invalid="ignore"):
        busiest = need.busiest > need.quantile
        starts_higher = need.startup > need.request
        counts = need.startup > 0
    large, limited = columns["cpu_startup_share"] > STARTUP_RAMP[0], advice.changes & ~np.isnan(columns["cpu_limit_cores"])
    removed = advice.changes & ~np.isnan(current.cpu_limit_cores) & np.isnan(columns["cpu_limit_cores"])
    return {
        "cpu_quantile": sizes,
        "cpu_busiest_pod": sizes & busiest,
        "cpu_recurring_peak": sizes & (need.recurring.hour >= 0),
        "cpu_growth": sizes & (need.growth > 0),
        "cpu_throttled": known & (is_lower_bound(need.throttled) > 0),
        "cpu_no_data": ~known,
        "cpu_floor": sizes & advice.at_floor,
        "cpu_exceeds_node": advice.exceeds_node,
        "cpu_scaled_by_hpa": current.scaled_on_cpu,
        "cpu_small_change": sizes & advice.is_small_change,
        "cpu_limit_removed": removed,
        "cpu_startup_apart": sizes & starts_higher & ~large,
        "cpu_startup_counts": sizes & counts & large,
        "cpu_startup_limit": limited & starts_higher,
        "cpu_limit_burst": advice.changes & (options.cpu_limit == "burst") & ~is_guaranteed(current),
    }


def _memory(sized: Sized, columns: dict[str, NDArray[Any]], current: CurrentResources) -> dict[str, Bools]:
    need, advice = sized.memory_need, sized.memory
    known = sized.memory_enough & np.isfinite(advice.fitted_request)
    sizes = known & ~current.scaled_on_memory & ~need.is_leak
    with np.errstate(invalid="ignore"):
        cache = columns["resident_bytes"] < need.peak
        heap = current.heap_bytes >= need.request
        startup = columns["startup_memory_bytes"] >= need.peak
    return {
        "memory_peak": sizes & ~cache,
        "memory_startup_peak": sizes & startup,
        "memory_growth": sizes & (need.growth > 0),
        "memory_leak": known & need.is_leak,
        "memory_oom": known & ~np.isnan(need.oom_limit),
        "memory_heap": sizes & heap,
        "memory_page_cache": sizes & cache,
        "memory_cache_unknown": sizes & np.isnan(columns["resident_bytes"]),
        "memory_no_data": ~known,
        "memory_floor": sizes & advice.at_floor,
        "memory_exceeds_node": advice.exceeds_node,
        "memory_scaled_by_hpa": current.scaled_on_memory,
        "memory_small_change": sizes & advice.is_small_change,
        "memory_limit": advice.changes,
    }
