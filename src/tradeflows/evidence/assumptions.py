"""What the range of the energy price hangs on: each bound left out in turn."""

from __future__ import annotations

import pandas as pd

from tradeflows.evidence.energy import EnergyPrices
from tradeflows.figures import amount, percent
from tradeflows.figures.words import Shown
from tradeflows.words import Sentence, between, joined

__all__ = ["left_out", "without"]


def left_out(found: EnergyPrices) -> Shown:
    """Show the range with one bound left out, or two.

    Parameters
    ----------
    found : EnergyPrices
        Between two years of which the first has only bounds.

    Returns
    -------
    Shown
    """
    rows = []
    for names, stage in found.block.relaxed.items():
        value, cost, share = stage.value(0), found.hs27_ratio(stage), found.share(stage)
        rows.append(
            (
                joined(names),
                between(value.low, value.high, _usd),
                "–" if share is None else between(share.low, share.high, percent),
                f"× {cost.low:.1f} to {cost.high:.1f}",
            )
        )
    columns = [
        "left out",
        f"hidden block {found.base}",
        "price of energy, of the change in turnover",
        f"HS 27, {found.current} over {found.base}",
    ]
    return Shown(pd.DataFrame(rows, columns=columns), "The range with a bound left out")


def without(found: EnergyPrices) -> Sentence:
    """Say what hangs on the bound on non-energy imports, and what earlier years say of it.

    Parameters
    ----------
    found : EnergyPrices
        As in `left_out`.

    Returns
    -------
    Sentence

    Examples
    --------
    >>> from tradeflows.claims.rules import rules
    >>> from tradeflows.evidence.energy import energy_prices
    >>> found = energy_prices(rules().content["claims"]["b2"])
    >>> without(found).startswith("Bound 1 is an assumption")
    True
    """
    one, both = (found.share(found.block.relaxed[k]) for k in (("1",), ("1", "3")))
    if one is None or both is None:
        return Sentence("Turnover changed too little for a share.")
    mainly = found.thresholds["mainly"]
    hangs = one.low >= mainly > both.low
    earlier = joined(f"{_usd(most)} in {year}" for year, most in found.block.earlier.items())
    return Sentence(
        "Bound 1 is an assumption: it carries the level of later years back to"
        f" {found.base}. Without it the price of energy accounts for"
        f" {between(one.low, one.high, percent)} of the change in turnover; without it and the"
        f" printed month, {between(both.low, both.high, percent)}."
        + f' "Mainly", a share of {percent(mainly)}, would then hang on that month.'
        * hangs
        + " The years before do not speak for it: by the floors of bound 2, imports other than"
        f" energy were at most {earlier}, and bound 1 asks for {_usd(found.block.asked)} in"
        f" {found.base}."
    )


def _usd(x: float) -> str:
    return amount(x, "USD")
