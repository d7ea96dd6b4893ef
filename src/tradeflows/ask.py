"""Price or volume, for any pair, codes and months: answered from what is stored."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes import hs
from tradeflows.codes.countries import comtrade, from_name, spoken
from tradeflows.codes.groups import ALL_GOODS, named
from tradeflows.codes.totals import overlap
from tradeflows.errors import (
    ConfidentialValueWarning,
    EstimatedQuantityWarning,
    SourceUnavailable,
    TradeflowsError,
    UnknownCode,
)
from tradeflows.load import rows as every_row
from tradeflows.measure import Envelope, bridges
from tradeflows.measure.bridge import BARS, PATHS, UNTOLD, Bridge
from tradeflows.periods import Window, span
from tradeflows.quality.concordance import concord
from tradeflows.readers import tidy
from tradeflows.sources import stored
from tradeflows.sources.comtrade import question
from tradeflows.sources.rows import revision
from tradeflows.words import Sentence, amount, between, few

_STATISTIC = ["source", "trade_system", "code_system", "freq", "level"]
_FLOWS = {"M": "Imports of {} from {}", "X": "Exports of {} to {}"}


@dataclass(frozen=True, eq=False)
class Part:
    """One code asked for: the rows that answer, and their statistic."""

    code: str
    statistic: str
    rows: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, eq=False)
class Answer(Envelope):
    """What the stored data say of a pair, codes and two windows.

    Its bridges are of all codes together; where one has annual rows, on the path that needs no
    months.
    """

    subject: str = ""
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    generated: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the bridges."""
        return tuple(dict.fromkeys(path for _, path in self.results))

    @property
    def table(self) -> pd.DataFrame:
        """One row per code, Bennet's form: values, change and its five bars in USD."""
        return self.first.table

    @property
    def per_month(self) -> bool:
        """Whether all amounts are averages per month: the windows are of unequal length."""
        return self.first.per_month

    @property
    def rows(self) -> pd.DataFrame:
        """The rows that answer, of all codes."""
        return pd.concat([p.rows for p in self.parts], ignore_index=True)

    def _mainly(self) -> str:
        """Name price or volume where every method finds it over half the change and above others.

        As in `Bridge.share`, nothing is said of a change within a tenth of the earlier value.
        """
        change = self.first.change
        if abs(change) <= 0.1 * self.first.value_base:
            return ""
        bars = self.by_method[[*BARS]] * (1 if change > 0 else -1)
        for bar in ("price", "volume"):
            others = bars.drop(columns=bar).max().max()
            if bars[bar].min() > max(abs(change) / 2, others):
                return f"mainly {bar}; "
        return ""

    def steps(self) -> pd.DataFrame:
        """Return the waterfall by Bennet's formula, with low and high of each bar over methods."""
        steps = super().steps()
        something = steps[["value", "low", "high"]].fillna(0).ne(0).any(axis=1)
        return steps[something | (steps["kind"] == "total")].reset_index(drop=True)

    def sentence(self) -> Sentence:
        """Say whether price or volume, in one sentence; a second one if codes are not in it."""
        first = self.first
        old, new = first.value_base, first.value_current
        absent = "goods without trade in"
        if "monthly" in self.paths and len(Window.parse(first.base)) > 1:  # as `Bridge` says it
            absent += " the matching month of"
        words = [
            f"{name} {between(*self.range(bar), _usd)}"
            for bar, name in (
                ("price", "price accounts for"),
                ("volume", "volume for"),
                ("entry", f"{absent} {first.base} for"),
                ("exit", f"{absent} {first.current} for"),
                ("unpriced", "goods without a usable weight for"),
            )
            if any(self.range(bar)) or (bar in ("price", "volume") and not first.untold)
        ]
        words = [*[UNTOLD] * first.untold, *words]
        lack = f" Not in it: {', '.join(self.lacking)}." if self.lacking else ""
        moved = "per month " * first.per_month + ("rose" if new > old else "fell")
        return Sentence(
            f"{'GENERATED TRADE, NOT DATA. ' * self.generated}{self.subject} "
            f"{moved} from {_usd(old)} in {first.base} to {_usd(new)} in {first.current}: "
            f"{self._mainly()}{', '.join(words)} "
            f"(range over {len(self.results)} formulas and paths).{lack}"
        )


