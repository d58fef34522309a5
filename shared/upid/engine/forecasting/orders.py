"""Which autoregressive moving average suits a series: differences, orders worth a fit, and where the fit begins."""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from upid.engine.forecasting.arma import MOST, partials

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
ORDERS: Final = np.array(list(product(range(MOST + 1), repeat=2)))  # p and q, simplest first
KPSS_BOUND: Final = 0.463  # of the test's 5 %
LONG: Final = 20  # values back that the first autoregression looks


def wanders(values: Floats) -> Flags:
    """Tell which rows, shape (rows, steps), have no level of their own, so that differences are to be taken: the KPSS test of a level at 5 % [1]_.

    With Bartlett weights up to 3 sqrt(n) / 13 steps. A row without spread has a level.

    References
    ----------
    .. [1] D. Kwiatkowski et al., "Testing the Null Hypothesis of Stationarity Against the Alternative of a Unit Root," J. Econom., vol. 54, 1992.
       doi:10.1016/0304-4076(92)90104-Y
    """
    steps = values.shape[1]
    away = values - values.mean(axis=1, keepdims=True)
    lags = int(3 * np.sqrt(steps) / 13)
    spread = (away**2).sum(axis=1)
    flat = spread <= 1e-24 * steps
    for lag in range(1, lags + 1):
        spread = spread + 2 * (1 - lag / (lags + 1)) * (away[:, lag:] * away[:, :-lag]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (away.cumsum(axis=1) ** 2).sum(axis=1) / steps / spread
    return np.asarray(~flat & (statistic > KPSS_BOUND), np.bool_)


def hannan_rissanen(values: Floats, constant: Flags) -> tuple[Floats, Floats]:
    """Return Akaike's criterion of every order in ORDERS, shape (orders, rows), and its partial autocorrelations, (orders, 6, rows), both approximate.

    A long autoregression by Yule and Walker gives errors; regressions on past values and past errors give all orders at once [1]_. Rows of `values`, shape
    (rows, steps), are about their mean where `constant`.

    References
    ----------
    .. [1] E. J. Hannan and J. Rissanen, "Recursive Estimation of Mixed Autoregressive-Moving Average Order," Biometrika, vol. 69, 1982.
       doi:10.1093/biomet/69.1.81
    """
    rows, steps = values.shape
    about = values - np.where(constant, values.mean(axis=1), 0.0)[:, None]
    errors = _long_errors(about)
    first = steps - errors.shape[1] + MOST
    lagged = [about[:, first - lag : steps - lag] for lag in range(MOST + 1)]
    late = [errors[:, MOST - lag : errors.shape[1] - lag] for lag in range(1, MOST + 1)]
    table = np.stack([*lagged, *late], axis=1)
    products = table @ table.transpose(0, 2, 1)
    ridge = 1e-10 * products[:, 0, 0] + 1e-30
    criteria, found = np.empty((len(ORDERS), rows)), np.zeros((len(ORDERS), 2 * MOST, rows))
    for place, (p, q) in enumerate(ORDERS):
        used = [*range(1, 1 + p), *range(1 + MOST, 1 + MOST + q)]
        aims = products[:, used, 0]
        system = products[:, used][:, :, used] + ridge[:, None, None] * np.eye(p + q)
        weights = np.linalg.solve(system, aims[..., None])[..., 0]
        squares = np.maximum(products[:, 0, 0] - (weights * aims).sum(axis=1), ridge)
        criteria[place] = table.shape[2] * np.log(squares) + 2 * (p + q)
        found[place, [each - 1 for each in used]] = weights.T
    starts = [np.concatenate([partials(each[:MOST]), partials(-each[MOST:])]) for each in found]
    return criteria, np.stack(starts)


def _long_errors(about: Floats) -> Floats:
    """Return the errors of a long autoregression, shape (rows, steps - its order)."""
    rows, steps = about.shape
    order = max(1, min(LONG, steps // 5))
    covariance = np.stack([(about[:, lag:] * about[:, : steps - lag]).sum(axis=1) for lag in range(order + 1)], axis=1)
    system = covariance[:, np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    system += (1e-9 * covariance[:, 0] + 1e-30)[:, None, None] * np.eye(order)
    weights = np.linalg.solve(system, covariance[:, 1:, None])
    windows = sliding_window_view(about[:, :-1], order, axis=1)[:, :, ::-1]
    return np.asarray(about[:, order:] - (windows @ weights).reshape(rows, -1), np.float64)
