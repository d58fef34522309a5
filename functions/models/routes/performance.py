"""Routes of performance models."""

from __future__ import annotations

from functions.models.schemas.common import READS
from functions.models.schemas.performance import (
    BottleneckIn,
    BottleneckOut,
    LatencyIn,
    LatencyOut,
    SaturationIn,
    SaturationOut,
    ThroughputIn,
    ThroughputOut,
)
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/models/performance", tag="Performance Models")


@router.post("/throughput-calculate", permission="models:read", errors=READS)
def calculate_throughput(body: ThroughputIn, services: Injected, caller: CurrentCaller) -> ThroughputOut:
    """Calculate throughput: of counters (falls are restarts), of counts per step, or of a closed system by Little's law."""
    return ThroughputOut.model_validate(services.models.throughput(caller.tenant, body.question()))


@router.post("/latency-analysis", permission="models:read")
def analyze_latency(body: LatencyIn, services: Injected) -> LatencyOut:
    """Analyze latencies: percentiles, an objective with its error budget, Apdex.

    Raw values give exact percentiles (Hyndman-Fan 7). Buckets of a cumulative histogram give them as Prometheus' `histogram_quantile` does, with the
    bucket's edges as bounds.
    """
    return LatencyOut.model_validate(services.models.latency(body.model_dump()))


@router.post("/saturation-point", permission="models:read")
def find_saturation_point(body: SaturationIn, services: Injected) -> SaturationOut:
    """Find where more load brings no more throughput: Gunther's Universal Scalability Law, fitted, and the curves' knees.

    `x` is the load, `y` the throughput at it. The law needs four different loads; a knee is told where a curve bends visibly.
    """
    return SaturationOut.model_validate(services.models.saturation(body.model_dump()))


@router.post("/bottleneck-detection", permission="models:read")
def detect_bottleneck(body: BottleneckIn, services: Injected) -> BottleneckOut:
    """Find the resource that saturates first, by the utilisation law, with M/M/c estimates of waits today and at higher throughput."""
    return BottleneckOut.model_validate(services.models.bottleneck(body.model_dump()))