def ask(
    reporter: str, partner: str, codes: str | Sequence[str], base: str, current: str,
    flow: str = "M", rows: pd.DataFrame | None = None, estimated: str = "unpriced",
) -> Answer:  # fmt: skip
    """Answer: price or volume, for any pair, codes and months that are stored.

    A code of fewer than six digits is priced six-digit code by six-digit code, because the unit
    value of a chapter moves with its mix. Each code is answered by one statistic: of those that
    hold every month, the one with most value under a weight. A month that is not stored is missing,
    never zero.

    Parameters
    ----------
    reporter, partner : str
        ISO 3166 alpha-3, or a name in English or Turkish.
    codes : str or sequence of str
        HS codes of 2, 4 or 6 digits, ``TOTAL``, or groups of the snapshot such as ``coal``.
    base, current : str
        Windows: ``"2021"``, ``"2021-03"`` or ``"2021-03/2022-02"``.
    flow : {"M", "X"}
        As the reporter counts it.
    rows : pandas.DataFrame, optional
        A table of your own, of `tf.read_comtrade`, `tf.read_tuik` or `tf.tidy`, asked in place of
        what is stored; tariff lines of 8 to 12 digits are summed to six. Without a column
        ``reporter``, ``partner`` or ``flow`` all of it is of this pair and flow; without
        ``code_system`` its codes are of the HS revision in force.
    estimated : {"unpriced", "accepted"}
        Whether weights that the publisher estimated make prices, as in `tradeflows.bridge`.

    Returns
    -------
    Answer
        Its ``parts`` hold the rows, so that every step can be done again by `tradeflows.bridge`;
        ``notes`` say which of the codes could not be answered, why, and which command brings them.
        "Mainly price" (or volume) is said where every formula and path gives it over half of the
        change and more than any other bar, and the change is over a tenth of the earlier value.

    Raises
    ------
    UnknownCode
        A wrong spelling, codes of which one holds another, or windows that share months.
    SourceUnavailable
        None of the codes is stored for these months; the message names the command.

    Examples
    --------
    >>> answer = ask("TUR", "RUS", "coal", "2021", "2022")
    >>> answer.parts[0].statistic, answer.range("price")[0] > 0
    ('UN Comtrade, general trade', True)
    >>> ask("TUR", "KAZ", "854231", "2021", "2022")
    Traceback (most recent call last):
    tradeflows.errors.SourceUnavailable: Not stored: 854231 for 2021 and 2022
      expected: every month of both windows
      what to do: `tradeflows refresh --reporter TUR --partner KAZ --flows M --codes 854231 \
--start 2021-01 --end 2022-12` brings it
    """
    text = isinstance(codes, str) or not isinstance(codes, Iterable)
    wanted: list[str] = [codes] if text else list(codes)  # type: ignore[list-item]
    if str(flow) not in _FLOWS:
        raise UnknownCode(f"flow {flow!r}", "M (imports) or X (exports)", "choose one")
    windows = Window.parse(base), Window.parse(current)
    pair = _Pair(from_name(reporter), from_name(partner), flow, *windows, own=rows is not None)
    if len(set(pair.months)) < len(pair.months):
        raise UnknownCode(f"windows {base} and {current} share months", "two apart", "move one")
    _refuse_overlap(wanted, pair)
    candidates = list(_statistics(pair, rows))
    known = {code for _, rows in candidates for code in rows["code"].unique()}
    parts: list[Part] = []
    notes: list[str] = []
    todos, lacking, absent = [], [], []
    for code in wanted:
        part, said, todo = _best(code, pair, candidates)
        if not part and not _askable(code) and code not in known:
            groups = ", ".join(sorted(c for c in known if not c.isdigit())) or "(none)"
            raise UnknownCode(
                f"no HS code {code!r}, nor a group of goods stored for this pair",
                f"2, 4 or 6 digits, TOTAL, or a group of {groups}",
                "check the spelling; a refresh brings 2, 4 or 6 digits, or TOTAL",
            )
        parts += [part] if part else []
        notes += said
        lacking += [] if part else [code]
        absent += [code] if todo is None else []
        todos += [todo] if todo else []
    if absent:
        where = "Not in your table" if pair.own else "Not stored"
        notes.append(f"{where}: {', '.join(absent)} for {pair.base} and {pair.current}.")
        todos.append("Add these months to your table, or ask for others" if pair.own
                     else f"{pair.command(absent)} brings it")  # fmt: skip
    if not parts:
        words = "; ".join(note.rstrip(".") for note in notes)
        todo = "; ".join(dict.fromkeys(todos)) or "ask for other months or codes"
        raise SourceUnavailable(words, "every month of both windows", todo)
    notes += [f"{todo}." for todo in dict.fromkeys(todos)]
    annual = [p.code for p in parts if set(p.rows["freq"]) == {"A"}]
    if len(pair.base) != len(pair.current):
        notes.append(
            f"The windows have {len(pair.base)} and {len(pair.current)} months: averages per month "
            "are compared, and seasons may differ."
        )
    elif annual and len(annual) < len(parts):
        notes.append(f"{', '.join(annual)}: annual rows, so that all bars compare whole windows.")
    results, said = _bridged(parts, pair, estimated)
    files = {origin for part in parts for origin in part.rows["origin"]}
    return Answer(
        results, f"{_FLOWS[flow].format(spoken(pair.reporter), spoken(pair.partner))}"
        f" ({', '.join(named(p.code) for p in parts)})",
        tuple(parts), (*said, *notes), tuple(lacking),
        not pair.own and stored.is_generated(map(store.describe, files)),
    )  # fmt: skip


