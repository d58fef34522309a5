"""How large volumes must be: from what they hold and how that grows, never smaller than they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upid.engine.rightsizing.advice import rounded_up
from upid.engine.rightsizing.columns import RECOMMENDED, UNCHANGED, VOLUME_CODES, VOLUME_REASONS, WITHHELD
from upid.engine.rightsizing.options import Options
from upid.engine.statistics.trend import STRICT_RAMP, trend

Floats = NDArray[np.float64]
GIB: Final = 2.0**30
DAY: Final = 86400
FREE: Final = 0.2  # of a volume that stays free: file systems slow down, and somebody must have the time to react
TREND_DAYS: Final = 28
FULL_DAY: Final = 0.8  # share of a day's steps from which it tells its trend
VOLUME_DAYS: Final = 1.5  # each such span of samples halves what is missing to full confidence
RECENCY_DAYS: Final = 4.0  # each such span since the last sample halves confidence


@dataclass(frozen=True, slots=True)
class VolumeUse:
    """What volumes hold, on a grid of steps that begins at `start` [s since the epoch], and what they are.

    `used_bytes`: shape (volumes, steps), NaN = no sample; `size_bytes`, shape (volumes,): what each has or, before it has any, asks for, NaN = not known.
    """

    start: int
    step_seconds: int
    used_bytes: NDArray[Any]
    size_bytes: Floats


def size_volumes(use: VolumeUse, options: Options, usd_per_gib_month: Floats) -> dict[str, NDArray[Any]]:
    """Return the size that each volume needs, as columns of shape (volumes,) that `columns.VOLUME_COLUMNS` explains; NaN = its price is not known.

    The largest use of the window, or the level of daily peaks with their growth (Theil-Sen slope, as far as a Mann-Kendall test lets one believe it)
    until the review of storage, no further ahead than was seen, whichever is more, with FREE of it left free. Never smaller than it is; a size moves only
    where it is too small by more than the hysteresis. Raises ValueError where shapes do not match.
    """
    used = np.asarray(use.used_bytes, dtype=np.float64)
    if used.ndim != 2 or not use.size_bytes.shape == usd_per_gib_month.shape == used.shape[:1] or use.step_seconds <= 0:
        raise ValueError(
            f"Use of shape {used.shape} in steps of {use.step_seconds} s does not fit {use.size_bytes.shape} sizes or as many prices."
        )
    used = np.where((used >= 0) & (used < np.inf), used, np.nan) if used.shape[1] else np.full((len(used), 1), np.nan)
    known = ~np.isnan(used)
    hours = known.sum(axis=1) * use.step_seconds / 3600
    peak = np.fmax.reduce(used, axis=1, initial=np.nan)
    level, slope, whole = _growth(used, use)
    ahead = np.minimum(options.storage_review_days, whole)
    expected = np.fmax(peak, level + slope * ahead)
    need = rounded_up(expected / (1 - FREE), GIB)
    size = use.size_bytes
    code = np.select([hours == 0, hours < options.minimum_hours, np.isnan(size)], [0, 1, 2], default=-1)
    grows = (code < 0) & (need > size * (1 + options.raise_hysteresis))
    with np.errstate(invalid="ignore", divide="ignore"):
        full = np.where(slope > 0, np.maximum(size - np.fmax(level, _last(used)), 0) / slope, np.nan)
    age = np.where(known.any(axis=1), np.argmax(known[:, ::-1], axis=1), used.shape[1]) * use.step_seconds / DAY
    told: dict[str, NDArray[Any]] = {
        "volume_status": np.where(code >= 0, WITHHELD, np.where(grows, RECOMMENDED, UNCHANGED)).astype(np.int8), "volume_code": code.astype(np.int8),
        "volume_size_bytes": np.where(grows, need, size), "volume_now_bytes": size, "volume_peak_bytes": peak, "volume_expected_bytes": expected,
        "volume_need_bytes": need, "volume_growth_bytes_per_day": slope, "volume_review_days": ahead, "volume_days_until_full": full,
        "volume_savings_usd_per_month": np.where(grows, (size - need) / GIB * usd_per_gib_month, 0.0),
        "volume_hours": hours, "volume_confidence": (1 - np.exp2(-hours / 24 / VOLUME_DAYS)) * np.exp2(-age / RECENCY_DAYS),
    }  # fmt: skip
    return told | {"volume_reasons": _reasons(told, code, grows)}


def _growth(used: Floats, use: VolumeUse) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return the level of the last day's peak [bytes], growth as far as it is believed [bytes per day], and how many whole days were seen."""
    days = (use.start + use.step_seconds * np.arange(used.shape[1], dtype=np.int64)) // DAY
    starts = np.flatnonzero(np.diff(days, prepend=-1))
    peaks = np.fmax.reduceat(used, starts, axis=1)
    count = np.add.reduceat(~np.isnan(used), starts, axis=1, dtype=np.int64)
    whole = np.where(count >= FULL_DAY * DAY / use.step_seconds, peaks, np.nan)
    # A step between days without samples still is as long as the days between them.
    placed = np.full((len(used), int(days[-1] - days[0]) + 1), np.nan)
    placed[:, days[starts] - days[0]] = whole
    found = trend(placed[:, -TREND_DAYS:])
    return found.level, found.weight(STRICT_RAMP) * np.maximum(found.slope, 0), (~np.isnan(whole)).sum(axis=1)


def _last(used: Floats) -> Floats:
    """Return each row's last sample, NaN where it has none."""
    place = used.shape[1] - 1 - np.argmax(~np.isnan(used[:, ::-1]), axis=1)
    last: Floats = used[np.arange(len(used)), place]
    return last


def _reasons(told: dict[str, NDArray[Any]], code: NDArray[np.int64], grows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    known, growing = code < 0, told["volume_growth_bytes_per_day"] > 0
    with np.errstate(invalid="ignore"):
        smaller = told["volume_need_bytes"] < told["volume_now_bytes"]
    holds = {
        **{name: code == position for position, name in enumerate(VOLUME_CODES)}, "volume_used": known, "volume_growth": known & growing,
        "volume_full": known & growing & np.isfinite(told["volume_days_until_full"]), "volume_as_is": known & ~grows & ~smaller,
        "volume_never_smaller": known & smaller, "volume_price_unknown": grows & np.isnan(told["volume_savings_usd_per_month"]),
    }  # fmt: skip
    return np.stack([holds[reason.code] for reason in VOLUME_REASONS], axis=1)
