"""What the yardstick tells of a trace, as plain values that JSON takes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from upid.engine.rightsizing.yardstick.front import curve_at, drawn_ratios, is_judged
from upid.engine.rightsizing.yardstick.outcome import Outcomes, often_hit, outcomes
from upid.engine.rightsizing.yardstick.requests import HONEST_KNOBS, Requests
from upid.engine.rightsizing.yardstick.trace import Floats, Trace

INTERVAL: Final = (0.025, 0.975)
MOST_RATIO: Final = {"cpu": 1.05, "memory": 1.03}
MOST_MEAN: Final = {"cpu": 0.95, "memory": 0.90}
HONEST_WITHIN: Final = 1.5


def report(trace: Trace, made: Requests) -> dict[str, Any]:
    """Return the published points, our curve, our violation over theirs at their slack, and how honest the knob is. Shares and ratios. [1].

    Raises
    ------
    ValueError
        If no container-day can be judged.
    """
    found = outcomes(trace.resource, made.values, made.after)
    count, (slack, violation) = len(made.rules), _whole(found)
    ours = curve_at(slack[count:], violation[count:], slack[:count])
    judged = is_judged(trace.resource, slack[:count], violation[:count], ours)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = ours / violation[:count]
    drawn, means = drawn_ratios(found, count, judged)
    figures = _figures(found)
    rules = [
        {"rule": name, **figures[i], "judged": bool(judged[i]), "ours_at_its_slack": _number(ours[i]), "ratio": _number(ratio[i]),
         "ratio_interval": _interval(drawn[:, i])} for i, name in enumerate(made.rules)
    ]  # fmt: skip
    mean = float(np.exp(np.log(ratio[judged]).mean())) if judged.any() else np.nan
    worst = float(ratio[judged].max(initial=-np.inf))
    return {
        "resource": trace.resource, "containers": len(trace.values), "days": len(made.after), "container_days": int(found.judged.sum()),
        "rules": rules, "curve": [{"allowed_time_above": knob, **figures[count + i]} for i, knob in enumerate(made.knobs)],
        "judged_rules": int(judged.sum()), "worst_ratio": _number(worst), "geometric_mean": _number(mean),
        "geometric_mean_interval": _interval(means),
        "holds": bool(judged.any() and worst <= MOST_RATIO[trace.resource] and mean <= MOST_MEAN[trace.resource]),
        "knob": _honesty(made, figures[count:]) if trace.resource == "cpu" else None,
    }  # fmt: skip


def _whole(found: Outcomes) -> tuple[Floats, Floats]:
    every = np.ones((1, len(found.use)))
    return found.fleet_slack(every)[0], found.violation(every)[0]


def _figures(found: Outcomes) -> list[dict[str, float | None]]:
    """Return each point's figures over all container-days."""
    slack, violation = _whole(found)
    samples, days = max(float(found.samples.sum()), 1.0), max(float(found.judged.sum()), 1.0)
    often = often_hit(found)
    return [
        {
            "fleet_slack": _number(slack[i]), "violation": _number(violation[i]), "median_slack": _median(found.slack[i]),
            "samples_above": _number(found.above[i].sum() / samples), "days_hit": _number(found.hit[i].sum() / days),
            "containers_hit_often": _number(often[i]),
        } for i in range(len(slack))
    ]  # fmt: skip


def _honesty(made: Requests, figures: list[dict[str, float | None]]) -> list[dict[str, Any]]:
    """Return the share of samples above our request beside the share that was allowed."""
    told = []
    for knob in HONEST_KNOBS:
        measured = figures[made.knobs.index(knob)]["samples_above"] or 0.0
        within = knob / HONEST_WITHIN <= measured <= knob * HONEST_WITHIN
        told.append({"allowed_time_above": knob, "measured": measured, "within_factor": bool(within)})
    return told


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return _number(float(np.median(known))) if known.size else None


def _interval(values: Floats) -> list[float] | None:
    known = values[np.isfinite(values)]
    return [round(float(v), 4) for v in np.quantile(known, INTERVAL)] if known.size else None
