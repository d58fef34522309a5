"""Every column of an assessment: name, unit, and what NaN means. Codes are positions in the tuples here: append, never reorder."""

from __future__ import annotations

from typing import Final, NamedTuple

STATUSES: Final = ("recommended", "unchanged", "withheld")
RECOMMENDED, UNCHANGED, WITHHELD = range(3)
WITHHELD_CODES: Final = ("init_container", "no_data", "not_enough_data", "scaled_to_zero", "pod_level_resources")
NOT_WITHHELD: Final = -1


class Reason(NamedTuple):
    """Why a figure is what it is: a code, and the columns whose values tell it."""

    code: str
    values: tuple[str, ...] = ()


REASONS: Final = (
    Reason("init_container"),
    Reason("no_data"),
    Reason("not_enough_data", ("samples", "hours", "minimum_samples", "minimum_hours")),
    Reason("scaled_to_zero"),
    Reason("cpu_quantile", ("cpu_quantile_cores", "allowed_time_above")),
    Reason("cpu_busiest_pod", ("cpu_busiest_cores", "cpu_quantile_cores")),
    Reason("cpu_recurring_peak", ("cpu_recurring_cores", "cpu_recurring_hour")),
    Reason("cpu_growth", ("cpu_growth", "review_days")),
    Reason("cpu_throttled", ("recent_throttled_fraction",)),
    Reason("cpu_no_data"),
    Reason("cpu_floor", ("cpu_floor_cores",)),
    Reason("cpu_exceeds_node", ("largest_node_cores",)),
    Reason("cpu_scaled_by_hpa"),
    Reason("cpu_small_change"),
    Reason("cpu_limit_removed"),
    Reason("cpu_limit_burst"),
    Reason("memory_peak", ("memory_peak_bytes", "memory_margin")),
    Reason("memory_startup_peak", ("startup_memory_bytes",)),
    Reason("memory_growth", ("memory_growth", "review_days")),
    Reason("memory_leak", ("memory_growth_per_week", "days_until_limit")),
    Reason("memory_oom", ("oom_limit_bytes", "oom_floor_bytes")),
    Reason("memory_heap", ("heap_bytes",)),
    Reason("memory_no_data"),
    Reason("memory_floor", ("memory_floor_bytes",)),
    Reason("memory_exceeds_node", ("largest_node_bytes",)),
    Reason("memory_scaled_by_hpa"),
    Reason("memory_small_change"),
    Reason("memory_limit", ("memory_limit_headroom",)),
    Reason("qos_guaranteed"),
    Reason("margin_for_little_data", ("volume_margin", "hours")),
    Reason("price_unknown"),
    Reason("run_peaks", ("runs", "cpu_runs_cores")),
    Reason("memory_page_cache", ("resident_bytes", "memory_peak_bytes", "memory_margin")),
    Reason("pod_level_resources"),
    Reason("cpu_startup_apart", ("cpu_startup_need_cores", "cpu_startup_share")),
    Reason("cpu_startup_counts", ("cpu_startup_need_cores", "cpu_startup_share")),
    Reason("cpu_startup_limit", ("cpu_startup_need_cores",)),
    Reason("memory_cache_unknown"),
)
CODES: Final = tuple(reason.code for reason in REASONS)

COLUMNS: Final[dict[str, str]] = {
    "status": "position in STATUSES",
    "withheld_code": "position in WITHHELD_CODES, -1 = not withheld",
    "cpu_request_cores": "recommended; NaN = not set [cores]",
    "cpu_limit_cores": "recommended; NaN = not set [cores]",
    "memory_request_bytes": "recommended; NaN = not set [bytes]",
    "memory_limit_bytes": "recommended; NaN = not set [bytes]",
    "confidence": "how sure this is, 0 to 1; 0 without data [1]",
    "confidence_volume": "part of it: time seen and how long ago, 0 to 1 [1]",
    "confidence_week": "part of it: share of the hours of a week that were seen [1]",
    "confidence_samples": "part of it: by effective samples, 0 to 1 [1]",
    "confidence_stability": "part of it: how alike the days are, 0 to 1 [1]",
    "savings_usd_per_month": "what the change saves, times replicas; below 0 = costs more; NaN = unknown [USD per 730 h]",
    "risk_score": "0 to 100; NaN = withheld [1]",
    "reasons": "bool, shape (rows, len(REASONS))",
    "hours": "time covered by samples [h]",
    "runs": "of a Job or CronJob, one after the other; 0 = it is none, or did not run [1]",
    "cpu_runs_cores": "what the peaks of runs need; NaN = no runs [cores]",
    "cpu_startup_need_cores": "what start-ups need; NaN = none was seen [cores]",
    "cpu_startup_share": "share of running time that is start-up [1]",
    "effective_samples": "runs where there are any, else what correlated samples are worth as independent ones [1]",
    "resident_bytes": "largest resident set, without page cache; NaN = not known [bytes]",
    "samples": "steps with a sample of any pod [1]",
    "backtest_folds": "0 = not enough history to hold days out [1]",
    "backtest_judged_days": "length of the held-out tail; NaN = no fold [d]",
    "backtest_cpu_time_above_request": "share of held-out samples; NaN = no fold [1]",
    "backtest_cpu_time_above_limit": "share of held-out samples, 0 without a limit; NaN = no fold [1]",
    "backtest_throttled_share": "the same figure as seen by the CFS quota: expected share of time throttled; NaN = no fold [1]",
    "backtest_memory_time_above_request": "share of held-out samples; NaN = no fold [1]",
    "backtest_memory_time_above_limit": "share of held-out samples; NaN = no fold [1]",
    "backtest_expected_oom_kills": "held-out days whose peak passes the limit; NaN = no fold [1]",
    "backtest_cpu_slack": "1 - mean use / request on the tail; NaN = no fold [1]",
    "backtest_memory_slack": "1 - mean use / request on the tail; NaN = no fold [1]",
    "backtest_savings_usd_per_month": "of the fitted requests against the current ones; NaN = no fold [USD per 730 h]",
}

