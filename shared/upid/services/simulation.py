"""What other requests and limits would have done to a container, over its stored history, or over its profile where no history is left."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from upid.domain.errors import NotFoundError
from upid.domain.times import format_time
from upid.engine.rightsizing.outcomes import Outcome, Settings, outcome_of_profile, outcome_of_samples
from upid.engine.usage.samples import Samples
from upid.ports.usage_history import HistoryScope, UsageChunk, UsageHistory
from upid.services.profiles import Profiles
from upid.services.sizing import ContainerRow, Table, UsageWindow, align_profile, samples_of

HOURS_PER_MONTH: Final = 730.0
GIB: Final = 2.0**30
NAMES: Final = ("cpu_request_cores", "cpu_limit_cores", "memory_request_bytes", "memory_limit_bytes")


@dataclass(frozen=True, slots=True)
class Simulator:
    """Counts what values would have done."""

    history: UsageHistory
    profiles: Profiles

    def simulate(self, scope: HistoryScope, table: Table, row: int, values: Mapping[str, Mapping[str, float | None]]) -> dict[str, Any]:
        """Return, for each of the named `values`, what they would have done to a table's row over its window.

        Keys: source (`history` or `profile`), window, pods, samples, and each name of `values` with its outcome. NotFoundError where neither the
        history nor a profile knows the container any more.
        """
        container, window = table.rows[row], table.window
        samples = _samples(self.history.read(scope, start=window.start, end=window.end), container, window)
        if samples is None:
            told, outcomes = self._from_profile(scope, container, values)
        else:
            told, outcomes = _told(samples), {name: outcome_of_samples(samples, _settings(each)) for name, each in values.items()}
        prices = float(table.columns["cpu_usd_per_core_hour"][row]), float(table.columns["memory_usd_per_gib_hour"][row])
        costs = {name: _usd_per_month(each, prices, container.replicas) for name, each in values.items()}
        return told | {name: _shown(values[name], outcome, costs[name], costs["current"]) for name, outcome in outcomes.items()}

    def _from_profile(
        self, scope: HistoryScope, container: ContainerRow, values: Mapping[str, Mapping[str, float | None]]
    ) -> tuple[dict[str, Any], dict[str, Outcome]]:
        stored = self.profiles.load(scope.tenant, scope.cluster_id, scope.shard)
        if container.key not in stored.row_keys:
            raise NotFoundError(
                f"No usage of container {container.container} of {container.namespace}/{container.name} is stored any more."
            )
        profile = align_profile(stored.profile, stored.row_keys, [container])
        window = {"start": format_time(profile.folded_from), "end": format_time(profile.folded_until), "step_seconds": profile.step_seconds}
        told = {"source": "profile", "window": window, "pods": int(profile.pods[0]), "samples": int(profile.steps[0].sum())}
        return told, {name: outcome_of_profile(profile, 0, _settings(each)) for name, each in values.items()}


def _samples(chunks: Iterator[UsageChunk], container: ContainerRow, window: UsageWindow) -> Samples | None:
    """Return the container's samples within the window, None where there are none."""
    own = [chunk for chunk in (_only(chunk, container) for chunk in chunks) if chunk.keys]
    if not own:
        return None
    samples = samples_of(own, [container])
    first, last = ((edge - samples.start) // samples.step_seconds for edge in (window.start, window.end))
    within = slice(max(first, 0), max(last, 0))
    cut = {name: getattr(samples, name)[:, within] for name in ("cpu_cores", "memory_bytes", "throttled")}
    return replace(samples, start=samples.start + within.start * samples.step_seconds, **cut)


def _only(chunk: UsageChunk, container: ContainerRow) -> UsageChunk:
    index = [i for i, key in enumerate(chunk.keys) if (key.workload_uid, key.container) == container.key]
    arrays = ("cpu_cores", "memory_bytes", "throttled", "oom_kills", "restarts", "oom_limit_bytes")
    return replace(chunk, keys=[chunk.keys[i] for i in index], **{name: getattr(chunk, name)[index] for name in arrays})


def _told(samples: Samples) -> dict[str, Any]:
    window = {"start": format_time(samples.start), "end": format_time(samples.end), "step_seconds": samples.step_seconds}
    seen = ~np.isnan(samples.cpu_cores) | ~np.isnan(samples.memory_bytes)
    return {"source": "history", "window": window, "pods": int(seen.any(axis=1).sum()), "samples": int(seen.sum())}


def _settings(values: Mapping[str, float | None]) -> Settings:
    return Settings(**{name: math.nan if values[name] is None else float(values[name] or 0) for name in NAMES})


def _usd_per_month(values: Mapping[str, float | None], prices: tuple[float, float], replicas: int) -> float:
    """Return what requests cost; what is not set costs nothing."""
    hourly = (values["cpu_request_cores"] or 0) * prices[0] + (values["memory_request_bytes"] or 0) / GIB * prices[1]
    return hourly * HOURS_PER_MONTH * replicas


def _shown(values: Mapping[str, float | None], outcome: Outcome, cost: float, current_cost: float) -> dict[str, Any]:
    kills = {name: None if math.isnan(getattr(outcome, name)) else int(getattr(outcome, name)) for name in ("oom_kills", "pods_oom_killed")}
    shares = ("cpu_time_above_request", "throttled_time", "cpu_held_back", "memory_time_above_request", "memory_time_above_limit")
    told = {name: None if math.isnan(getattr(outcome, name)) else round(getattr(outcome, name), 6) for name in shares}
    money = {"usd_per_month": cost, "savings_usd_per_month": current_cost - cost}
    return {"values": dict(values), **told, **kills, **{name: None if math.isnan(usd) else round(usd, 6) for name, usd in money.items()}}
