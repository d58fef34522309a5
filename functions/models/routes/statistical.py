"""Routes of statistical models."""

from __future__ import annotations

from functions.models.schemas.common import READS
from functions.models.schemas.statistical import (
    AverageModelIn,
    AverageModelOut,
    DecompositionModelIn,
    DecompositionModelOut,
    FitsOut,
    LinearModelIn,
    PolynomialModelIn,
    SmoothingModelIn,
    SmoothingModelOut,
)
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/models/statistical", tag="Statistical Models")


@router.post("/linear-regression", permission="models:read", errors=READS)
def fit_linear_regression(body: LinearModelIn, services: Injected, caller: CurrentCaller) -> FitsOut:
    """Fit a straight line by least squares: y on x, or each series over its time in days.

    With standard errors, tests, and predictions where they are asked for.
    """
    return FitsOut.model_validate(services.models.regression(caller.tenant, body.regression(), "linear"))


@router.post("/polynomial-regression", permission="models:read", errors=READS)
def fit_polynomial_regression(body: PolynomialModelIn, services: Injected, caller: CurrentCaller) -> FitsOut:
    """Fit a polynomial by least squares: y on x, or each series over its time in days.

    Fitted on Legendre polynomials, its degree given or chosen by AICc.
    """
    return FitsOut.model_validate(services.models.regression(caller.tenant, body.regression(), "polynomial"))


@router.post("/exponential-smoothing", permission="models:read", errors=READS)
def smooth_exponentially(body: SmoothingModelIn, services: Injected, caller: CurrentCaller) -> SmoothingModelOut:
    """Smooth series exponentially: simple, double (Holt) or triple (Holt-Winters).

    Parameters are fitted by least squares; forecasts come with bounds and a back-test.
    """
    return SmoothingModelOut.model_validate(services.models.smoothing(caller.tenant, body.question()))


@router.post("/moving-average", permission="models:read", errors=READS)
def average_series(body: AverageModelIn, services: Injected, caller: CurrentCaller) -> AverageModelOut:
    """Average series over a moving window: simple, weighted (the newest most) or exponential."""
    return AverageModelOut.model_validate(services.models.average(caller.tenant, body.question()))


@router.post("/seasonal-decomposition", permission="models:read", errors=READS)
def decompose_series(body: DecompositionModelIn, services: Injected, caller: CurrentCaller) -> DecompositionModelOut:
    """Decompose series into trend, season and rest, by STL or classically, at the period given or the strongest that is significant."""
    return DecompositionModelOut.model_validate(services.models.decomposition(caller.tenant, body.question()))