SCALING_KINDS: Final = ("none", "autoscaler", "advice")
SCALING_CODES: Final = ("fixed_kind", "stateful", "scaled_to_zero", "not_enough_data", "other_metric", "no_request", "uneven_pods")
SCALING_REASONS: Final = (
    Reason("replicas_low_demand", ("scaling_low_cores", "scaling_low_bytes")),
    Reason("replicas_high_demand", ("scaling_high_cores", "scaling_high_bytes")),
    Reason("replicas_cpu_target", ("scaling_pod_cores", "scaling_cpu_target")),
    Reason("replicas_memory_target", ("scaling_pod_bytes", "scaling_memory_target")),
    Reason("replicas_available"),
    Reason("replicas_small_change"),
    Reason("replicas_fill", ("scaling_high_cores", "scaling_high_bytes", "scaling_pod_cores", "scaling_pod_bytes")),
    Reason("replicas_node", ("scaling_high_cores", "largest_node_cores")),
)
VOLUME_CODES: Final = ("volume_no_data", "volume_not_enough_data", "volume_size_unknown")
VOLUME_REASONS: Final = (
    Reason("volume_no_data"),
    Reason("volume_not_enough_data", ("volume_hours",)),
    Reason("volume_size_unknown"),
    Reason("volume_used", ("volume_peak_bytes", "volume_now_bytes")),
    Reason("volume_growth", ("volume_growth_bytes_per_day", "volume_review_days", "volume_expected_bytes")),
    Reason("volume_full", ("volume_days_until_full",)),
    Reason("volume_as_is"),
    Reason("volume_never_smaller", ("volume_need_bytes",)),
    Reason("volume_price_unknown"),
)
VOLUME_COLUMNS: Final[dict[str, str]] = {
    "volume_status": "position in STATUSES",
    "volume_code": "position in VOLUME_CODES, -1 = not withheld",
    "volume_size_bytes": "recommended, never less than now; NaN = not known [bytes]",
    "volume_now_bytes": "what it has; NaN = not known [bytes]",
    "volume_peak_bytes": "largest use; NaN = no sample [bytes]",
    "volume_expected_bytes": "largest use until the review of storage; NaN = no sample [bytes]",
    "volume_need_bytes": "what that asks for, a fifth of it free; NaN = no sample [bytes]",
    "volume_growth_bytes_per_day": "of daily peaks, as far as it is significant; 0 = none [bytes]",
    "volume_review_days": "how far ahead growth is taken [d]",
    "volume_days_until_full": "at that growth; NaN = it does not grow [d]",
    "volume_hours": "time covered by samples [h]",
    "volume_savings_usd_per_month": "below 0 = a larger one costs more; 0 where nothing changes, NaN = its price is not known [USD per month]",
    "volume_confidence": "how sure this is, 0 to 1 [1]",
    "volume_reasons": "bool, shape (volumes, len(VOLUME_REASONS))",
}
SCALING_COLUMNS: Final[dict[str, str]] = {
    "scaling_kind": "position in SCALING_KINDS: an autoscaler's bounds are recommended, a count is advised",
    "scaling_status": "position in STATUSES",
    "scaling_code": "position in SCALING_CODES, -1 = not withheld",
    "scaling_minimum": "pods at least, or the count that is advised; what is now where withheld [1]",
    "scaling_maximum": "pods at most, or the count that is advised; what is now where withheld [1]",
    "scaling_now_minimum": "of the autoscaler, or the count [1]",
    "scaling_now_maximum": "of the autoscaler, or the count [1]",
    "scaling_low_cores": "summed CPU demand at 5 % of the time; NaN = not enough data [cores]",
    "scaling_high_cores": "summed CPU demand that is passed for a tenth of the allowed time; NaN = not enough data [cores]",
    "scaling_low_bytes": "summed memory demand at 5 % of the time; NaN = not enough data [bytes]",
    "scaling_high_bytes": "summed memory demand that is passed for a tenth of the allowed time; NaN = not enough data [bytes]",
    "scaling_reasons": "bool, shape (rows, len(SCALING_REASONS))",
    "scaling_cpu_target": "share of the CPU request that the autoscaler aims at; NaN = none [1]",
    "scaling_memory_target": "share of the memory request that the autoscaler aims at; NaN = none [1]",
    "scaling_pod_cores": "CPU request of a pod; NaN = not set [cores]",
    "scaling_pod_bytes": "memory request of a pod; NaN = not set [bytes]",
    "scaling_now_pods": "that run in the mean within the bounds there are now, or the count; NaN = not known [1]",
    "scaling_pods": "that would run in the mean within the recommended bounds, or the count that is advised; NaN = not known [1]",
    "scaling_savings_usd_per_month": "of fewer pods, on top of what smaller requests save; of advice: instead of it; below 0 = costs more [USD per 730 h]",
}
