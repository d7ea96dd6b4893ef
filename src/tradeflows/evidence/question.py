"""Your own question: any pair, codes and months, answered from what is stored."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from tradeflows import store
from tradeflows.codes.countries import spoken
from tradeflows.errors import (
    ConfidentialValueWarning,
    EstimatedQuantityWarning,
    SourceUnavailable,
    TradeflowsError,
)
from tradeflows.evidence.stored import (
    Question,
    askable,
    filled,
    held,
    months_of,
    periods,
    refuse_overlap,
    rows_of,
    spelled_out,
    statistics,
)
from tradeflows.figures import Figure, amount, number, percent, waterfall
from tradeflows.figures.words import Shown
from tradeflows.measure import Envelope, bridges
from tradeflows.measure.bridge import BARS, PATHS
from tradeflows.periods import Window
from tradeflows.sources import live
from tradeflows.words import Sentence, between

__all__ = ["Answer", "Priced", "ask"]

_FLOWS = {"M": "Imports of {} from {}", "X": "Exports of {} to {}"}
_ROWS_SHOWN = 20
_METHODS = ("bennet", "montgomery", "laspeyres", "paasche")


@dataclass(frozen=True, eq=False)
class Priced:
    """One code asked for: the rows that answer, their statistic, and the bridges over methods."""

    code: str
    statistic: str
    rows: pd.DataFrame = field(repr=False)
    envelope: Envelope = field(repr=False)


@dataclass(frozen=True, eq=False)
class Answer:
    """What the stored data say to a question; ``notes`` say what they do not, and what brings it.

    Every part shows itself in a notebook. Where nothing is stored each says so in one line.
    """

    subject: str
    base: str
    current: str
    parts: tuple[Priced, ...]
    notes: tuple[str, ...]
    generated: bool = False

    def __bool__(self) -> bool:
        return bool(self.parts)

    @property
    def _paths(self) -> tuple[str, ...]:
        """Paths that every code has: annual rows have no months, and a sum needs all its parts."""
        if not self:
            raise SourceUnavailable(str(self.missing()), "stored rows", "correct it, or bring them")
        every = [{path for _, path in p.envelope.results} for p in self.parts]
        return tuple(path for path in PATHS if all(path in one for one in every))

    @property
    def by_method(self) -> pd.DataFrame:
        """One row per formula and path: the five bars and the change, all codes summed."""
        paths = self._paths
        rows = pd.concat([p.envelope.by_method for p in self.parts], ignore_index=True)
        return (
            rows[rows["path"].isin(paths)]
            .groupby(["method", "path"], sort=False, as_index=False)
            .sum()
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row per code, Bennet's form: values, change and its five bars."""
        shown = (_METHODS[0], self._paths[0])
        return pd.concat([p.envelope[shown].table for p in self.parts], ignore_index=True)

    @property
    def origins(self) -> tuple[str, ...]:
        """Raw files under the answer."""
        return tuple(sorted({str(o) for p in self.parts for o in set(p.rows["origin"])}))

    def range(self, bar: str) -> tuple[float, float]:
        """Return the lowest and the highest value of a bar over formulas and paths."""
        found = self.by_method[bar]
        return float(found.min()), float(found.max())

    def sentence(self) -> Sentence:
        """Say whether price or volume, in one sentence."""
        if not self:
            return self.missing()
        old, new = (float(self.table[f"value_{w}"].sum()) for w in ("base", "current"))
        moved = "rose" if new > old else "fell"
        absent = "goods without trade in"
        if "monthly" in self._paths and len(Window.parse(self.base)) > 1:  # as `Bridge` says it
            absent += " the matching month of"
        words = [
            f"{name} {between(*self.range(bar), _usd)}"
            for bar, name in (
                ("price", "price accounts for"),
                ("volume", "volume for"),
                ("entry", f"{absent} {self.base} for"),
                ("exit", f"{absent} {self.current} for"),
                ("unpriced", "goods without a usable weight for"),
            )
            if bar in ("price", "volume") or any(self.range(bar))
        ]
        mark = "GENERATED TRADE, NOT DATA. " if self.generated else ""
        ways = f"range over {len(self.by_method)} formulas and paths"
        return Sentence(
            f"{mark}{self.subject} {moved} from {_usd(old)} in {self.base} to {_usd(new)} in "
            f"{self.current}: {', '.join(words)} ({ways})."
        )

    def figure(self) -> Figure | Sentence:
        """Draw the bridge from base to current value; whiskers are the range over methods."""
        if not self:
            return Sentence("No bridge: nothing is stored to build it from.")
        first = self.by_method.iloc[0]
        total = self.table[["value_base", "value_current"]].sum()
        bars, nothing = [b for b in BARS if any(self.range(b))], float("nan")
        rows = [(self.base, total["value_base"], "total", nothing, nothing)]
        rows += [(bar, float(first[bar]), bar, *self.range(bar)) for bar in bars]
        rows += [(self.current, total["value_current"], "total", nothing, nothing)]
        steps = pd.DataFrame(rows, columns=["step", "value", "kind", "low", "high"])
        price = between(*self.range("price"), _usd)
        return waterfall(
            steps.astype({"value": float, "low": float, "high": float}),
            name="own-question-bridge",
            title=f"{self.subject}, {self.base} to {self.current}: price accounts for {price} of "
            f"a change of {_usd(float(first['change']))}",
            unit="USD",
            alt=self.sentence(),
            origins=self.origins,
            period=f"{self.base} to {self.current}",
            note=("GENERATED TRADE, NOT DATA · " if self.generated else "") + "bars: Bennet",
            whiskers=f"whiskers: range over {len(self.by_method)} formulas and paths",
        )

    def shown(self) -> Shown | Sentence:
        """Show the bars code by code, the largest changes first."""
        if not self:
            return Sentence("No table: nothing is stored to build it from.")
        table = self.table
        order = table["change"].abs().sort_values(ascending=False, kind="stable").index
        few, rest = table.loc[order[:_ROWS_SHOWN]], table.loc[order[_ROWS_SHOWN:]]
        if len(rest):
            sums = rest.drop(columns="code").sum()
            few = pd.concat([few, sums.to_frame().T.assign(code=f"{len(rest)} other codes")])
        names = {"value_base": f"value {self.base}", "value_current": f"value {self.current}"}
        few = few.rename(columns=names)
        few = few.astype({c: "float64" for c in few if c != "code"})
        return Shown(few[["code", *(c for c in few if c != "code")]], "The bridge by code", "USD")

    def unit_values(self) -> Shown | Sentence:
        """Show weight and unit value by code: prices only where the goods are alike."""
        if not self:
            return Sentence("No unit values: nothing is stored to build them from.")
        windows = [Window.parse(w) for w in (self.base, self.current)]
        every = pd.concat([p.rows for p in self.parts])
        usable = (every["weight_status"] == "reported") & (every["net_weight_kg"] > 0)
        months = [every["period"].isin(months_of(w)) for w in windows]
        sums = [
            every[usable & m].groupby("code")[["value_usd", "net_weight_kg"]].sum() for m in months
        ]
        both = sums[0].add_suffix("_0").join(sums[1].add_suffix("_1"), how="outer")
        largest = both["value_usd_1"].fillna(both["value_usd_0"]).sort_values(ascending=False)
        rows = []
        for code, row in both.loc[largest.index[:_ROWS_SHOWN]].iterrows():
            old, new = (1000 * row[f"value_usd_{n}"] / row[f"net_weight_kg_{n}"] for n in (0, 1))
            tonnes = [number(float(row[f"net_weight_kg_{n}"]) / 1000) for n in (0, 1)]
            change = percent(new / old - 1, sign=True) if old > 0 and new > 0 else "–"
            rows.append((code, *tonnes, number(float(old)), number(float(new)), change))
        ends = (self.base, self.current)
        columns = ["code", *(f"t {w}" for w in ends), *(f"USD per t {w}" for w in ends), "change"]
        return Shown(pd.DataFrame(rows, columns=columns), "Weights and unit values by code")

    def methods(self) -> Shown | Sentence:
        """Show the bars by formula and path."""
        if not self:
            return Sentence("No range: nothing is stored to build it from.")
        return Shown(self.by_method, "The bars by formula and path", "USD")

    def statistics(self) -> Shown | Sentence:
        """Show which statistic answers which code."""
        if not self:
            return Sentence("No statistic that is stored answers this.")
        rows = [
            (p.code, p.statistic, ", ".join(sorted(set(p.rows["code"]))[:6])) for p in self.parts
        ]
        return Shown(
            pd.DataFrame(rows, columns=["asked", "statistic", "codes in it"]), "Who answers what"
        )

    def missing(self) -> Sentence:
        """Say what is not there, and which command brings it."""
        return Sentence(" ".join(self.notes) or "Everything asked for is stored.")