def _bridged(
    parts: Sequence[Part], pair: _Pair, estimated: str
) -> tuple[dict[tuple[str, str], Bridge], list[str]]:
    """Return the bridges of all codes together, and what a reader should know of them."""
    rows = pd.concat([p.rows for p in parts], ignore_index=True)
    monthly = len(pair.base) == len(pair.current) and set(rows["freq"]) == {"M"}
    # each code is of one statistic, or refused; several may be of several
    apart = [c for c in _STATISTIC
             if len({*rows[c]}) > 1 and all(len({*p.rows[c]}) == 1 for p in parts)]  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = bridges(
            rows.drop(columns=apart), str(pair.base), str(pair.current),
            paths=PATHS if monthly else ("two-point",), estimated=estimated,
            per_month=len(pair.base) != len(pair.current),
        )  # fmt: skip
    said = dict.fromkeys(
        f"{w.message} unless asked with estimated='accepted' (--estimated)."
        if issubclass(w.category, EstimatedQuantityWarning) else f"{w.message}."
        for w in caught
        if issubclass(w.category, (EstimatedQuantityWarning, ConfidentialValueWarning))
    )  # fmt: skip
    return found.results, list(said)


@dataclass(frozen=True)
class _Pair:
    """Who trades with whom, and when; ``own``: asked of a table of the user's."""

    reporter: str
    partner: str
    flow: str
    base: Window
    current: Window
    own: bool

    @property
    def months(self) -> list[pd.Timestamp]:
        return [*span(self.base), *span(self.current)]

    def periods(self, rows: pd.DataFrame) -> list[pd.Timestamp]:
        """Return the periods that rows of their frequency need."""
        monthly = set(rows["freq"]) == {"M"}
        return self.months if monthly else sorted({m.replace(month=1) for m in self.months})

    def related(self, code: str) -> dict[str, tuple[str, ...]]:
        """Return the families that hold goods of a code, and their codes."""
        years = [max(m.year, 1988) for m in self.months]
        old = hs.REVISIONS.index(hs.in_force(min(years)))
        return hs.related(code, hs.REVISIONS[max(old - 1, 0)], hs.in_force(max(years)))

    def fine(self, code: str) -> list[str]:
        """Return what to ask for its six-digit codes, wherever other revisions keep them."""
        if code == ALL_GOODS:
            return ["AG6"]
        held = self.related(code).values()
        moved = {m for members in held for m in members if not m.startswith(code)}
        return [code if len(code) == 6 else f"AG6/{code}", *sorted(moved)]

    def command(self, codes: Sequence[str]) -> str:
        """Return the command that brings codes, so that they can be priced."""
        tokens = [t for c in codes for t in [c, *self.fine(c)]]
        return (
            f"`tradeflows refresh --reporter {self.reporter} --partner {self.partner} "
            f"--flows {self.flow} --codes {','.join(dict.fromkeys(tokens))} "
            f"--start {min(self.months):%Y-%m} --end {max(self.months):%Y-%m}`"
        )


