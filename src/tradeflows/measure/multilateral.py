"""Multilateral indices over a full window: every period against every other, no chain to drift.

GEKS: ln P(0, t) = mean over k of ln P(0, k) + ln P(k, t), from the bilateral indices of all pairs.
Geary-Khamis and the weighted time-product dummy are the solutions of linear systems in as many
unknowns as there are periods; the solution is taken directly instead of by iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tradeflows.errors import SchemaMismatch

__all__ = ["MULTILATERAL"]

Matrix = NDArray[np.float64]


class Question(Protocol):
    """What `tradeflows.measure.index` asks of a table."""

    @property
    def months(self) -> list[int]:
        """Periods of the window."""

    def links(self, formula: str, pairs: str, first: Any = None) -> pd.DataFrame:
        """Return price and volume of pairs of periods."""

    def cells(self) -> pd.DataFrame:
        """Return value and quantity of every product and period."""


def _geks(ask: Question, formula: str) -> pd.DataFrame:
    """Return the geometric mean of all paths from the first period over one other (EKS)."""
    pairs = ask.links(formula, "all")
    price = pairs.set_index(["m0", "m"])["price"].unstack("m")  # noqa: PD010
    price = price.reindex(index=ask.months, columns=ask.months)
    if price.isna().to_numpy().any():
        raise _unmatched()
    logs = np.log(price.to_numpy(float))
    total = pairs.loc[pairs["m0"] == pairs["m"], "matched"].to_numpy(float)
    return _finished(ask, np.exp((logs[0][:, None] + logs).mean(axis=0)), total)


def _matrices(ask: Question) -> tuple[Matrix, Matrix]:
    """Return value and quantity by period and product, 0 where a good is absent."""
    cells = ask.cells()
    names = [n for n in cells.columns if n not in ("m", "v", "q")]
    product = cells.groupby(names, sort=True).ngroup().to_numpy()
    row = np.searchsorted(ask.months, cells["m"].to_numpy())
    shape = (len(ask.months), int(product.max()) + 1 if len(product) else 0)
    value, quantity = np.zeros(shape), np.zeros(shape)
    value[row, product] = cells["v"].to_numpy(float)
    quantity[row, product] = cells["q"].to_numpy(float)
    if not (value.sum(axis=1) > 0).all():
        raise _unmatched()
    return value, quantity


def _geary_khamis(ask: Question) -> pd.DataFrame:
    """Solve P_t = V_t / sum_i u_i q_it, u_i = sum_t (v_it / P_t) / sum_t q_it (Geary 1958)."""
    value, quantity = _matrices(ask)
    total = value.sum(axis=1)
    system = (quantity / quantity.sum(axis=0)) @ value.T / total[:, None]
    price = 1 / _solved(np.eye(len(total)) - system, np.zeros(len(total)), 1.0)
    return _finished(ask, price, total)


def _wtpd(ask: Question) -> pd.DataFrame:
    """Regress ln p on periods and products, weighted by each period's shares (Rao 2005)."""
    value, quantity = _matrices(ask)
    share = value / value.sum(axis=1, keepdims=True)
    traded = value > 0
    logs = np.where(traded, np.log(np.where(traded, value, 1) / np.where(traded, quantity, 1)), 0)
    weight = share / share.sum(axis=0)
    left = np.eye(len(share)) - share @ weight.T
    right = (share * (logs - (weight * logs).sum(axis=0))).sum(axis=1)
    return _finished(ask, np.exp(_solved(left, right, 0.0)), value.sum(axis=1))


def _solved(left: Matrix, right: Matrix, first: float) -> Matrix:
    """Solve a singular system whose first unknown is given."""
    rest = left[1:, 1:]
    if len(rest) and np.linalg.matrix_rank(rest) < len(rest):
        raise _unmatched()
    solution = np.linalg.solve(rest, right[1:] - left[1:, 0] * first)
    return np.concatenate([[first], solution])


def _finished(ask: Question, price: Matrix, total: Matrix) -> pd.DataFrame:
    value = total / total[0]
    columns = {"price": price, "volume": value / price, "value": value, "matched": total}
    return pd.DataFrame({"m": ask.months, **columns})


def _unmatched() -> SchemaMismatch:
    return SchemaMismatch(
        "periods that share no priced product, directly or through others",
        "products that link all periods of the window",
        "choose a shorter window, or a bilateral formula",
    )


MULTILATERAL: dict[str, Callable[[Any], pd.DataFrame]] = {
    "geks_fisher": partial(_geks, formula="fisher"),
    "geks_tornqvist": partial(_geks, formula="tornqvist"),
    "geks_walsh": partial(_geks, formula="walsh"),
    "geary_khamis_multilateral": _geary_khamis,
    "wtpd": _wtpd,
}
