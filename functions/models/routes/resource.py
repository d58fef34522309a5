"""Routes of resource models."""

from __future__ import annotations

from functions.models.schemas.common import READS
from functions.models.schemas.resource import (
    EfficiencyIn,
    EfficiencyOut,
    PeaksIn,
    PeaksOut,
    RightSizingIn,
    RightSizingOut,
    UtilizationIn,
    UtilizationOut,
    WasteIn,
    WasteOut,
)
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/models/resource", tag="Resource Models")


@router.post("/utilization-calculate", permission="models:read", errors=READS)
def calculate_utilization(body: UtilizationIn, services: Injected, caller: CurrentCaller) -> UtilizationOut:
    """Calculate how much of each capacity is used: mean, quantiles and peak, time above the target, and a verdict."""
    return UtilizationOut.model_validate(services.models.utilization(caller.tenant, body.question()))


@router.post("/efficiency-score", permission="models:read", errors=READS)
def score_efficiency(body: EfficiencyIn, services: Injected, caller: CurrentCaller) -> EfficiencyOut:
    """Score how well what is paid for is used, 0 to 100: the utilisation of each resource, weighing what it costs."""
    return EfficiencyOut.model_validate(services.models.efficiency(caller.tenant, body.reservations()))


@router.post("/waste-detection", permission="models:read", errors=READS)
def detect_waste(body: WasteIn, services: Injected, caller: CurrentCaller) -> WasteOut:
    """Detect what is reserved and not used, what of it could be given back, and what that costs. The dearest come first."""
    asked = {"percentile": body.percentile, "margin": body.margin, "least_share": body.least_share}
    return WasteOut.model_validate(services.models.waste(caller.tenant, body.reservations(), asked))


@router.post("/right-sizing", permission="models:read", errors=READS)
def right_size(body: RightSizingIn, services: Injected, caller: CurrentCaller) -> RightSizingOut:
    """Size containers from their use, by the rule that analyses use: requests, limits, reasons, confidence, back-test and savings.

    Use comes with the request, or is what is stored of a cluster. Nothing is kept.
    """
    return RightSizingOut.model_validate(services.models.right_sizing(caller.tenant, body.question()))


@router.post("/peak-detection", permission="models:read", errors=READS)
def detect_peaks(body: PeaksIn, services: Injected, caller: CurrentCaller) -> PeaksOut:
    """Detect peaks with their time, width and height above the median."""
    return PeaksOut.model_validate(services.models.peaks(caller.tenant, body.question()))
