"""Poisson pseudo-maximum likelihood with many fixed effects, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.counterfactual.cube import Floats
from tradeflows.errors import SchemaMismatch

__all__ = ["Ppml", "ppml"]

Codes = list[npt.NDArray[np.int64]]
Effect = str | Sequence[str]

TOLERANCE = 1e-11
ROUNDS = 20_000
STEPS = 100
APART = "no finite estimate: a regressor sets rows without trade apart"
LOST = "the fit did not converge"


@dataclass(frozen=True)
class Ppml:
    """Coefficients of a Poisson pseudo-maximum likelihood fit.

    Parameters
    ----------
    table : pandas.DataFrame
        By regressor: coefficient, standard error, effect (exp − 1).
    rows : int
        Rows that were fitted.
    dropped : dict
        Rows left out before fitting, by reason.
    deviance : float
        Poisson deviance.
    iterations : int
        Rounds of iteratively reweighted least squares.
    reason : str
        Why the coefficients are not determined, else empty.
    cluster : str
        What the standard errors are clustered by; empty for the information matrix. They are shown
        and never decide: with one treated destination they reject a true null far too often.
    """

    table: pd.DataFrame
    rows: int
    dropped: dict[str, int]
    deviance: float
    iterations: int
    reason: str
    cluster: str

    def sentence(self) -> str:
        """Say the coefficients, or why there are none.

        Examples
        --------
        >>> panel = pd.DataFrame({"d": list("aabb"), "t": [0, 1, 0, 1], "y": [1, 2, 3, 0],
        ...     "x": [0, 0, 0, 1]})
        >>> ppml(panel, "y", effects=["d", "t"], regressors=["x"]).sentence()
        'not determined: no finite estimate: a regressor sets rows without trade apart'
        """
        if self.reason:
            return f"not determined: {self.reason}"
        each = [f"{k} {r.coefficient:.3f} ({r.effect:+.0%})" for k, r in self.table.iterrows()]
        return f"{', '.join(each)} on {self.rows:,} rows"


def ppml(
    panel: pd.DataFrame,
    y: str,
    *,
    effects: Sequence[Effect],
    regressors: Sequence[str],
    cluster: Effect | None = None,
) -> Ppml:
    """Fit E[y] = exp(effects + regressors · β) by Poisson pseudo-maximum likelihood [1]_.

    Before the fit, rows of groups that hold one row only or no trade at all are left out: their
    effect would go to minus infinity [2]_. A regressor whose own estimate would is refused.

    Parameters
    ----------
    panel : pandas.DataFrame
        One row per observation; rows where ``y`` is missing are left out, not taken as zero.
    y : str
        Column, values ≥ 0.
    effects : sequence of str or of sequences of str
        Fixed effects: a column, or columns whose combinations are the groups.
    regressors : sequence of str
        Columns.
    cluster : str or sequence of str, optional
        Groups for standard errors, with the small-sample factor G/(G−1) · (n−1)/(n−K), K without
        effects nested in the cluster [3]_.

    Returns
    -------
    Ppml

    References
    ----------
    .. [1] Santos Silva and Tenreyro (2006), Review of Economics and Statistics 88(4).
    .. [2] Correia, Guimarães and Zylkin (2020), Stata Journal 20(1).
    .. [3] Bergé (2018), the R package fixest.

    Examples
    --------
    >>> panel = pd.DataFrame({"d": list("aabb"), "t": [0, 1, 0, 1], "y": [4, 6, 2, 12],
    ...     "x": [0, 0, 0, 1]})
    >>> fit = ppml(panel, "y", effects=["d", "t"], regressors=["x"])
    >>> float(np.exp(fit.table.loc["x", "coefficient"]).round(6))  # (12/2) / (6/4)
    4.0
    """
    _check(panel, [y, *regressors, *(c for e in [*effects, cluster or ()] for c in _columns(e))])
    outcome = panel[y].to_numpy("float64")
    if (outcome < 0).any():
        raise SchemaMismatch(f"column {y!r} holds negative values", "values ≥ 0", "net them out")
    codes = [_codes(panel, e) for e in effects]
    keep, dropped = _usable(outcome, codes)
    label = " × ".join(_columns(cluster)) if cluster else ""
    outcome, codes = outcome[keep], [_recode(c[keep]) for c in codes]
    x = panel[list(regressors)].to_numpy("float64")[keep]
    reason = _unidentified(outcome, x, codes, regressors)
    fit = reason or _fit(outcome, x, codes)
    if isinstance(fit, str):
        reason = fit
        blank = pd.DataFrame(np.nan, list(regressors), ["coefficient", "se", "effect"])
        return Ppml(blank, len(outcome), dropped, np.nan, 0, reason, label)
    beta, within, mu, rounds = fit
    groups = _recode(_codes(panel, cluster)[keep]) if cluster else None
    table = pd.DataFrame(
        {
            "coefficient": beta,
            "se": np.sqrt(np.diag(_covariance(outcome, mu, within, codes, groups))),
            "effect": np.expm1(beta),
        },
        pd.Index(list(regressors), name="regressor"),
    )
    return Ppml(table, len(outcome), dropped, _deviance(outcome, mu), rounds, "", label)


def _columns(effect: Effect) -> list[str]:
    return [effect] if isinstance(effect, str) else list(effect)


def _check(panel: pd.DataFrame, columns: list[str]) -> None:
    missing = sorted({c for c in columns if c not in panel.columns})
    if missing:
        raise SchemaMismatch(
            f"panel without columns {missing}",
            "the outcome, the regressors and the columns of the effects",
            "add them or name others",
        )


def _codes(panel: pd.DataFrame, effect: Effect) -> npt.NDArray[np.int64]:
    columns = _columns(effect)
    groups = panel.groupby(columns, sort=False, dropna=False).ngroup()
    return np.asarray(groups, dtype=np.int64)


def _recode(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _usable(y: Floats, codes: Codes) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Leave out missing rows, then groups without trade or with one row, until none is left."""
    keep = ~np.isnan(y)
    dropped = {"not published": int((~keep).sum()), "no trade in group": 0, "single row": 0}
    filled = np.where(keep, y, 0.0)
    while True:
        before = int(keep.sum())
        for code in codes:
            for reason, weight in (("no trade in group", filled), ("single row", None)):
                size = np.bincount(
                    code[keep], None if weight is None else weight[keep], code.max() + 1
                )
                out = keep & (size[code] <= (0 if weight is not None else 1))
                dropped[reason] += int(out.sum())
                keep &= ~out
        if int(keep.sum()) == before:
            return keep, dropped


