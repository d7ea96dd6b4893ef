"""More than one would expect? What the panel says about listed and about non-essential exports.

Every number that is not determined is None, and its reason is kept beside it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf

import numpy as np
import pandas as pd

from tradeflows.counterfactual import (
    CHAPTERS,
    Cube,
    Expectation,
    Placebo,
    TripleDifference,
    corrected,
    cube,
    expected,
    growth_rank,
    placebo_destinations,
    placebo_products,
    triple_difference,
)
from tradeflows.evidence.electronics_volume import COMPLETE, Volume, volume
from tradeflows.evidence.panel import Panel, broken, goods, non_essential_codes
from tradeflows.measure.intervals import Interval
from tradeflows.periods import span
from tradeflows.plot import Shown
from tradeflows.words import Sentence, amount, percent

__all__ = ["Listed", "NonEssential", "family", "listed_exports", "non_essential", "panel_cube"]

_MUSD = 1e6
START = "2017-01"


@dataclass(frozen=True, eq=False)
class Listed:
    """Exports of the goods of tiers 1 and 2 to Russia, and whether they rose beyond expectation.

    Parameters
    ----------
    window : str
    value, codes, months : Interval or None
        Million USD, codes and months with exports; months not yet published leave the upper end
        open. None without a panel.
    expectation : Expectation or None
    placebo : Placebo or None
    reasons : dict of str to str
        Why a number is not determined.
    """

    window: str
    value: Interval | None = None
    codes: Interval | None = None
    months: Interval | None = None
    expectation: Expectation | None = None
    placebo: Placebo | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    generated: bool = False

    @property
    def numbers(self) -> dict[str, Interval | None]:
        """The numbers that rule a reads at the panel tier."""
        return {
            "value_musd": self.value,
            "codes": self.codes,
            "months": self.months,
            "p_destination": _point(self.placebo.p if self.placebo else np.nan),
            "excess_both": _excess(self.expectation),
        }

    def sentence(self) -> Sentence:
        """Say what was exported."""
        if self.value is None or self.codes is None or self.months is None:
            reason = next(iter(self.reasons.values()), "no panel")
            return Sentence(f"Listed goods to Russia: cannot be determined ({reason})")
        gap = " at least" if self.value.high == inf else ""
        return Sentence(
            f"Turkey's statistics hold{gap} {amount(self.value.low * _MUSD, 'USD')} of exports of"
            f" {self.codes.low:.0f} listed goods to Russia in {self.months.low:.0f} months of"
            f" {self.window}"
        )


@dataclass(frozen=True, eq=False)
class NonEssential:
    """Exports of non-essential goods to Russia: value, volume, and whether the rise is unusual.

    Parameters
    ----------
    base, current : str
    value : Interval or None
        Growth; the range is that of counting confidential rows or not.
    volume : Volume or None
    expectation, with_control : Expectation or None
        Without and with Turkey's exports of machinery elsewhere as a control.
    rank, products : Placebo or None
    difference : TripleDifference or None
    reasons : dict of str to str
        Why a number is not determined.
    """

    base: str
    current: str
    value: Interval | None = None
    volume: Volume | None = None
    expectation: Expectation | None = None
    with_control: Expectation | None = None
    rank: Placebo | None = None
    difference: TripleDifference | None = None
    products: Placebo | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    generated: bool = False

    @property
    def numbers(self) -> dict[str, Interval | None]:
        """The numbers that rule c reads at the panel tier."""
        return {
            "value_growth": self.value,
            "volume_growth": self.volume.growth if self.volume else None,
            "excess_both": _excess(self.expectation),
            "destination_rank": _point(self.rank.p if self.rank else np.nan),
            "ddd_effect": _point(self.difference.beta if self.difference else np.nan),
            "ddd_p": _point(self.products.p if self.products else np.nan),
        }

    def sentence(self) -> Sentence:
        """Say how much value and volume grew."""
        if self.value is None:
            reason = self.reasons.get("value_growth", "no panel")
            return Sentence(f"Non-essential exports to Russia: cannot be determined ({reason})")
        grown = percent(self.value.low, sign=True)
        rest = f". {self.volume.sentence()}" if self.volume else ""
        return Sentence(f"Non-essential exports to Russia: {grown} in value{rest}")


def listed_exports(panel: Panel, window: str, event: str) -> Listed:
    """Gather what rule a reads: exports of tiers 1 and 2 of the high-priority list.

    Parameters
    ----------
    panel : Panel
    window : str
        Months in which exports count.
    event : str
        First month that the models do not see.

    Returns
    -------
    Listed
    """
    if panel.reason:
        names = ("value_musd", "codes", "months", "p_destination", "excess_both")
        return Listed(window, reasons=dict.fromkeys(names, panel.reason))
    codes = goods("2023-05")
    rows = panel.to_russia(codes)
    inside = rows[rows["period"].isin(span(window)) & (rows["value_usd"] > 0)]
    gone = panel.unpublished(window)
    if len(gone) == len(span(window)):
        reason = "no month of the window is published"
        return Listed(
            window,
            reasons=dict.fromkeys(("value_musd", "codes", "months"), reason),
            generated=panel.generated,
        )
    value = float(inside["value_usd"].sum()) / _MUSD
    kinds, months = inside["code"].nunique(), inside["period"].nunique()
    series = panel.series(rows, "Listed goods (tiers 1 and 2) to Russia")
    found = expected(series, event=event, window=window, origins=panel.origins(rows))
    data = panel_cube(panel, event, window)
    placebo = placebo_destinations(data, listed=codes)
    late = {"value_musd": f"not published: {', '.join(gone)}"} if gone else {}
    reasons = late | _reasons(excess_both=found, p_destination=placebo)
    by_code = inside.groupby("code")["value_usd"].agg(["sum", "count"])
    return Listed(
        window,
        Interval(value, inf if gone else value),
        Interval(kinds, len(codes) if gone else kinds),
        Interval(months, months + len(gone)),
        found,
        placebo,
        reasons,
        panel.origins(rows),
        by_code.set_axis(["value_usd", "months"], axis=1).reset_index(),
        panel.generated,
    )


def non_essential(
    panel: Panel,
    base: str,
    current: str,
    event: str,
    *,
    complete: float = COMPLETE,
    least: float = 100 * _MUSD,
    draws: int = 999,
) -> NonEssential:
    """Gather what rule c reads: exports of all but food, fuel, medicine and medical goods.

    Other destinations are compared by what the panel holds of them: chapters 84, 85, 88 and 90
    without the medical goods.

    Parameters
    ----------
    panel : Panel
    base, current : str
        Windows of growth.
    event : str
        First month that the models do not see.
    complete : float
        As in `tradeflows.evidence.electronics_volume.volume`.
    least : float
        Exports in the base window from which a destination counts, USD.
    draws : int
        Placebo sets of goods.

    Returns
    -------
    NonEssential
    """
    if panel.reason:
        names = ("value_growth", "volume_growth", "excess_both", "destination_rank")
        reasons = dict.fromkeys((*names, "ddd_effect", "ddd_p"), panel.reason)
        return NonEssential(base, current, reasons=reasons)
    codes = non_essential_codes(panel.exports["code"].unique())
    rows = panel.to_russia(codes)
    series = panel.series(rows, "Non-essential exports to Russia")
    wide = panel.exports[panel.exports["code"].isin(codes)]
    wide = wide[wide["code"].str.startswith(CHAPTERS)]
    measured = volume(panel, "non-essential goods", codes, base, current, complete)
    value, reason = _growth(panel, rows, base, current)
    data = panel_cube(panel, event, current)
    control = data.elsewhere(data.codes, "RUS")
    origins = panel.origins(rows)
    steered_series = series.rename(f"{series.name}, with Turkey's machinery elsewhere as a control")
    plain = expected(series, event=event, window=current, origins=origins)
    steered = expected(
        steered_series, event=event, window=current, origins=origins, control=control
    )
    gone = panel.unpublished(base) + panel.unpublished(current)
    rank = growth_rank(wide, base=base, current=current, at_least=least) if not gone else None
    difference = triple_difference(data, listed=goods())
    products = placebo_products(data, listed=goods(), draws=draws)
    late = {"destination_rank": f"not published: {', '.join(gone)}"} if gone else {}
    reasons = late | ({"value_growth": reason} if reason else {})
    if measured.growth is None:
        reasons["volume_growth"] = measured.why()
    reasons |= _reasons(
        excess_both=plain, destination_rank=rank, ddd_effect=difference, ddd_p=products
    )
    return NonEssential(
        base, current, value, measured, plain, steered, rank, difference, products, reasons,
        origins, panel.generated,
    )  # fmt: skip


def panel_cube(panel: Panel, event: str, window: str, value: str = "value_usd") -> Cube:
    """Return the panel as an array; goods that cannot be compared over time are left out."""
    rows = panel.exports
    rows = rows[~rows["code"].isin(broken())]
    return cube(rows, event=event, window=window, start=START, value=value)


def family(
    a: Listed, c: NonEssential, correction: str, level: float, mute: Collection[str] = ()
) -> Shown:
    """Correct the p-values of the primary family for their number.

    Parameters
    ----------
    a : Listed
    c : NonEssential
    correction, level
        Of the rules file.
    mute : collection of str
        Tests that cry wolf too often to decide anything.
    """
    p = {
        "a2": max(_p(a.expectation), _p(a.placebo)),
        "c2": _p(c.expectation),
        "c3": _p(c.rank),
        "c4": _p(c.products),
    }
    table = corrected(p, correction=correction, level=level).reset_index()
    shown = pd.DataFrame(
        {
            "test": table["test"],
            "p": ["not determined" if np.isnan(x) else _small(x) for x in table["p"]],
            "corrected": [_small(x) for x in table["corrected"]],
            f"passes at {level:g}": [
                f"{'yes' if x else 'no'}{', but decides nothing' if name in mute else ''}"
                for name, x in zip(table["test"], table["passes"], strict=True)
            ],
        }
    )
    return Shown(shown, f"The primary family, corrected ({correction})")


def _small(p: float) -> str:
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def _p(found: Expectation | Placebo | None) -> float:
    return np.nan if found is None else float(found.p)


def _growth(
    panel: Panel, rows: pd.DataFrame, base: str, current: str
) -> tuple[Interval | None, str]:
    gone = panel.unpublished(base) + panel.unpublished(current)
    if gone:
        return None, f"not published: {', '.join(gone)}"
    found = []
    for part in (rows, rows[~rows["confidential"]]):
        before, after = (part.loc[part["period"].isin(span(w)), "value_usd"].sum()
                         for w in (base, current))  # fmt: skip
        if not before > 0:
            return None, f"no exports in {base}"
        found.append(float(after / before) - 1)
    return Interval(min(found), max(found)), ""


def _excess(found: Expectation | None) -> Interval | None:
    return _point(found.excess_both / _MUSD if found else np.nan)


def _point(x: float) -> Interval | None:
    return Interval(float(x), float(x)) if np.isfinite(x) else None


def _reasons(**found: Expectation | Placebo | TripleDifference | None) -> dict[str, str]:
    """Return the reasons of results that are not determined."""
    return {
        name: result.reason
        for name, result in found.items()
        if result is not None and result.reason and _open(result)
    }


def _open(result: Expectation | Placebo | TripleDifference) -> bool:
    return result.outcome == "undetermined" if isinstance(result, Expectation) else True
