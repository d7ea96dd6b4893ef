"""Which stored rows answer a question about a pair, a code and months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from tradeflows import tables
from tradeflows.codes import hs
from tradeflows.codes.countries import comtrade
from tradeflows.codes.groups import ALL_GOODS, overlap
from tradeflows.errors import UnknownCode
from tradeflows.load import rows as stored_rows
from tradeflows.periods import Window
from tradeflows.quality.concordance import concord
from tradeflows.sources.comtrade import holding
from tradeflows.sources.comtrade.question import Box, remaining
from tradeflows.sources.comtrade.reply import PUBLISHER

__all__ = [
    "Question",
    "askable",
    "filled",
    "held",
    "months_of",
    "periods",
    "refuse_overlap",
    "rows_of",
    "spelled_out",
    "statistics",
]


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

    def revisions(self) -> tuple[str, str]:
        """Return the HS revisions that the months may come in: a reporter may be late by one."""
        years = [max(m.year, 1988) for m in self.months()]
        old = hs.REVISIONS.index(hs.in_force(min(years)))
        return hs.REVISIONS[max(old - 1, 0)], hs.in_force(max(years))

    def related(self, code: str) -> dict[str, tuple[str, ...]]:
        """Return the families that hold goods of a code over these revisions, and their codes."""
        return hs.related(code, *self.revisions())

    def is_of_years(self) -> bool:
        """Tell whether both windows are whole years, which annual rows can answer."""
        return not any(w.first % 12 or len(w) % 12 for w in (self.base, self.current))

    def paths(self, freq: str) -> tuple[str, ...]:
        """Return the paths that the windows allow."""
        even = len(self.base) == len(self.current) and freq == "M"
        return ("monthly", "two-point") if even else ("two-point",)

    def command(self, codes: Sequence[str]) -> str:
        """Return the command that brings codes."""
        asked = ",".join(dict.fromkeys(c for code in codes for c in self.tokens(code)))
        first, last = min(self.months()), max(self.months())
        return (
            f"`tradeflows refresh --reporter {self.reporter} --partner {self.partner} "
            f"--flows {self.flow} --codes {asked} --start {first:%Y-%m} --end {last:%Y-%m}`"
        )

    def tokens(self, code: str) -> list[str]:
        """Return what to ask UN Comtrade for, so that a code can be priced."""
        return self.fine(code) if len(code) == 6 else [code, *self.fine(code)]

    def fine(self, code: str) -> list[str]:
        """Return what to ask for its six-digit codes, wherever other revisions keep them."""
        if code == ALL_GOODS:
            return ["AG6"]
        held = self.related(code).values()
        moved = {m for members in held for m in members if not m.startswith(code)}
        return [code if len(code) == 6 else f"AG6/{code}", *sorted(moved)]


def spelled_out(reporter: str, partner: str, flow: str, base: str, current: str) -> Question:
    """Return the question, or raise where a name is misspelt or the windows share months."""
    for name, given in {"reporter": reporter, "partner": partner, "flow": flow}.items():
        if not isinstance(given, str):
            raise UnknownCode(f"{name} {given!r}", f"one {name} as text", "ask for one at a time")
    if flow not in ("M", "X"):
        raise UnknownCode(f"flow {flow!r}", "M or X", "choose one")
    for country in (reporter, partner):
        comtrade(country)
    windows = Window.parse(base), Window.parse(current)
    if min(windows).first < 12:
        raise UnknownCode(f"windows {base} and {current}", "years from 0001", "correct the year")
    if windows[0].last >= windows[1].first and windows[1].last >= windows[0].first:
        raise UnknownCode(f"windows {base} and {current} share months", "two apart", "move one")
    return Question(reporter, partner, flow, *windows)


def refuse_overlap(codes: Sequence[str], question: Question) -> None:
    """Raise where codes are no text, or a sum over them would count goods twice."""
    odd = [code for code in codes if not isinstance(code, str)]
    if odd:
        raise UnknownCode(f"codes {odd}", "codes as text, such as '2709'", "write them in quotes")
    if not codes or any(overlap(a, b) for a, b in combinations(codes, 2)):
        raise UnknownCode(
            f"codes {', '.join(codes) or '(none)'}", "codes of which none holds another", "drop one"
        )
    for a, b in combinations(codes, 2):
        for name in sorted(set(question.related(a)) & set(question.related(b))):
            together = ", ".join(question.related(a)[name])
            raise UnknownCode(
                f"codes {a} and {b}", f"one of them: {together} are compared as one", "drop one"
            )


def months_of(window: Window) -> list[pd.Timestamp]:
    """Return the first day of every month of a window."""
    return [pd.Timestamp(window.month(n)) for n in range(len(window))]


def askable(code: str) -> bool:
    """Tell whether a refresh takes a code; groups of the snapshot and sections it does not."""
    return code == ALL_GOODS or (code.isdigit() and len(code) in (2, 4, 6))


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
    fine = rows[rows["code_system"].isin(hs.REVISIONS) & (rows["code"].str.len() == 6)]
    if fine.empty or not askable(code):
        return exact
    used = [
        *fine["code_system"].unique(),
        *(hs.in_force(max(m.year, 1988)) for m in question.months()),
    ]
    ends = min(used), max(used)
    fine = concord(fine, to=hs.system(*ends)).frame.drop(columns="open_to")
    prefix = "" if code == ALL_GOODS else code
    parts = fine[fine["code"].str.startswith(prefix) | fine["code"].isin(hs.related(code, *ends))]
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


def held(code: str, question: Question, system: str | None = None) -> list[pd.Timestamp]:
    """Return the months of UN Comtrade asked for and stored, of one trade system or of any.

    A code without a row there is no trade, in UN Comtrade and in no other statistic.
    """
    number_ = comtrade(question.reporter)
    boxes: dict[str, list[Box]] = {}
    for leaf in holding.leaves():
        if leaf.call.freq == "M" and number_ in leaf.call.reporters:
            for period in leaf.call.periods:
                told = leaf.raw.query.get("systems", {}).get(f"{number_}-{period}", "unknown")
                if system in (None, told):
                    boxes.setdefault(period, []).append(leaf.call.box)
    if not boxes or not askable(code):
        return []
    wanted = Box((question.flow,), (str(comtrade(question.partner)),), tuple(question.fine(code)))
    return [
        m for m in question.months() if not remaining(wanted, boxes.get(m.strftime("%Y%m"), []))
    ]


def filled(code: str, found: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Write a zero for months that UN Comtrade was asked for and has no trade of."""
    first = found.iloc[0]
    if (first["source"], first["freq"]) != (PUBLISHER, "M") or not _is_hs(found):
        return found  # what UN Comtrade does not have says nothing of others
    asked = held(code, question, first["trade_system"])
    none = [m for m in asked if m not in set(found["period"])]
    if not none:
        return found
    zero = found.iloc[[0] * len(none)].assign(
        period=none, value_usd=0.0, net_weight_kg=float("nan"), weight_status="missing"
    )
    return pd.concat([found, zero], ignore_index=True)


def _is_hs(found: pd.DataFrame) -> bool:
    """Tell whether rows stand on codes of the Harmonised System."""
    return any(hs.span(name) for name in found["code_system"].unique())
