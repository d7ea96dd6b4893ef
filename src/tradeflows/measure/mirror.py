"""Two statistics of one trade: from the exporter's figure to the importer's, in bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.codes import hs
from tradeflows.codes.countries import spoken
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.measure.intervals import Interval
from tradeflows.measure.window import Published, left_out, renumbered, said
from tradeflows.periods import Window
from tradeflows.quality.census import census, unique
from tradeflows.quality.concordance import concord
from tradeflows.quality.relation import hidden, month, opened, quoted, usable
from tradeflows.result import Result
from tradeflows.words import Sentence, amount, few, joined, percent

_SQL = files("tradeflows.measure").joinpath("mirror.sql").read_text("utf-8")
CAUSES = {  # in the order of the bars
    "freight": "freight and insurance",
    "timing": "goods sent in one period, recorded in the next",
    "re-exports": "re-exports that the importer books under their origin",
    "other codes": "goods that the two book under different codes",
    "confidential": "goods hidden by confidential codes",
    "one side only": "goods that one side alone reports",
    "quantity": "weights that the two record differently, in USD",
    "price": "another price for the same kilograms",
    "rest": "unexplained (usual differences, goods that lack a weight)",
}
# What freight and insurance add to the exporter's value where the pair itself does not tell: most
# of trade lies between; OECD's estimate of the mean is 6 % (Miao and Fortanier 2017).
FREIGHT = Interval(0.02, 0.12)
_CENTRE = 0.06
_NEEDED = 12  # goods, or months of goods, from which a pair's own rate is taken
_Z = 2.6  # standard errors in a range: 99 %, for what is estimated by a median of few
_ALIKE = 0.8  # weights that differ less may be of the same goods under two codes
_USED = ("reporter", "partner", "flow", "period", "code", "value_usd", "net_weight_kg")
_ORDER = ["exporter", "importer"]
_FLOWS = ("X", "M", "RX")
_FEW = 100  # pairs of which the goods are listed
_GOODS = (
    "SELECT exporter, importer, family AS code, class, e AS exports, i AS imports,"
    " ke AS exports_kg, ki AS imports_kg, freight, timing, reexports,"
    " CASE WHEN class = 'recoded' THEN beyond ELSE 0 END AS codes, quantity, price,"
    " CASE WHEN class = 'recoded' THEN 0 ELSE beyond - quantity - price END AS rest, odd"
    " FROM split ORDER BY abs(i - e) DESC, family"
)
_ODD = 6.0  # usual deviations of a unit value beyond which a good is named


@dataclass(frozen=True, eq=False)
class Mirror(Result):
    """What lies between an exporter's figure and an importer's, USD.

    ``table`` has a row a cause: ``value`` (the bars add up to imports minus exports), ``low`` and
    ``high`` (equal where nothing is estimated), and the ``exports`` and ``imports`` that it is
    about. ``pairs`` has a row a pair of countries, ``goods`` one a good where pairs are few;
    ``odd`` says how far its unit value is out of line, in usual deviations.
    ``late`` names reporters left out, and the months that they lack.
    """

    window: str
    table: pd.DataFrame
    pairs: pd.DataFrame = field(repr=False)
    goods: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    origins: tuple[str, ...] = field(repr=False, default=())
    late: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    @property
    def exports(self) -> float:
        """What exporters report, USD."""
        return float(self.pairs["exports"].sum())

    @property
    def imports(self) -> float:
        """What importers report, USD."""
        return float(self.pairs["imports"].sum())

    @property
    def _sums(self) -> pd.DataFrame:
        return self.table.groupby("cause", sort=False)[["value", "low", "high"]].sum()

    def bar(self, cause: str) -> Interval:
        """Return the range of one cause, all pairs together."""
        rows = self.table[self.table["cause"] == cause]
        if rows.empty:
            raise UnknownCode(f"cause {cause!r}", f"one of {', '.join(CAUSES)}", "choose one")
        return Interval(float(rows["low"].sum()), float(rows["high"].sum()), cause)

    def steps(self) -> pd.DataFrame:
        """Return the waterfall as a table: step, value, kind, low and high of each bar."""
        sums = self._sums
        sums = sums[(sums != 0).any(axis=1)]
        kinds = {"price": "price", "quantity": "volume", "rest": "unknown"}
        rows: list[tuple[Any, ...]] = []
        for name, value, low, high in sums.itertuples():
            rows.append((self._named(str(name)), value, kinds.get(str(name), "rest"), low, high))
        gap = self.imports - self.exports
        rows.append(("importer's figure less exporter's", gap, "total", np.nan, np.nan))
        return pd.DataFrame(rows, columns=["step", "value", "kind", "low", "high"])

    def sentence(self) -> Sentence:
        """Say what each side reports, what lies between, and what is not known."""
        gap, apart = self.imports - self.exports, 1e-9 * (self.imports + self.exports)
        parts, unsure = list[str](), list[str]()
        for name, value, low, high in self._sums.sort_values("value", key=abs)[::-1].itertuples():
            if max(abs(low), abs(high)) <= apart:
                continue
            span = f" ({_usd(low, sign=True)} to {_usd(high, sign=True)})" * (high - low > apart)
            group = unsure if low < 0 < high else parts
            group.append(f"{self._named(str(name))} {_usd(value, sign=True)}{span}")
        who, whom, verb = f"the exporters of {len(self.pairs)} pairs", "the importers", ""
        if len(self.pairs) == 1:
            who, whom = (spoken(str(self.pairs[name].iloc[0])) for name in _ORDER)
            verb = "s"
        told = f" What raises (+) or lowers (−) it: {'; '.join(parts)}." if parts else ""
        open_ = f" Could be nothing: {'; '.join(unsure)}." if unsure else ""
        notes = "".join(f" {note}" for note in self.notes)
        return Sentence(
            f"For {self.window} {who} report{verb} exports of {_usd(self.exports)}, {whom} imports"
            f" of {_usd(self.imports)}: {_usd(abs(gap))} {'more' if gap > 0 else 'less'}."
            f"{told}{open_}{notes}"
        )

    def _named(self, cause: str) -> str:
        """Return a cause in words; which side alone reports goods, where it is one."""
        rows = self.table[self.table["cause"] == cause]
        alone = [side for side in ("exports", "imports") if rows[side].sum() > 0]
        if cause != "one side only" or len(alone) != 1:
            return CAUSES[cause]
        side = _ORDER[alone == ["imports"]]
        who = spoken(str(rows[side].iloc[0])) if len(self.pairs) == 1 else f"the {side}"
        return f"goods that {who} alone reports"


def mirror(
    exports: Any,
    imports: Any = None,
    window: str | int = "2022",
    *,
    freight: Interval | float | None = None,
    estimated: str = "unpriced",
    published: Published = None,
) -> Mirror:
    """Say why an exporter's and an importer's figure of the same trade differ.

    ========================= ====================================================================
    bar                       what it is
    ========================= ====================================================================
    freight                   a rate on the exporter's value of goods that both report
    timing                    goods sent before the window that arrive in it, less those sent in
                              its last month that arrive after; a share s of a month's goods
    re-exports                goods that the exporter books as re-exports (flow RX) and the importer
                              does not book under it, as far as the importer is short of them
    other codes               one heading, much the same weight, two codes
    confidential              codes that hide the goods, less goods that the other side alone names,
                              which may be the same
    one side only             the other goods that one side alone reports
    quantity                  of goods whose weights differ out of line, be it one good or all:
                              (1 + rate) times the exporter's price, times the difference in weight,
                              less timing and re-exports
    price                     of goods whose unit values are out of line: the importer's value less
                              its weight at the exporter's price and the rate
    rest                      differences of the usual size, and goods without a usable weight on
                              both sides
    ========================= ====================================================================

    The bars add up to imports minus exports, exactly. Rate and share are taken from the pair itself
    where it has enough goods: the median difference in unit values, a regression of weights on
    weights of this month and the month before. Out of line is a difference of more than six usual
    deviations; of fewer than twelve goods every one counts. An importer that also reports FOB
    (column ``fob_usd``) or whose valuation is FOB needs no estimate. Else the rate lies between 2
    and 12 % and the share between none and all. A misstatement by the same rate in all goods cannot
    be told from freight. Amounts are in USD as each publisher converted them: a difference in
    exchange rates is part of price.

    Parameters
    ----------
    exports, imports : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows of the table ``trade`` as the exporters (flow X, and RX if there are any) and as the
        importers (flow M) report them, of one pair or of all; or one table of both flows, such as
        Parquet files, alone. The month before the window tells what was under way.
    window : str
        Months, such as ``"2022"`` or ``"2022-03/2023-02"``.
    freight : Interval or float, optional
        A rate to use instead.
    estimated, published
        As in `bridge`.

    Returns
    -------
    Mirror

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        As `bridge`; two HS revisions in Parquet files, or months that a side lacks.

    References
    ----------
    Gaulier and Zignago (2010), BACI; Miao and Fortanier (2017), Estimating transport and insurance
    costs of international trade; Fisman and Wei (2004), Tax rates and tax evasion.

    Examples
    --------
    >>> sent = pd.DataFrame({"reporter": "BRA", "partner": "CHN", "flow": "X", "freq": "A",
    ...     "period": pd.to_datetime(["2023-01-01"]), "code": "120190", "value_usd": 100.0,
    ...     "net_weight_kg": 50.0})
    >>> got = sent.assign(reporter="CHN", partner="BRA", flow="M", value_usd=105.0)
    >>> found = mirror(sent, got, "2023", freight=0.05)
    >>> found.bar("freight"), float(found.table["value"].sum())
    (Interval(low=5.0, high=5.0), 5.0)
    """
    wanted = Window.parse(window)
    if freight is not None and not isinstance(freight, Interval):
        freight = Interval(freight, freight)
    with opened(_one_table(exports, imports), _USED) as relation:
        wide = Window(wanted.first - 1, wanted.last).sql()
        within = f"{wide} AND flow IN {_FLOWS}"
        seen = census(relation, "net_weight_kg", within, estimated=estimated, apart=True)
        sides = [seen.of("X"), seen.of("M")]
        late: dict[str, tuple[str, ...]] = {}
        for side in sides:
            late |= left_out(side, [wanted], published)[0]
        annual = sides[0].annual
        both = f"{wanted.sql()} AND flow IN ('X', 'M')"
        renumbered(relation, (wanted, wanted), both, now="flow = 'M'")
        before = any(d.year * 12 + d.month == wanted.first for d in sides[0].value_of)
        out = f" AND reporter NOT IN ({quoted(*late)})" if late else ""
        settings: dict[str, Any] = {
            "freight": freight, "estimated": estimated, "annual": annual, "without": out,
            "known_before": before and not annual,
        }  # fmt: skip
        pairs = relation.frame(mirror_sql(relation.columns, window, **settings)).fillna(0.0)
        if pairs.empty:
            raise UnknownCode("no pair of countries", "trade in the window", "choose another")
        if pairs["twice"].any():
            unique(relation, within, "net_weight_kg", 12 if annual else 1)
        goods, weights = pd.DataFrame(columns=[*_ORDER, "code", "odd"]), pd.DataFrame()
        if len(pairs) <= _FEW:
            goods = relation.frame(mirror_sql(relation.columns, window, select=_GOODS, **settings))
        if len(pairs) == 1:
            weights = relation.frame(_weights(relation.columns, wanted, estimated, out))
    months = len(wanted.whole(12)) if annual else len(wanted)
    table = _table(pairs, months, settings["known_before"])
    notes = _notes(pairs, table, goods, weights, late, freight)
    return Mirror(str(wanted), table, pairs, goods, notes, seen.origins, late)


def mirror_sql(
    columns: Sequence[str],
    window: str | int = "2022",
    *,
    freight: Interval | None = None,
    estimated: str = "unpriced",
    annual: bool = False,
    known_before: bool = True,
    without: str = "",
    select: str = "SELECT * FROM pair ORDER BY exporter, importer",
) -> str:
    """Return the mirror as DuckDB SQL over a table ``trade`` of both flows."""
    wanted, lag = Window.parse(window), 12 if annual else 1
    wanted = wanted.whole(lag)
    wide = Window(wanted.first - (0 if annual else 1), wanted.last)
    fob = ["fob_usd"] if "fob_usd" in columns else []
    fob += ["CASE WHEN valuation = 'FOB' THEN value_usd END"] if "valuation" in columns else []
    rate = freight or FREIGHT
    years = annual and len(wanted) <= 240  # a bit a flow and year in one number: one pass is enough
    return _SQL.format(
        month=month(lag),
        hidden=hidden(columns),
        quantity=usable(columns, "net_weight_kg", estimated),
        fob=f"CAST(coalesce({', '.join([*fob, 'NULL'])}) AS DOUBLE)",
        within=f"{wide.sql()} AND flow IN {_FLOWS}{without}",
        bit=f"(CAST(1 AS BIGINT) << CAST((m - {wanted.first}) / 4 AS INTEGER))" if years else "1",
        rows="side" if years else "cell",
        twice="sum(bit) - bit_or(bit)" if years else "max(bit)",
        first=wanted.first,
        last=wanted.last,
        lag=lag,
        alike=_ALIKE,
        odd=_ODD,
        needed=_NEEDED,
        z=_Z,
        own="FALSE" if freight else "TRUE",
        known_before="TRUE" if known_before else "FALSE",
        rate=float(rate.middle if freight else _CENTRE),
        rate_low=float(rate.low),
        rate_high=float(rate.high),
        select=select,
    )


def _one_table(exports: Any, imports: Any) -> Any:
    """Return both sides as one table, on codes that hold the same goods on both."""
    if imports is None:
        return exports
    both = [getattr(rows, "frame", rows) for rows in (exports, imports)]
    if not all(isinstance(rows, pd.DataFrame) for rows in both):
        raise SchemaMismatch(
            "two tables that are no frames", "two frames, or one table of both flows",
            "read them with pandas, or pass one path for both",
        )  # fmt: skip
    kept = []
    for rows, flows in zip(both, (("X", "RX"), ("M",)), strict=True):
        rows = rows if "flow" in rows else rows.assign(flow=flows[0])
        kept.append(rows[rows["flow"].isin(flows)])
    return pd.concat(on_one_revision(kept), ignore_index=True)


def on_one_revision(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return tables on codes that hold the same goods in all of them."""
    named = {s for t in tables if "code_system" in t for s in t["code_system"].unique()}
    spans = [hs.span(name) for name in named]
    if len(named) < 2 or None in spans:
        return list(tables)
    ends = [end for span in spans if span for end in span]
    return [concord(t, to=hs.system(min(ends), max(ends))).frame for t in tables]


