"""Who else: every pair of countries screened for goods that grew out of step with its other goods.

Amounts are those of the one bridge; the rest is ranks, in one SQL text beside it (`screen_sql`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.codes.countries import from_name, spoken
from tradeflows.codes.groups import high_priority, listed
from tradeflows.codes.hs import REVISIONS
from tradeflows.errors import UnknownCode
from tradeflows.measure.bridge import bridge_sql
from tradeflows.measure.window import Published, left_out, renumbered, said, same_length
from tradeflows.periods import Window, either
from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import one_or_more, opened, quoted, status_column
from tradeflows.result import Result
from tradeflows.words import Sentence, amount, few, percent

_SQL = files("tradeflows.measure").joinpath("screen.sql").read_text("utf-8")
LEVEL = 0.10
NEEDED = 8
WEIGHT = "net_weight_kg"
_LISTED = "listed goods"
_NEEDED = ("reporter", "partner", "period", "code", "value_usd")


@dataclass(frozen=True, eq=False)
class Screen(Result):
    """Pairs of countries and what became of their trade in listed goods.

    ``least_p`` is the smallest p that as many placebo groups allow; ``codes`` are the listed codes
    that the table holds, and all of them.
    """

    base: str
    current: str
    target: str | None
    least: float
    level: float
    coverage: float
    least_p: float
    codes: tuple[int, int]
    table: pd.DataFrame = field(repr=False)
    origins: tuple[str, ...] = field(repr=False, default=())
    late: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)
    new: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    @property
    def found(self) -> pd.DataFrame:
        """The rows that stand out."""
        return self.table[self.table["stands_out"]]

    def sentence(self) -> Sentence:
        """Say how many pairs stand out, which first, who was not judged and why, who is left out.

        Unjudged is not cleared: those that grew most are named.
        """
        judged = int(self.table["p"].notna().sum())
        which = few(map(self.named, self.found.itertuples()))
        least = min(1.0, judged * self.least_p) if judged else 1.0
        out = (
            f"From {self.base} to {self.current}, listed goods grew out of step in"
            f" {len(self.found)} of {judged} cases, false finds held to {percent(self.level)}"
            f"{which and f': {which}'}. One case alone out of step could reach a corrected p of"
            f" {least:.2g} at best."
        ) if judged else (
            f"From {self.base} to {self.current}, whether listed goods grew out of step cannot be"
            f" determined: none of {len(self.table)} cases can be judged."
        )  # fmt: skip
        return Sentence(
            f"{out}{self._unjudged()} The table holds {self.codes[0]} of {self.codes[1]} listed"
            f" codes. Weights make a price for {percent(self.coverage)} of the current value."
            f"{said(self.new, self.late)}"
        )

    def _unjudged(self) -> str:
        rows = self.table[self.table["unjudged"] != ""]
        grew = [percent(x / 100, sign=True) for x in rows["growth_percent"].tolist()]
        names = [
            f"{self.named(row)} ({growth}; {row.unjudged})"
            for row, growth in zip(rows.itertuples(), grew, strict=True)
        ]
        return f" Not judged, which is not cleared: {few(names)}." if names else ""

    def named(self, row: Any) -> str:
        """Return the name of a row: reporter and partner, as far as they differ."""
        ends = [row.reporter] if self.target else [row.reporter, row.partner]
        return " to ".join(map(spoken, ends))


def screen(
    trade: Any,
    base: str | int,
    current: str | int,
    *,
    target: str | None = None,
    goods: str | Collection[str] = "2024-02",
    flow: str = "X",
    least: float = 1e6,
    needed: int = NEEDED,
    level: float = LEVEL,
    estimated: str = "unpriced",
    published: Published = None,
) -> Screen:
    r"""Screen pairs of countries for listed goods that grew out of step.

    Growth of a group of goods from a reporter to a partner is ln((v1 + least) / (v0 + least)), so
    that goods new to a pair count too and small amounts do not. Excess growth is what remains after
    the median over the reporter's destinations of the same goods and then the median over the
    pair's goods (a median polish). The score divides it by the median deviation among flows of its
    size (tenths by base value).

    The null hypothesis: among the goods of a pair, the listed ones are one more placebo group, as
    likely as any to have a given score. p is the share of placebo groups of all pairs asked about
    whose score is at least as large, the case itself counted. Such p-values share one reference
    set, under which Benjamini and Hochberg's correction still holds the share of false finds.
    A low p says that the goods stand out in the pair; it does not say why.

    Reporters without any row in some month of the windows are left out and named: they have not
    published it, and taken for a zero it would make a fall of everything they trade. One without
    rows in the earlier window, and with every month from its first row on, is new and stays in:
    what it is taken not to have traded is named. ``published`` says which months are published.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows of all pairs; or the path of Parquet files (a glob works), which stream and may be
        larger than memory. Without ``net_weight_kg`` growth is judged alike, and nothing has a
        price.
    base, current : str or int
        Windows such as ``"2021"`` or ``"2022-03/2023-02"``; each is summed first.
    target : str, optional
        Partner whose pairs are judged, such as ``"RUS"``; every pair by default.
    goods : str or collection of str
        Version of the high-priority list, in the HS revision of the rows; or codes, or beginnings
        of codes. The other goods are placebos, chapter by chapter.
    flow : str
        ``X`` or ``M``; ignored where the table has no flows.
    least : float
        USD. Groups that reach it in neither window are not judged.
    needed : int
        Destinations of the goods, and other groups in the pair, below which a case is not judged.
    level : float
        Share of false finds that is accepted among the finds.
    estimated, published
        As in `bridge`.

    Returns
    -------
    Screen
        Its ``table`` has a row a pair, the most striking first: amounts in USD, ``weighed`` (share
        of the current value that has a price), ``growth_percent`` (of value + least, on which the
        ranks are), ranks, ``excess``, ``score``, p, its corrected q, and whether it stands out.

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        As `bridge`; no reporter has every month.
    UnknownCode
        None of the goods occurs or goes to the target; the table has no such flow.
    ValueError
        An option is out of its range.

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57(1). Bates, Candès,
    Lei, Romano and Sesia (2023), Testing for outliers with conformal p-values, Annals of Statistics
    51(1). Tukey (1977), Exploratory Data Analysis.

    Examples
    --------
    >>> codes = ["854231", *(f"{chapter}0100" for chapter in range(60, 84))]
    >>> rows = [(year, r, p, c, 1e6 * (1 + (hash_ * 7919 % 97) / 97 * (year - 2021)
    ...     + 9 * (year == 2022 and (r, p, c) == ("KGZ", "RUS", "854231"))))
    ...     for year in (2021, 2022) for i, r in enumerate(["KGZ", "TUR", "GEO"])
    ...     for j, p in enumerate(["RUS", *"ABCDEFGHI"]) for k, c in enumerate(codes)
    ...     for hash_ in [10000 * i + 100 * j + k]]
    >>> trade = pd.DataFrame(rows, columns=["period", "reporter", "partner", "code", "value_usd"])
    >>> trade["period"] = pd.to_datetime(trade["period"].astype(str))
    >>> trade = trade.assign(freq="A", net_weight_kg=trade["value_usd"] / 10)
    >>> found = screen(trade, base="2021", current="2022", target="RUS", goods=["8542"])
    >>> found.found["reporter"].tolist(), float(found.found["p"].iloc[0]) < 0.02
    (['KGZ'], True)
    """
    codes: tuple[str, ...] = ()
    if isinstance(goods, str):
        high_priority(goods)  # refuses what is no version
    elif not all(codes := one_or_more(goods)) or not codes:
        raise UnknownCode("goods without codes", "at least one code", "check goods=")
    for name, number, most in (("least", least, math.inf), ("level", level, 1.0)):
        if not 0 < number < most:
            raise ValueError(f"{name}={number!r}: expected more than 0, less than {most}")
    windows = Window.parse(base), Window.parse(current)
    with opened(trade, _NEEDED, optional=[WEIGHT]) as relation:
        within = f"{either(*windows)} AND {_of(flow, relation.columns)}"
        seen = census(relation, WEIGHT, within, estimated=estimated)
        if not seen.value_of and flow not in (flows := relation.distinct("flow") or [flow]):
            raise UnknownCode(
                f"no rows of flow {flow!r}", f"a flow of the table: {', '.join(flows)}",
                "pass one of them as flow=",
            )  # fmt: skip
        same_length(*windows, seen.lag)
        late, new = left_out(seen, windows, published)
        renumbered(relation, windows, within)
        if target and target not in relation.distinct("partner", within):
            with suppress(UnknownCode):  # else none of the goods goes there
                target = from_name(target)
        system = [*relation.distinct("code_system", within), REVISIONS[-1]][0]  # none: the newest
        codes = codes or listed(str(goods), system)
        query = screen_sql(
            relation.columns, base, current, target=target, goods=codes, flow=flow, least=least,
            needed=needed, estimated=estimated, without=tuple(late), annual=seen.annual,
        )  # fmt: skip
        rows = relation.frame(query)
        if rows["repeats"].max() > 0:
            unique(relation, within, WEIGHT, seen.lag)
        traded = relation.distinct("code", within)
    if rows.empty:
        among = f" by reporters with every month ({len(late)} lack some)" if late else ""
        raise UnknownCode(
            f"none of the listed goods {f'goes to {target}' if target else 'is traded'}{among}",
            "codes and partners as the table writes them",
            "check goods= and target=",
        )
    worth = rows["value_current"].sum()
    coverage = float(rows["priced_current"].sum() / worth) if worth else 0.0
    (old, now), table = map(str, windows), _judged(rows, level, least, needed)
    least_p = float(rows["least_p"].iloc[0])
    held = sum(any(code.startswith(one) for code in traded) for one in codes), len(codes)
    return Screen(
        old, now, target, least, level, coverage, least_p, held, table, seen.origins, late, new
    )


def _judged(rows: pd.DataFrame, level: float, least: float, needed: int) -> pd.DataFrame:
    from scipy.stats import false_discovery_control

    rows["change"] = rows["value_current"] - rows["value_base"]
    rows["weighed"] = rows["priced_current"] / rows["value_current"].where(
        rows["value_current"] > 0
    )
    known = rows["p"].notna()
    rows["q"] = np.nan
    if known.any():
        rows.loc[known, "q"] = false_discovery_control(rows.loc[known, "p"].to_numpy("float64"))
    rows["stands_out"] = rows["q"] <= level
    rows["growth_percent"] = 100 * np.expm1(rows["growth"])
    why = pd.Series("flows of its size did not move", rows.index)
    for lacks, words in (
        ("others", f" of the {needed} other groups of goods needed"),
        ("destinations", f" of the {needed} destinations of these goods needed"),
    ):
        number = rows[lacks].fillna(0).astype("int64")
        why = why.mask(number < needed, number.astype("str") + words)
    why = why.mask(rows["destinations"].isna(), f"below {amount(least, 'USD')} in both windows")
    rows["unjudged"] = why.mask(known, "")
    ranks = ["among_destinations", "destinations", "among_placebos", "placebos"]
    rows[ranks] = rows[ranks].astype("Int64")
    named = ["reporter", "partner", "value_base", "value_current", "change"]
    bars = ["price", "volume", "entry", "exit", "unpriced", "weighed", "growth_percent"]
    columns = [*named, *bars, *ranks[:2], "excess", "score", *ranks[2:], "p", "q", "stands_out",
               "unjudged"]  # fmt: skip
    order = ["p", "score", "growth", "reporter", "partner"]
    rows = rows.sort_values(order, ascending=[True, False, False, True, True])
    return rows[columns].reset_index(drop=True)


def screen_sql(
    columns: Sequence[str],
    base: str | int,
    current: str | int,
    *,
    target: str | None = None,
    goods: Collection[str],
    flow: str = "X",
    least: float = 1e6,
    needed: int = NEEDED,
    estimated: str = "unpriced",
    without: Collection[str] = (),
    annual: bool = False,
) -> str:
    """Return the screen as DuckDB SQL over a table ``trade`` with these columns."""
    used = [*_NEEDED, WEIGHT, *(c for c in (status_column(WEIGHT), "confidential") if c in columns)]
    tested = f"partner = {quoted(target)}" if target else "TRUE"
    left = f" AND coalesce(reporter NOT IN ({quoted(*without)}), TRUE)" if without else ""
    bridged = bridge_sql(
        used, base, current, by=("reporter", "partner", "goods"), path="two-point",
        estimated=estimated, of_code={"goods": _grouped(one_or_more(goods))},
        lag=12 if annual else 1,
    )  # fmt: skip
    return _SQL.format(
        columns=", ".join(used),
        flow=f"{_of(flow, columns)}{left}",
        bridge=bridged,
        listed=quoted(_LISTED),
        least=f"{float(least)!r}",
        needed=int(needed),
        tested=f"c.{tested}" if target else tested,
        tested_amounts=f"e.{tested}" if target else tested,
    )


def _of(flow: str, columns: Sequence[str]) -> str:
    return f"flow = {quoted(flow)}" if "flow" in columns else "TRUE"


def _grouped(codes: Collection[str]) -> str:
    """Return the SQL of a code's group: listed, or its chapter."""
    parts = []
    for n in sorted({len(code) for code in codes}):
        parts.append(f"left(code, {n}) IN ({quoted(*sorted({c for c in codes if len(c) == n}))})")
    return f"CASE WHEN {' OR '.join(parts)} THEN {quoted(_LISTED)} ELSE left(code, 2) END"