def ask(
    reporter: str = "TUR",
    partner: str = "RUS",
    codes: str | Sequence[str] = ("oil_gas_disclosed", "coal"),
    base: str = "2021",
    current: str = "2022",
    flow: str = "M",
) -> Answer:
    """Answer: price or volume, for any pair, codes and months that are stored.

    A code of fewer than six digits is priced six-digit code by six-digit code, because the unit
    value of a chapter moves with its mix. A month that is not stored is missing, never zero.

    Parameters
    ----------
    reporter, partner : str
        ISO 3166 alpha-3.
    codes : str or sequence of str
        HS codes of 2, 4 or 6 digits, ``TOTAL``, or groups of the snapshot.
    base, current : str
        Windows: ``"2021"``, ``"2021-03"`` or ``"2021-03/2022-02"``.
    flow : {"M", "X"}
        As the reporter counts it.

    Returns
    -------
    Answer
        A wrong spelling or missing data are notes of it, not errors.

    Examples
    --------
    >>> answer = ask(codes=["coal"])
    >>> answer.parts[0].statistic, answer.range("price")[0] > 0
    ('UN Comtrade, general trade', True)
    >>> ask(partner="KAZ", codes=["854231"]).missing()[:50]
    'Not stored: 854231 for 2021 and 2022. `tradeflows '
    """
    many = isinstance(codes, Iterable) and not isinstance(codes, str)
    codes = list(codes) if many else [codes]  # type: ignore[list-item]
    try:
        question = spelled_out(reporter, partner, flow, base, current)
        refuse_overlap(codes, question)
    except (TradeflowsError, ValueError) as error:
        found = f"{error.found}: expected {error.expected}." if isinstance(
            error, TradeflowsError
        ) else f"{error}."  # fmt: skip
        return Answer("", str(base), str(current), (), (found,))
    candidates = list(statistics(question))
    found_parts, notes, lacking = [], [], []
    for code in codes:
        part, remarks = _best(code, question, candidates)
        notes += remarks
        if part is None:
            lacking.append(code)
        else:
            found_parts.append(part)
    return Answer(
        _FLOWS[flow].format(spoken(reporter), spoken(partner))
        + f" ({', '.join(p.code for p in found_parts)})",
        str(question.base),
        str(question.current),
        tuple(found_parts),
        (*notes, *_uneven(found_parts, question), *_lacking(lacking, question)),
        live.is_generated(store.describe(o) for p in found_parts for o in set(p.rows["origin"])),
    )


