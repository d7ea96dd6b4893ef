"""Multilateral indices over a full window: every period against every other, no chain to drift.

Geary-Khamis and the weighted time-product dummy are the solutions of linear systems in as many
unknowns as there are periods; the solution is taken directly instead of by iteration.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tradeflows.errors import SchemaMismatch

__all__ = ["SOLVED", "geks"]

Matrix = NDArray[np.float64]


def geks(price: Matrix) -> Matrix:
    """Return the geometric mean of all paths from the first period over one other (EKS).

    ln P(0, t) = mean over k of ln P(0, k) + ln P(k, t), from the bilateral indices of all pairs.
    """
    if np.isnan(price).any():
        raise _unmatched()
    logs = np.log(price)
    mean: Matrix = np.exp((logs[0][:, None] + logs).mean(axis=0))
    return mean


def _geary_khamis(value: Matrix, quantity: Matrix) -> Matrix:
    """Solve P_t = V_t / sum_i u_i q_it, u_i = sum_t (v_it / P_t) / sum_t q_it (Geary 1958).

    In x = 1 / P this is x_t = sum_s A_ts x_s with A_ts = sum_i q_it v_is / Q_i / V_t. Rows are
    periods, columns products, 0 where a good is absent.
    """
    total = _totals(value)
    system = (quantity / quantity.sum(axis=0)) @ value.T / total
    price: Matrix = 1 / _solved(np.eye(len(total)) - system, np.zeros(len(total)), 1.0)
    return price


def _wtpd(value: Matrix, quantity: Matrix) -> Matrix:
    """Regress ln p on periods and products, weighted by each period's shares (Rao 2005)."""
    share = value / _totals(value)
    traded = value > 0
    logs = np.where(traded, np.log(np.where(traded, value, 1) / np.where(traded, quantity, 1)), 0)
    weight = share / share.sum(axis=0)
    left = np.eye(len(share)) - share @ weight.T
    right = (share * (logs - (weight * logs).sum(axis=0))).sum(axis=1)
    price: Matrix = np.exp(_solved(left, right, 0.0))
    return price


def _totals(value: Matrix) -> Matrix:
    total: Matrix = value.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        raise _unmatched()
    return total


def _solved(left: Matrix, right: Matrix, first: float) -> Matrix:
    """Solve a singular system whose first unknown is given."""
    rest = left[1:, 1:]
    if len(rest) and np.linalg.matrix_rank(rest) < len(rest):
        raise _unmatched()
    solution = np.linalg.solve(rest, right[1:] - left[1:, 0] * first)
    return np.concatenate([[first], solution])


def _unmatched() -> SchemaMismatch:
    return SchemaMismatch(
        "periods that share no priced product, directly or through others",
        "products that link all periods of the window",
        "choose a shorter window, or a bilateral formula",
    )


SOLVED: dict[str, Callable[[Matrix, Matrix], Matrix]] = {
    "geary_khamis_multilateral": _geary_khamis,
    "wtpd": _wtpd,
}