def _weights(columns: Sequence[str], window: Window, estimated: str, without: str) -> str:
    """Return the SQL of one pair's weights on both sides, and how much of them is usable."""
    quantity = usable(columns, "net_weight_kg", estimated)
    system = "max(trade_system)" if "trade_system" in columns else "NULL"
    return (
        "SELECT flow, sum(CAST(net_weight_kg AS DOUBLE)) AS kg,"  # noqa: S608
        f" coalesce(sum({quantity}), 0) AS usable_kg, {system} AS trade_system"
        f" FROM trade WHERE {window.sql()} AND flow IN ('X', 'M'){without} GROUP BY flow"
    )


def _table(pairs: pd.DataFrame, months: int, known_before: bool) -> pd.DataFrame:
    """Return the bars of all pairs: value, range, and the trade that each is about."""
    p = pairs
    f = 1 + p["f"]
    ends = p[["s_low", "s_high"]].mul(p["shift"], axis=0)
    if not known_before:  # a month on average, sent before or arriving after
        ends = pd.concat([-f * p["both_e"] / months, f * p["both_e"] / months], axis=1)
    late = ends.min(axis=1), ends.max(axis=1)
    parts = p[["weighed", "unweighed", "recoded"]].set_axis(["quantity", "rest", "codes"], axis=1)
    share = parts.div(parts.sum(axis=1).replace(0.0, 1.0), axis=0)
    unsure = share.mul((late[1] - late[0]) / 2, axis=0)
    around = {}
    for name in (*unsure, "price"):
        room = p[f"{name}_room"] + unsure.get(name, 0.0)
        around[name] = p[name], p[name] - room, p[name] + room
    named_i = (p["hidden_e"] * f - p["hidden_i"]).clip(lower=0).clip(upper=p["alone_i"])
    named_e = (p["hidden_i"] / f - p["hidden_e"]).clip(lower=0).clip(upper=p["alone_e"])
    guess = (p["f_high"] - p["f_low"] + p["noise"]) * (named_i + named_e)
    secret, alone = p["hidden_i"] - p["hidden_e"], p["alone_i"] - p["alone_e"]
    freight, again = (tuple(p[f"{name}{end}"] for end in ("", "_low", "_high"))
                      for name in ("freight", "reexports"))  # fmt: skip
    bars = (
        (freight, "both_e", "both_i"),
        ((p["timing"] if known_before else p["f"] * 0.0, *late), "both_e", "both_i"),
        (again, "reexported", ""),
        (around["codes"], "recoded_e", "recoded_i"),
        (_either(secret, named_i - named_e, guess), "hidden_e", "hidden_i"),
        (_either(alone, named_e - named_i, guess), "alone_e", "alone_i"),
        *((around[name], "both_e", "both_i") for name in ("quantity", "price", "rest")),
    )
    frames = [
        p[_ORDER].assign(
            cause=cause, value=value, low=low, high=high, exports=p[sent],
            imports=p[got] if got else 0.0,
        )
        for cause, ((value, low, high), sent, got) in zip(CAUSES, bars, strict=True)
    ]  # fmt: skip
    return pd.concat(frames).sort_values(_ORDER, kind="stable", ignore_index=True)


