"""Which stored rows answer a question about a pair, a code and months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from tradeflows import tables
from tradeflows.codes.countries import comtrade
from tradeflows.codes.groups import harmonised
from tradeflows.load import rows as stored_rows
from tradeflows.measure.window import Window
from tradeflows.quality.concordance import SYSTEM, harmonise
from tradeflows.sources.comtrade import holding
from tradeflows.sources.comtrade.question import Box, remaining

__all__ = ["Question", "filled", "held", "is_hs", "months_of", "periods", "rows_of", "statistics"]

_HS = ("HS2012", "HS2017", "HS2022")


@dataclass(frozen=True)
class Question:
    """What was asked, spelled out."""

    reporter: str
    partner: str
    flow: str
    base: Window
    current: Window

    def months(self) -> list[pd.Timestamp]:
        """Return the first day of every month of both windows."""
        return months_of(self.base) + months_of(self.current)

    def paths(self, freq: str) -> tuple[str, ...]:
        """Return the paths that the windows allow."""
        even = len(self.base) == len(self.current) and freq == "M"
        return ("monthly", "two-point") if even else ("two-point",)

    def command(self, codes: Sequence[str]) -> str:
        """Return the command that brings codes."""
        asked = ",".join(dict.fromkeys(c for code in codes for c in tokens(code)))
        first, last = min(self.months()), max(self.months())
        return (
            f"`tradeflows refresh --reporter {self.reporter} --partner {self.partner} "
            f"--flows {self.flow} --codes {asked} --start {first:%Y-%m} --end {last:%Y-%m}`"
        )


def months_of(window: Window) -> list[pd.Timestamp]:
    """Return the first day of every month of a window."""
    return [pd.Timestamp(window.month(n)) for n in range(len(window))]


def tokens(code: str) -> list[str]:
    """Return what to ask UN Comtrade for, so that a code can be priced."""
    if code == "TOTAL":
        return ["TOTAL", "AG6"]
    return [code] if len(code) >= 6 else [code, f"AG6/{code}"]


def statistics(question: Question) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every statistic that holds trade of the pair, under its name."""
    found = stored_rows(
        "trade", reporter=question.reporter, partner=question.partner, flow=question.flow
    )
    for (source, system, freq), same in found.groupby(["source", "trade_system", "freq"]):
        rhythm = "" if freq == "M" else ", annual"
        yield f"{source}, {system} trade{rhythm}", tables.validate(same, "trade", where="stored")


def periods(found: pd.DataFrame, question: Question) -> list[pd.Timestamp]:
    """Return the periods that rows of this frequency need."""
    if set(found["freq"]) == {"M"}:
        return question.months()
    return sorted({m.replace(month=1) for m in question.months()})


def rows_of(code: str, rows: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Return the rows of a code at one level: six digits where there are any."""
    rows = rows[rows["period"].isin(periods(rows, question))]
    exact = rows[rows["code"] == code]
    fine = rows[rows["code_system"].isin(_HS) & (rows["code"].str.len() == 6)]
    if fine.empty or not (code.isdigit() or code == "TOTAL"):
        return exact
    moved = harmonised()
    fine = harmonise(fine).frame
    same = {moved.get((system, code), code) for system in _HS}
    prefix = "" if code == "TOTAL" else code
    inside = fine["code"].str.removeprefix("g").str.startswith(prefix) | fine["code"].isin(same)
    parts = fine[inside]
    return parts if exact.empty or len(code) == 6 else _with_rest(code, parts, exact)


def _with_rest(code: str, parts: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Add what a total holds beyond its six-digit codes as a row that has no price."""
    if parts.empty:
        return whole
    rest = whole.groupby("period")["value_usd"].sum().sub(
        parts.groupby("period")["value_usd"].sum(), fill_value=0
    )  # fmt: skip
    rest = rest[rest > 1e-6 * whole["value_usd"].max()]
    like = whole.drop_duplicates("period").set_index("period").loc[rest.index].reset_index()
    hidden = like.assign(
        code=f"rest of {code}", code_system=parts["code_system"].iloc[0], value_usd=rest.to_numpy(),
        net_weight_kg=float("nan"), weight_status="missing", confidential=True,
    )  # fmt: skip
    return pd.concat([parts, hidden[parts.columns]], ignore_index=True) if len(rest) else parts


def held(code: str, question: Question) -> list[pd.Timestamp]:
    """Return the months whose rows of a code were asked for and stored: no row then is no trade."""
    number_ = comtrade(question.reporter)
    boxes: dict[str, list[Box]] = {}
    for leaf in holding.leaves():
        if leaf.call.freq == "M" and number_ in leaf.call.reporters:
            for period in leaf.call.periods:
                boxes.setdefault(period, []).append(leaf.call.box)
    if not boxes or not (code.isdigit() or code == "TOTAL"):
        return []
    token = tokens(code)[-1]
    wanted = Box((question.flow,), (str(comtrade(question.partner)),), (token,))
    return [
        m for m in question.months() if not remaining(wanted, boxes.get(m.strftime("%Y%m"), []))
    ]


def filled(found: pd.DataFrame, asked: Sequence[pd.Timestamp]) -> pd.DataFrame:
    """Write a zero for months that were asked for and have no trade."""
    none = [m for m in asked if m not in set(found["period"])]
    if not none:
        return found
    zero = found.iloc[[0] * len(none)].assign(
        period=none, value_usd=0.0, net_weight_kg=float("nan"), weight_status="missing"
    )
    return pd.concat([found, zero], ignore_index=True)


def is_hs(found: pd.DataFrame) -> bool:
    """Tell whether rows stand on codes of the Harmonised System."""
    return bool(found["code_system"].isin([*_HS, SYSTEM]).any())