def _best(
    code: str, question: Question, candidates: Sequence[tuple[str, pd.DataFrame]]
) -> tuple[Priced | None, list[str]]:
    """Return the statistic that answers best: every month, most weights, finest codes."""
    able, gaps = [], []
    for name, rows in candidates:
        found = rows_of(code, rows, question)
        if found.empty:
            continue
        if set(found["freq"]) == {"A"} and not question.is_of_years():
            gaps.append(f"{code} ({name}): annual rows answer for whole years only.")
            continue
        found = filled(code, found, question)
        lost = [m for m in periods(found, question) if m not in set(found["period"])]
        if lost:
            gaps.append(f"{code} ({name}): {_listed(lost)} not stored; a missing month is no zero.")
        else:
            priced = float(found["value_usd"].where(found["net_weight_kg"] > 0, 0).sum())
            able.append((priced, name, found))
    if able:
        _, name, found = max(able, key=lambda a: a[0])
        try:
            return _priced(code, name, found, question)
        except TradeflowsError as error:
            return None, [f"{code} ({name}): {error.found}."]
    if len(held(code, question)) == len(question.months()):
        where = f"{code} (UN Comtrade)" if gaps else code
        gaps.append(f"{where}: every month is stored, and none has trade in it.")
    return None, gaps


def _listed(months: Sequence[pd.Timestamp]) -> str:
    shown = ", ".join(f"{m:%Y-%m}" for m in months[:3])
    return shown + (f" and {len(months) - 3} more months" if months[3:] else "")


def _priced(
    code: str, name: str, found: pd.DataFrame, question: Question
) -> tuple[Priced, list[str]]:
    freq = str(found["freq"].iloc[0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        envelope = bridges(
            found, str(question.base), str(question.current), methods=_METHODS,
            paths=question.paths(freq),
        )  # fmt: skip
    kinds = (EstimatedQuantityWarning, ConfidentialValueWarning)
    said = dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, kinds))
    notes = [f"{code}: {words}." for words in said]
    for family, members in question.related(code).items():
        if family in set(found["code"]) and not all(m.startswith(code) for m in members):
            together = ", ".join(members)
            notes.append(f"{code}: {together} answer together: goods moved among them.")
    if not (found["net_weight_kg"] > 0).any():
        more = question.command([code]) if askable(code) else "A refresh of the HS codes in it"
        notes.append(f"{code} ({name}) comes without weights. {more} asks for them.")
    elif code.isdigit() and len(code) < 6 and set(found["code"]) == {code}:
        notes.append(f"{code}: the unit value of a whole group moves with its mix of goods.")
    return Priced(code, name, found, envelope), notes


def _uneven(parts: Sequence[Priced], question: Question) -> list[str]:
    """Say where windows or parts are not alike, so that sums are compared and not months."""
    notes = []
    old, new = len(question.base), len(question.current)
    if parts and old != new:
        notes.append(f"The windows have {old} and {new} months: their totals are compared as such.")
    annual = [p.code for p in parts if set(p.rows["freq"]) == {"A"}]
    if annual and len(annual) < len(parts) and old == new:
        notes.append(f"{', '.join(annual)}: annual rows, so that all bars compare whole windows.")
    return notes


def _lacking(codes: Sequence[str], question: Question) -> list[str]:
    """Say which command brings codes that are not stored; groups of the snapshot have none."""
    notes, wanted = [], []
    for code in codes:
        if len(held(code, question)) == len(question.months()):
            continue
        if askable(code):
            wanted.append(code)
        else:
            notes.append(f"no HS code {code!r}: a refresh brings 2, 4 or 6 digits, or TOTAL.")
    if wanted:
        notes.append(
            f"Not stored: {', '.join(wanted)} for {question.base} and {question.current}. "
            f"{question.command(wanted)} brings it."
        )
    return notes


def _usd(x: float) -> str:
    return amount(x, "USD")
