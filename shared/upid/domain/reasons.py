"""Reason codes in words. A text is made when a recommendation is read; the codes and their values are what is stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from upid.domain.quantities import format_cpu, format_memory

TEXTS: Final[Mapping[str, str]] = MappingProxyType({
    "init_container": "An init container ends before the pod serves; what it needs for that moment is not sized from its use.",
    "no_data": "There is no sample of this container in the window.",
    "not_enough_data": "Only {samples} samples over {hours} h were seen; at least {minimum_samples} over {minimum_hours} h are needed.",
    "pod_level_resources": "Requests or limits are set for the whole pod, which its containers share: they are not sized one by one.",
    "scaled_to_zero": "The workload is scaled to zero.",
    "cpu_quantile": "CPU use is expected above {cpu_quantile_cores} for {allowed_time_above} of the time, as much as is allowed.",
    "cpu_busiest_pod": "The busiest pod at each moment needs {cpu_busiest_cores}, more than the {cpu_quantile_cores} of all pods pooled.",
    "cpu_recurring_peak": "A peak that comes back {cpu_recurring_hour} needs {cpu_recurring_cores}.",
    "cpu_growth": "CPU use grows: {cpu_growth} are added for the {review_days} days until the review.",
    "cpu_throttled": "CPU was throttled in {recent_throttled_fraction} of the periods, so use is only a lower bound of what is needed.",
    "cpu_no_data": "There are too few CPU samples, so CPU stays as it is.",
    "cpu_floor": "CPU use is below the least request of {cpu_floor_cores}.",
    "cpu_exceeds_node": "More CPU is needed than the largest node of {largest_node_cores} has.",
    "cpu_scaled_by_hpa": "A HorizontalPodAutoscaler scales on CPU relative to the request, so CPU stays as it is.",
    "cpu_small_change": "The CPU request is near enough to what is needed to stay.",
    "cpu_limit_removed": "The CPU limit is taken away: it throttles even when the node is idle, and the request already secures the share.",
    "cpu_limit_burst": "A CPU limit leaves room for bursts.",
    "cpu_startup_apart": "Start-ups need up to {cpu_startup_need_cores}, more than steady state: they are {cpu_startup_share} of running time and stand apart from it.",
    "cpu_startup_counts": "Start-ups are {cpu_startup_share} of running time, too much to stand apart: they count in the request.",
    "cpu_startup_limit": "The CPU limit lets start-ups through, which need {cpu_startup_need_cores}.",
    "memory_peak": "The largest memory use was {memory_peak_bytes}; {memory_margin} are added.",
    "memory_startup_peak": "Memory peaks at start-up, at {startup_memory_bytes}.",
    "memory_growth": "Memory use grows: {memory_growth} are added for the {review_days} days until the review.",
    "memory_leak": "Memory grows by {memory_growth_per_week} a week while the work does not: a leak, which more memory would only hide. {days_until_limit}",
    "memory_oom": "The container was killed for memory at a limit of {oom_limit_bytes}, so it gets at least {oom_floor_bytes}.",
    "memory_heap": "The container is told to use a heap of {heap_bytes}.",
    "memory_no_data": "There are too few memory samples, so memory stays as it is.",
    "memory_floor": "Memory use is below the least request of {memory_floor_bytes}.",
    "memory_exceeds_node": "More memory is needed than the largest node of {largest_node_bytes} has.",
    "memory_scaled_by_hpa": "A HorizontalPodAutoscaler scales on memory relative to the request, so memory stays as it is.",
    "memory_small_change": "The memory request is near enough to what is needed to stay.",
    "memory_limit": "The memory limit lies {memory_limit_headroom} of the largest use above the request.",
    "qos_guaranteed": "Requests and limits stay equal, so the pod stays in QoS class Guaranteed.",
    "margin_for_little_data": "Only {hours} h were seen, so {volume_margin} are added.",
    "volume_no_data": "There is no sample of what this volume holds.",
    "volume_not_enough_data": "What this volume holds was seen for {volume_hours} h only.",
    "volume_size_unknown": "How large the volume is, is not known.",
    "volume_used": "The volume held {volume_peak_bytes} of its {volume_now_bytes} at most.",
    "volume_growth": "It grows by {volume_growth_bytes_per_day} a day: {volume_expected_bytes} are expected in {volume_review_days} days.",
    "volume_full": "At that growth it is full in {volume_days_until_full} days.",
    "volume_as_is": "Its size is right as it is.",
    "volume_never_smaller": "{volume_need_bytes} would be enough, but a volume cannot be made smaller.",
    "volume_price_unknown": "What this storage class costs is not known, so no savings are told.",
    "memory_page_cache": "The largest memory use was {memory_peak_bytes}, of which {resident_bytes} were resident at most: {memory_margin} are added to that. The rest is page cache, for which the limit leaves room.",
    "memory_cache_unknown": "What of it was resident is not known, so page cache counts as need.",
    "run_peaks": "{runs} runs were seen one after the other; each of their pods counts once, by its peak: CPU of {cpu_runs_cores} covers them as the strategy asks.",
    "replicas_low_demand": "All pods together use {scaling_low_cores} CPU and {scaling_low_bytes} of memory or less for 5 % of the time.",
    "replicas_high_demand": "All pods together are expected above {scaling_high_cores} CPU and {scaling_high_bytes} of memory for a tenth of the time that is allowed.",
    "replicas_cpu_target": "A pod of {scaling_pod_cores} CPU is added at {scaling_cpu_target} of it: request and target stay, both or none may change.",
    "replicas_memory_target": "A pod of {scaling_pod_bytes} of memory is added at {scaling_memory_target} of it: request and target stay, both or none may change.",
    "replicas_available": "Two pods stay, so that one may fail.",
    "replicas_small_change": "The number of pods is near enough to what is needed to stay.",
    "replicas_fill": "Advice, instead of smaller requests: together all pods need {scaling_high_cores} CPU and {scaling_high_bytes} of memory, a pod requests {scaling_pod_cores} and {scaling_pod_bytes}, and is filled to 80 %.",
    "replicas_node": "Advice: a pod's share of {scaling_high_cores} does not fit on the largest node of {largest_node_cores}.",
    "price_unknown": "What the nodes cost is not known, so no savings are told.",
})  # fmt: skip
RULE_TEXTS: Final[Mapping[str, str]] = MappingProxyType({
    "rule_adjustment": "Rule {rule} (version {version}) changes what is recommended: {changes}.",
    "rule_veto": "Rule {rule} (version {version}) keeps what is set now: {changes}.",
    "rule_inconclusive": "Whether rule {rule} (version {version}) holds can not be told, so what is set now stays: {changes}.",
})  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOURS_PER_WEEK: Final = 168
_DAY_OF_MONTH: Final = 200
_DAY_TO_END: Final = 300
_SHARES: Final = frozenset({
    "allowed_time_above", "cpu_growth", "recent_throttled_fraction", "memory_margin", "memory_growth", "memory_growth_per_week",
    "memory_limit_headroom", "volume_margin", "cpu_startup_share", "scaling_cpu_target", "scaling_memory_target",
})  # fmt: skip


def percent(share: float) -> str:
    """Return a share as a person reads it, never rounded to nothing or to all: 0.001 is `0.1 %`, 0.999 is `99.9 %`."""
    return f"{share * 100:.3g} %" if abs(share) < 0.99 else f"{share * 100:.6g} %"


def _hour(hour: int) -> str:
    """Return an hour of week in words, from 168 on an hour of every day, from 200 on a day of the month, from 300 on one counted from its end."""
    if hour >= _DAY_TO_END:
        return (
            "on the last day of every month" if hour == _DAY_TO_END + 1 else f"{hour - _DAY_TO_END - 1} days before the end of every month"
        )
    if hour >= _DAY_OF_MONTH:
        return f"on day {hour - _DAY_OF_MONTH} of every month"
    if hour >= _HOURS_PER_WEEK:
        return f"daily at {hour - _HOURS_PER_WEEK:02d}:00 UTC"
    return f"every {_DAYS[hour // 24]} at {hour % 24:02d}:00 UTC"


def _said(name: str, value: Any) -> str:
    if name == "days_until_limit":
        return "" if value is None else f"It reaches its limit in about {math.ceil(value)} days."
    if value is None:
        return "an unknown amount"
    if name == "cpu_recurring_hour":
        return _hour(int(value))
    if name in _SHARES:
        return percent(value)
    if name.endswith("_cores"):
        return format_cpu(value)
    return format_memory(value) if name.endswith(("_bytes", "_bytes_per_day")) else f"{value:.4g}"


def text_of(code: str, values: Mapping[str, Any]) -> str:
    """Return the sentence of a reason with its values (None = unknown); KeyError for a code that is none."""
    return TEXTS[code].format_map({name: _said(name, value) for name, value in values.items()}).rstrip()


def rule_text(code: str, rule: str, version: int, changes: Iterable[Mapping[str, Any]]) -> str:
    """Return the sentence of what a rule changed ({target, before, after}; None = not set); KeyError for a code that is none."""
    told = (
        f"{each['target'].rsplit('_', 1)[0].replace('_', ' ')} {_amount(each, 'before')} becomes {_amount(each, 'after')}"
        for each in changes
    )
    return RULE_TEXTS[code].format(rule=rule, version=version, changes=", ".join(told))


def _amount(change: Mapping[str, Any], side: str) -> str:
    value = change[side]
    if value is None:
        return "(not set)"
    return format_cpu(value) if change["target"].endswith("_cores") else format_memory(value)
