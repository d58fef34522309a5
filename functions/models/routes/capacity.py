"""Routes of capacity models."""

from __future__ import annotations

from functions.models.schemas.capacity import (
    GrowthIn,
    GrowthOut,
    HeadroomIn,
    HeadroomOut,
    PlanningIn,
    PlanningOut,
    ThresholdsIn,
    ThresholdsOut,
)
from functions.models.schemas.common import READS
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/models/capacity", tag="Capacity Models")


@router.post("/planning", permission="models:read", errors=READS)
def plan_capacity(body: PlanningIn, services: Injected, caller: CurrentCaller) -> PlanningOut:
    """Tell when capacities are full, with bounds, and how many nodes that takes.

    A least-squares line, its bounds by Fieller's theorem with residuals that follow each other counted as fewer. `node` asks for nodes at the target
    utilisation with spare ones (N+1), now and at the horizon.
    """
    return PlanningOut.model_validate(services.models.planning(caller.tenant, body.question()))


@router.post("/growth-projection", permission="models:read", errors=READS)
def project_growth(body: GrowthIn, services: Injected, caller: CurrentCaller) -> GrowthOut:
    """Project growth: linear or exponential, by AICc where not told, with prediction bounds at each horizon."""
    return GrowthOut.model_validate(services.models.growth(caller.tenant, body.question()))


@router.post("/threshold-calculation", permission="models:read", errors=READS)
def calculate_thresholds(body: ThresholdsIn, services: Injected, caller: CurrentCaller) -> ThresholdsOut:
    """Calculate where to warn, from history, and tell how often that would have alarmed.

    With a capacity also the threshold that leaves `lead_days` until it is full at today's growth.
    """
    return ThresholdsOut.model_validate(services.models.thresholds(caller.tenant, body.question()))


@router.post("/headroom-analysis", permission="models:read", errors=READS)
def analyze_headroom(body: HeadroomIn, services: Injected, caller: CurrentCaller) -> HeadroomOut:
    """Tell what is free above use: at the mean, a percentile and the peak, below the target, and with the largest nodes gone."""
    return HeadroomOut.model_validate(services.models.headroom(caller.tenant, body.question()))