def _refuse_overlap(codes: Sequence[str], pair: _Pair) -> None:
    """Raise where codes are no text, or a sum over them would count goods twice."""
    if odd := [code for code in codes if not isinstance(code, str)]:
        raise UnknownCode(f"codes {odd}", "codes as text, such as '2709'", "write them in quotes")
    pairs = [(a, b, pair.related(a), pair.related(b)) for a, b in combinations(codes, 2)]
    if not codes or any(overlap(a, b) for a, b, *_ in pairs):
        raise UnknownCode(
            f"codes {', '.join(codes) or '(none)'}", "codes of which none holds another", "drop one"
        )
    for a, b, mine, others in pairs:
        for name in sorted({*mine} & {*others}):
            together = f"one of them: {', '.join(mine[name])} are compared as one"
            raise UnknownCode(f"codes {a} and {b}", together, "drop one")


def _askable(code: str) -> bool:
    """Tell whether a refresh takes a code; groups of the snapshot and sections it does not."""
    return code == ALL_GOODS or (code.isdigit() and len(code) in (2, 4, 6))


def _statistics(pair: _Pair, own: pd.DataFrame | None = None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every statistic that holds trade of the pair, under its name."""
    asked = {"reporter": pair.reporter, "partner": pair.partner, "flow": pair.flow}
    if own is not None and not {"freq", "level"} <= set(own):
        own = tidy(own, weight="net_weight_kg" if "net_weight_kg" in own else None)
    found = every_row("trade", **asked) if own is None else _own(own, asked)
    for (source, system, freq), same in found.groupby(["source", "trade_system", "freq"]):
        rhythm = "" if freq == "M" else ", annual"
        name = f"{source}, {system} trade{rhythm}" if own is None else f"your table{rhythm}"
        yield name, tables.validate(same, "trade", where="stored" if own is None else "rows")


def _own(table: pd.DataFrame, asked: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of a user's table that are of the pair and flow, with every column."""
    unsaid = {
        "origin": "your table", "source": "your table", "vintage": "unknown",
        "trade_system": "unknown", "valuation": "FOB", "quantity": float("nan"),
        "quantity_unit": None, "quantity_status": "missing", **asked,
    }  # fmt: skip
    whole = table.assign(**{c: v for c, v in unsaid.items() if c not in table})
    if "code_system" not in whole:
        whole["code_system"] = revision(whole["period"])
    kept = whole
    for column, value in asked.items():
        kept = kept[kept[column] == value]
    if kept.empty:
        held = whole[list(asked)].drop_duplicates().head(5).to_numpy().tolist()
        raise UnknownCode(
            f"no rows of {' '.join(asked.values())} in your table",
            f"a reporter, partner and flow of {'; '.join(' '.join(map(str, h)) for h in held)}",
            "ask for one of them",
        )
    return kept.filter(items=tables.TABLES["trade"].names)


def _best(
    code: str, pair: _Pair, candidates: Sequence[tuple[str, pd.DataFrame]]
) -> tuple[Part | None, list[str], str | None]:
    """Return the statistic that answers best: every month, most value under a weight.

    Beside it remarks, and where nothing answers what to do; None where months are to be brought.
    """
    able: list[tuple[float, str, pd.DataFrame]] = []
    gaps: list[str] = []
    todo = None if _askable(code) else ""
    for name, rows in candidates:
        try:
            found = _with_zeros(code, _rows_of(code, rows, pair), pair)
            gap = _gap(found, pair)
        except TradeflowsError as error:
            found, gap, todo = rows, error.found, error.todo
        if gap:
            gaps.append(f"{code} ({name}): {gap}.")
        elif len(found):
            priced = found["value_usd"].where(found["net_weight_kg"] > 0, 0).sum()
            able.append((float(priced), name, found))
    if able:
        _, name, found = max(able, key=lambda a: a[0])
        return Part(code, name, found), _remarks(code, name, found, pair), ""
    if len(_asked_months(code, pair)) == len(pair.months):
        where = f"{code} (UN Comtrade)" if gaps else code
        gaps.append(f"{where}: every month is stored, and none has trade in it.")
        todo = todo or ""
    return None, gaps, todo


def _gap(found: pd.DataFrame, pair: _Pair) -> str:
    """Say which periods rows lack; nothing where they have all, or are none."""
    if found.empty:
        return ""
    monthly = set(found["freq"]) == {"M"}
    if not monthly and any(w.first % 12 or len(w) % 12 for w in (pair.base, pair.current)):
        return "annual rows answer for whole years only"
    unit, form = ("month", "%Y-%m") if monthly else ("year", "%Y")
    lost = [f"{m:{form}}" for m in sorted({*pair.periods(found)} - {*found["period"]})]
    if not lost:
        return ""
    there = "in it" if pair.own else "stored"
    return f"{few(lost, 3)} not {there}; a missing {unit} is no zero"


def _rows_of(code: str, rows: pd.DataFrame, pair: _Pair) -> pd.DataFrame:
    """Return the rows of a code at one level: six digits where there are any."""
    rows = rows[rows["period"].isin(pair.periods(rows))]
    exact = rows[rows["code"] == code]
    if not _askable(code):
        return exact
    known = rows[rows["code_system"].isin(hs.REVISIONS) & rows["code"].str.isdigit()]
    six = known[known["code"].str.len() == 6]
    lines = known[(known["code"].str.len() > 6) & ~known["code"].str[:6].isin(six["code"])]
    fine = pd.concat([six, lines])
    if fine.empty:  # a heading is one over revisions if it kept its goods; else a bridge refuses
        several = len(systems := set(exact["code_system"])) > 1 and systems <= set(hs.REVISIONS)
        return concord(exact).frame.drop(columns="open_to") if several else exact
    used = {*fine["code_system"], *(hs.in_force(max(m.year, 1988)) for m in pair.months)}
    ends = min(used), max(used)
    fine = concord(fine, to=hs.system(*ends)).frame.drop(columns="open_to")
    prefix = "" if code == ALL_GOODS else code
    parts = fine[fine["code"].str.startswith(prefix) | fine["code"].isin(hs.related(code, *ends))]
    return parts if exact.empty or len(code) == 6 else _with_rest(code, parts, exact)


def _with_rest(code: str, parts: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Add what a total holds beyond its six-digit codes as a row that has no price."""
    if parts.empty:
        return whole
    sums = [frame.groupby("period")["value_usd"].sum() for frame in (whole, parts)]
    rest = sums[0].sub(sums[1], fill_value=0)
    rest = rest[rest > 1e-6 * whole["value_usd"].max()]
    like = whole.drop_duplicates("period").set_index("period").loc[rest.index].reset_index()
    hidden = like.assign(
        code=f"rest of {code}", code_system=parts["code_system"].iloc[0], value_usd=rest.to_numpy(),
        net_weight_kg=float("nan"), weight_status="missing", confidential=True,
    )  # fmt: skip
    return pd.concat([parts, hidden[parts.columns]], ignore_index=True) if len(rest) else parts


def _asked_months(code: str, pair: _Pair, system: str | None = None) -> set[pd.Timestamp]:
    """Return the months that UN Comtrade was asked for: a code without a row is no trade there."""
    if pair.own or not _askable(code):
        return set()
    box = question.Box((pair.flow,), (str(comtrade(pair.partner)),), tuple(pair.fine(code)))
    known = question.months(box, comtrade(pair.reporter), system)
    return {m for m in pair.months if f"{m:%Y%m}" in known}


def _with_zeros(code: str, found: pd.DataFrame, pair: _Pair) -> pd.DataFrame:
    """Write a zero for months that UN Comtrade was asked for and has no trade of."""
    first = found.iloc[:1]
    kind = [*first["source"], *first["freq"]]
    if kind != [question.PUBLISHER, "M"] or not any(map(hs.span, found["code_system"].unique())):
        return found  # what UN Comtrade does not have says nothing of others
    none = sorted(_asked_months(code, pair, first["trade_system"].item()) - {*found["period"]})
    zero = found.iloc[[0] * len(none)].assign(
        period=none, value_usd=0.0, net_weight_kg=float("nan"), weight_status="missing"
    )
    return pd.concat([found, zero], ignore_index=True) if none else found


def _remarks(code: str, name: str, found: pd.DataFrame, pair: _Pair) -> list[str]:
    """Return what a reader should know of the rows that answer for a code."""
    notes = []
    for family, members in pair.related(code).items():
        if family in set(found["code"]) and not all(m.startswith(code) for m in members):
            together = ", ".join(members)
            notes.append(f"{code}: {together} answer together: goods moved among them.")
    if not (found["net_weight_kg"] > 0).any():
        more = pair.command([code]) if _askable(code) else "A refresh of the HS codes in it"
        more = "" if pair.own else f" {more} asks for them."
        notes.append(f"{code} ({name}) comes without weights.{more}")
    elif code.isdigit() and len(code) < 6 and set(found["code"]) == {code}:
        notes.append(f"{code}: the unit value of a whole group moves with its mix of goods.")
    return notes


def _usd(x: float) -> str:
    return amount(x, "USD")
