"""p-values that were asked together, corrected for their number."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from statsmodels.stats.multitest import multipletests

from tradeflows.errors import UnknownCode

__all__ = ["CORRECTIONS", "corrected"]

CORRECTIONS = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}


def corrected(
    p: Mapping[str, float], *, correction: str = "holm", level: float = 0.05
) -> pd.DataFrame:
    """Correct p-values for their number.

    Parameters
    ----------
    p : mapping of str to float
        By test; NaN (undetermined) counts as 1, so that a missing test never helps the others.
    correction : str
        ``holm`` for a family declared beforehand, ``benjamini-hochberg`` for a scan.
    level : float

    Returns
    -------
    pandas.DataFrame
        By test: p, corrected p, whether it passes.

    Examples
    --------
    >>> corrected({"a2": 0.01, "c2": 0.02, "c3": 0.5}, level=0.05)["corrected"].tolist()
    [0.03, 0.04, 0.5]
    """
    if correction not in CORRECTIONS:
        raise UnknownCode(f"correction {correction!r}", ", ".join(CORRECTIONS), "name one of them")
    values = pd.Series(dict(p), dtype="float64")
    if values.empty:
        return pd.DataFrame({"p": values, "corrected": values, "passes": values.astype(bool)})
    passes, adjusted, *_ = multipletests(
        values.fillna(1.0).to_numpy(), alpha=level, method=CORRECTIONS[correction]
    )
    return pd.DataFrame({"p": values, "corrected": adjusted, "passes": passes}).rename_axis("test")