def _either(whole: pd.Series, same: pd.Series, guess: pd.Series) -> tuple[Any, Any, Any]:
    """Return a bar between two readings: hidden and named goods are the same, drawn, or others."""
    drawn = whole + same
    return drawn, np.minimum(whole, drawn - guess), np.maximum(whole, drawn + guess)


def _notes(
    pairs: pd.DataFrame,
    table: pd.DataFrame,
    goods: pd.DataFrame,
    weights: pd.DataFrame,
    late: Mapping[str, Any],
    freight: Interval | None,
) -> tuple[str, ...]:
    """Say what one pair's ranges rest on, and whose weights tell nothing."""
    notes = [said({}, late).strip()] if late else []
    if len(pairs) > 1:
        return tuple(notes)
    if freight is None and not pairs["own"].any():
        notes.append(f"Freight is assumed to add {FREIGHT:.0%}: too few goods of the pair tell it.")
    elif freight is None:
        added = table[table["cause"] == "freight"].iloc[0]
        notes.append(
            f"Freight adds {percent(added['value'] / added['exports'])} to what is sent: the median"
            " of the pair's own goods, unit value against unit value."
        )
    odd = goods[goods["odd"].abs() > _ODD]
    if len(odd):
        notes.append(f"Unit values are out of line in {few(odd['code'])}.")
    weights = weights.set_index("flow")
    systems = weights["trade_system"].dropna()
    if len(set(systems)) > 1:
        notes.append(
            f"The exporter counts {systems['X']} trade, the importer {systems['M']}: goods through"
            " warehouses and free zones are in one of them alone, and part of the rest."
        )
    whose = {"X": "the exporter's", "M": "the importer's"}
    little = weights.index[weights["usable_kg"] < weights["kg"] / 2]
    poor = [whose[flow] for flow in ("X", "M") if flow in little]
    if poor and len(weights) == 2:
        notes.append(
            f"The exporter's weight is {amount(float(weights['kg']['X']), 'kg')}, the importer's"
            f" {amount(float(weights['kg']['M']), 'kg')}; {joined(poor)} is estimated or not"
            " usable, so that the difference says nothing of quantities."
        )
    return tuple(notes)


def _usd(x: float, *, sign: bool = False) -> str:
    return amount(x, "USD", sign=sign)
