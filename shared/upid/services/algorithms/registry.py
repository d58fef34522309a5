"""What every algorithm takes, with units and bounds, and where it comes from. Light: API groups import it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from upid.domain.errors import InvalidRequestError

ParameterKind = Literal["integer", "number", "choice", "boolean"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `minimum` and `maximum` are allowed themselves; None = no bound."""

    name: str
    kind: ParameterKind
    unit: str
    default: Any
    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def fault(self, value: Any) -> str | None:
        """Return what is wrong with a value, None where it fits."""
        if self.kind == "choice":
            return None if value in self.choices else f"It is one of {', '.join(self.choices)}."
        if self.kind == "boolean":
            return None if isinstance(value, bool) else "It is true or false."
        kinds = int if self.kind == "integer" else int | float
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            return "It is an integer." if self.kind == "integer" else "It is a number."
        low, high = self.minimum, self.maximum
        inside = (low is None or value >= low) and (high is None or value <= high)
        return None if inside else f"It is from {low} to {high}."


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm of the engine. `cost`: for n values of a series."""

    id: str
    version: int
    title: str
    description: str
    source: str
    cost: str
    output: str
    parameters: tuple[Parameter, ...] = ()

    def completed(self, given: Mapping[str, Any], pointer: str = "#/parameters") -> dict[str, Any]:
        """Return all parameters in their order, defaults where nothing is given; InvalidRequestError for what does not fit."""
        known = {parameter.name: parameter for parameter in self.parameters}
        faults = [{"pointer": f"{pointer}/{name}", "detail": f"{self.id} has no such parameter."} for name in given if name not in known]
        faults += [
            {"pointer": f"{pointer}/{name}", "detail": fault}
            for name, parameter in known.items()
            if name in given and (fault := parameter.fault(given[name]))
        ]
        if faults:
            raise InvalidRequestError(faults)
        return {name: given.get(name, parameter.default) for name, parameter in known.items()}

    def body(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self) | {"parameters": [asdict(parameter) for parameter in self.parameters]}


def _window() -> Parameter:
    return Parameter("window", "integer", "steps", 5, "values in the average", 1, 10_000)


def _confidence() -> Parameter:
    return Parameter("confidence", "number", "1", 0.95, "of the bounds", 0.5, 0.999)


def _period() -> Parameter:
    return Parameter("period", "integer", "steps", 24, "length of a cycle", 1, 10_000)


def _knob() -> Parameter:
    return Parameter("allowed_time_above", "number", "1", 0.01, "share of the time that use may be above", 1e-6, 0.5)


FORECASTS: Final = (
    "auto", "naive", "mean", "seasonal_naive", "ses", "linear", "theta", "holt", "holt_damped", "holt_winters", "holt_winters_damped",
    "holt_winters_multiplicative", "holt_winters_multiplicative_damped", "arima", "combination",
)  # fmt: skip
DETECTORS: Final = ("standard_deviation", "z_score", "robust_z", "iqr", "percentile_band", "seasonal_residual")

_ALL: Final = (
    Algorithm(
        "right-sizing", 2, "Right-sizing rule", "The request and limit that a container with this use needs: the value that the smoothed, decayed "
        "histogram lies above for the allowed share of the time (CPU), or its peak with margins (memory), with growth and recurring peaks.",
        "VPA's decaying histograms, Autopilot (Rzadca et al., EuroSys 2020, doi:10.1145/3342195.3387524), Sen 1968; docs/algorithms.md.",
        "O(n)", "request, limit, confidence, hours; cores or bytes",
        (Parameter("resource", "choice", "", "cpu", "what the values are", choices=("cpu", "memory")), _knob()),
    ),
    Algorithm(
        "density-quantile", 2, "Quantile of a smoothed histogram", "The value that use lies above for a share of the time, each sample a log-normal kernel "
        "around its bucket of 3 %, so that the tail goes on beyond the largest sample.",
        "B. W. Silverman, Density Estimation, 1986; buckets as the Vertical Pod Autoscaler has them.", "O(n)", "quantile; unit of the values", (_knob(),),
    ),
    Algorithm(
        "exact-quantile", 1, "Quantile of samples", "Linear between order statistics.",
        "Hyndman and Fan 1996, type 7, doi:10.2307/2684934.", "O(n log n)", "quantile; unit of the values",
        (Parameter("probability", "number", "1", 0.95, "share of values at or below", 0.0, 1.0),),
    ),
    Algorithm(
        "describe", 1, "Description", "Count, mean, deviation, variation, quantiles, autocorrelation and effective samples.",
        "Welch's effective sample size for first-order autocorrelation.", "O(n log n)", "figures; unit of the values",
    ),
    Algorithm(
        "effective-samples", 1, "Effective samples", "What correlated values are worth as independent ones, by the variance of daily means.",
        "Geyer 1992, doi:10.1214/ss/1177011137.", "O(n)", "effective_samples, tau; 1",
    ),
    Algorithm("simple-moving-average", 1, "Simple moving average", "Mean of the newest values at each step.", "NIST/SEMATECH e-Handbook, 6.4.2.",
              "O(n window)", "values; unit of the values", (_window(),)),
    Algorithm("weighted-moving-average", 1, "Weighted moving average", "Mean of the newest values, the newest weighing most.",
              "NIST/SEMATECH e-Handbook, 6.4.2.", "O(n window)", "values; unit of the values", (_window(),)),
    Algorithm("exponential-moving-average", 1, "Exponential moving average", "Exponentially falling weights.", "Brown 1956; NIST/SEMATECH e-Handbook, 6.4.3.",
              "O(n)", "values; unit of the values", (Parameter("alpha", "number", "1", 0.3, "weight of the newest value", 1e-6, 1.0),)),
    Algorithm("least-squares-trend", 1, "Linear trend by least squares", "Slope with bounds, fit and p-values, also for correlated residuals.",
              "Draper and Smith, Applied Regression Analysis, 1998.", "O(n)", "slope per week, bounds; unit of the values", (_confidence(),)),
    Algorithm("theil-sen-trend", 1, "Robust trend", "Median slope over all pairs with Sen's bounds, and the Mann-Kendall test.",
              "Sen 1968, doi:10.2307/2285891; Mann 1945, doi:10.2307/1907187.", "O(n^2)", "slope per week, bounds, z; unit of the values", (_confidence(),)),
    Algorithm("level-shifts", 2, "Change points", "Where the mean shifts.",
              "Killick et al. 2012, doi:10.1080/01621459.2012.737745; Chakar et al. 2017, doi:10.3150/15-BEJ782.", "O(n) to O(n^2)",
              "shifts; unit of the values", (
                  Parameter("least", "integer", "steps", 3, "shortest segment", 1, 1000),
                  Parameter("penalty", "number", "1", 3.0, "times the noise's long-run variance for each change", 0.1, 1000.0),
              )),
    Algorithm("seasonality", 2, "Periods", "Periods by autocorrelation and periodogram, tested.", "Vlachos et al. 2005; Bartlett 1946.", "O(n log n)",
              "seasons; steps", (Parameter("significance", "number", "1", 0.01, "of the test", 1e-6, 0.5),)),
    Algorithm("stl-decomposition", 1, "Seasonal decomposition", "Trend, season and remainder by loess.", "Cleveland et al. 1990.", "O(n)",
              "trend, season, remainder; unit of the values", (_period(), Parameter("robust", "boolean", "", False, "outliers weigh less"))),
    Algorithm("classical-decomposition", 1, "Classical decomposition", "Trend by a centred moving average over a cycle, season by the mean of each phase.",
              "Kendall and Stuart, The Advanced Theory of Statistics, 1983, chapter 46.", "O(n)", "trend, season, remainder; unit of the values", (
                  _period(), Parameter("multiplicative", "boolean", "", False, "parts multiply instead of adding up; values above 0"),
              )),
    Algorithm("polynomial-trend", 1, "Polynomial over time", "Least squares on Legendre polynomials; the degree by AICc where none is given.",
              "Draper and Smith 1998; Hurvich and Tsai 1989, doi:10.1093/biomet/76.2.297.", "O(n degree^2)", "degree, fitted; unit of the values", (
                  Parameter("degree", "integer", "1", 0, "of the polynomial, 0 = chosen by AICc, up to 5", 0, 10), _confidence(),
              )),
    Algorithm("growth-projection", 1, "Growth", "A least-squares line over the values, or over their logarithms, with bounds of single values ahead.",
              "Draper and Smith, Applied Regression Analysis, 1998.", "O(n)", "rate per day, level, projected with bounds; unit of the values", (
                  Parameter("model", "choice", "", "linear", "how it grows", choices=("linear", "exponential")),
                  Parameter("days_ahead", "number", "d", 30.0, "how far ahead", 0.0, 3650.0), _confidence(),
              )),
    Algorithm("peaks", 1, "Peaks", "Runs of values above the level that a share of them passes, with height and width.",
              "Palshikar 2009, Simple Algorithms for Peak Detection in Time-Series.", "O(n log n)", "level, peaks; unit of the values", (
                  Parameter("share", "number", "1", 0.05, "of values above the level", 1e-6, 0.5),
                  Parameter("least_width", "integer", "steps", 1, "shortest peak", 1, 10_000), Parameter("join", "integer", "steps", 1, "gap within a peak", 1, 10_000),
              )),
    Algorithm("alarm-threshold", 1, "Threshold", "Where to warn, by what was seen.", "Tukey 1977; Iglewicz and Hoaglin 1993.", "O(n log n)",
              "threshold; unit of the values", (
                  Parameter("method", "choice", "", "robust", "how", choices=("percentile", "deviation", "robust", "iqr")),
                  Parameter("sensitivity", "number", "1", 3.0, "spreads above the middle; of `percentile` the share below, under 1", 1e-6, 1000.0),
              )),
    Algorithm("variance-by-hour", 1, "Variance by hour of day", "Spread of each hour, UTC, and the one-way analysis of variance over hours.",
              "Fisher 1925, Statistical Methods for Research Workers.", "O(n log n)", "hours with mean, deviation and variation; F, p-value, explained share; 1"),
    Algorithm("forecast", 3, "Forecast", "Point forecasts with intervals of 80 and 95 %; `auto` picks by rolling-origin back-test.",
              "Hyndman and Athanasopoulos, Forecasting, 2021; Hyndman and Khandakar 2008, doi:10.18637/jss.v027.i03.", "O(n)", "mean and bounds; unit of the values", (
                  Parameter("method", "choice", "", "auto", "how", choices=FORECASTS),
                  Parameter("horizon", "integer", "steps", 24, "steps ahead", 1, 1000), _period(),
              )),
    Algorithm("anomaly-detection", 2, "Anomalies", "Distance of each value from what was expected, in units of the spread; one event is one alarm.",
              "Iglewicz and Hoaglin 1993; Tukey 1977.", "O(n log n)", "scores and alarms; 1", (
                  Parameter("detector", "choice", "", "robust_z", "what is expected", choices=DETECTORS),
                  Parameter("threshold", "number", "1", 3.0, "score of an anomaly", 0.1, 1000.0),
                  Parameter("window", "integer", "steps", 0, "values seen, 0 = all", 0, 10_000), Parameter("causal", "boolean", "", True, "from earlier values alone"),
                  Parameter("cool_down", "integer", "steps", 3, "quiet steps that end an alarm", 1, 10_000), _period(),
              )),
)  # fmt: skip
ALGORITHMS: Final = MappingProxyType({algorithm.id: algorithm for algorithm in _ALL})