def _within(values: Floats, weight: Floats, codes: Codes) -> Floats:
    """Take weighted group means off the columns, effect after effect, until nothing changes.

    NaN where the rounds run out.
    """
    totals = [np.bincount(c, weight) for c in codes]
    scale = np.abs(values).max(axis=0) + 1e-300
    for _ in range(ROUNDS):
        moved = 0.0
        for code, total in zip(codes, totals, strict=True):
            for j in range(values.shape[1]):
                mean = np.bincount(code, weight * values[:, j]) / total
                values[:, j] -= mean[code]
                moved = max(moved, float(np.abs(mean).max() / scale[j]))
        if moved < TOLERANCE or len(codes) < 2:
            return values
    return np.full_like(values, np.nan)


def _unidentified(y: Floats, x: Floats, codes: Codes, names: Sequence[str]) -> str:
    if not len(y):
        return "no row is left after dropping groups without trade"
    left, flat = _variation(x, codes)
    if not np.isfinite(left).all():
        return LOST
    if flat.any():
        which = ", ".join(n for n, f in zip(names, flat, strict=True) if f)
        return f"{which} does not vary within the effects"
    if np.linalg.matrix_rank(left) < x.shape[1]:
        return f"{', '.join(names)} are linear combinations of each other within the effects"
    return ""


def _variation(x: Floats, codes: Codes) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return what the effects leave of the regressors, and which of them they leave flat."""
    left = _within(x.copy(), np.ones(len(x)), codes)
    return left, np.linalg.norm(left, axis=0) < 1e-7 * (1 + np.linalg.norm(x, axis=0))


def _apart(y: Floats, mu: Floats, x: Floats, codes: Codes) -> bool:
    keep = (y > 0) | (mu > 1e-10 * y.mean())
    if keep.all():
        return False
    left, flat = _variation(x[keep], [_recode(c[keep]) for c in codes])
    return bool(flat.any()) or bool(np.linalg.matrix_rank(left) < x.shape[1])


def _fit(y: Floats, x: Floats, codes: Codes) -> tuple[Floats, Floats, Floats, int] | str:
    """Iterate weighted least squares, projecting from the last round's residuals.

    Where only rows without trade, fitted ever closer to zero, tell a regressor from the effects,
    there is no finite estimate; where the rounds run out there is none either. The reason is
    returned.
    """
    mu = (y + y.mean()) / 2
    eta = np.log(mu)
    last, deviance = np.zeros_like(y), np.inf
    moved = np.column_stack([np.zeros_like(y), x])
    beta = np.full(x.shape[1], np.inf)
    for rounds in range(1, STEPS + 1):
        z = eta + (y - mu) / mu
        moved[:, 0] += z - last
        last = z
        moved = _within(moved, mu, codes)
        if not np.isfinite(moved).all():
            return LOST
        weighted = moved[:, 1:] * mu[:, None]
        before = beta
        try:
            beta = np.linalg.solve(weighted.T @ moved[:, 1:], weighted.T @ moved[:, 0])
        except np.linalg.LinAlgError:
            return APART
        eta = np.clip(z - (moved[:, 0] - moved[:, 1:] @ beta), -200, 200)
        mu = np.exp(eta)
        old, deviance = deviance, _deviance(y, mu)
        settled = abs(old - deviance) < 1e-13 * (0.1 + abs(deviance))
        if settled and _apart(y, mu, x, codes):
            return APART
        if settled and np.abs(beta - before).max() < 1e-8 * (1 + np.abs(beta).max()):
            return beta, _within(moved, mu, codes)[:, 1:], mu, rounds
    return LOST


def _deviance(y: Floats, mu: Floats) -> float:
    positive = y > 0
    logs = y[positive] * np.log(y[positive] / mu[positive])
    return float(2 * (logs.sum() - (y - mu).sum()))


def _covariance(
    y: Floats, mu: Floats, x: Floats, codes: Codes, groups: npt.NDArray[np.int64] | None
) -> Floats:
    bread = np.linalg.inv((x * mu[:, None]).T @ x)
    counted = [c for c in codes if groups is None or not _nested(c, groups)]
    k = x.shape[1] + sum(int(c.max()) for c in counted) + 1
    small = (len(y) - 1) / (len(y) - k) if len(y) > k else np.nan
    if groups is None:
        return np.asarray(bread * small)
    scores = x * (y - mu)[:, None]
    sums = np.column_stack([np.bincount(groups, scores[:, j]) for j in range(x.shape[1])])
    many = len(sums)
    return np.asarray(bread @ (sums.T @ sums) @ bread * small * many / (many - 1))


def _nested(code: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> bool:
    """Tell whether each group of the effect lies in one cluster."""
    pairs = np.unique(np.column_stack([code, groups]), axis=0)
    return len(pairs) == int(code.max()) + 1
