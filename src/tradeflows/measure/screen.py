"""Who else: every pair of countries screened for goods that grew out of step with its other goods.

Amounts are those of the one bridge; the rest is ranks, in one SQL text beside it (`screen_sql`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.codes.groups import high_priority
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.measure import queries
from tradeflows.measure.bridge import bridge_sql
from tradeflows.measure.screened import Screen
from tradeflows.measure.window import Window
from tradeflows.quality.census import census
from tradeflows.quality.relation import PREFIXES, Relation, one_or_more, opened, status_column

__all__ = ["Goods", "Screen", "screen", "screen_sql"]

LEVEL = 0.10
NEEDED = 8
OTHER = "other goods"
WEIGHT = "net_weight_kg"
_LISTED = "listed goods"
_USED = ("reporter", "partner", "period", "code", "value_usd", WEIGHT)

Goods = str | Collection[str] | Mapping[str, Collection[str]]


def screen(
    trade: Any,
    base: str,
    current: str,
    *,
    target: str | None = None,
    goods: Goods = "2024-02",
    placebo: str | Mapping[str, Collection[str]] = "chapter",
    flow: str = "X",
    least: float = 1e6,
    needed: int = NEEDED,
    level: float = LEVEL,
    estimated: str = "unpriced",
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

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows of all pairs; or the path of Parquet files (a glob works), which stream and may be
        larger than memory.
    base, current : str
        Windows such as ``"2021"`` or ``"2022-03/2023-02"``; each is summed first.
    target : str, optional
        Partner whose pairs are judged, such as ``"RUS"``; every pair by default.
    goods : str, collection of str, or mapping
        Version of the high-priority list; or codes, or beginnings of codes; or several groups by
        name.
    placebo : {"chapter", "heading", "subheading"} or mapping
        Groups of the other goods; with a mapping, goods in no group are no placebo.
    flow : str
        ``X`` or ``M``; ignored where the table has no flows.
    least : float
        USD. Groups that reach it in neither window are not judged.
    needed : int
        Destinations of the goods, and other groups in the pair, below which a case is not judged.
    level : float
        Share of false finds that is accepted among the finds.
    estimated : {"unpriced", "accepted"}
        As in `bridge`.

    Returns
    -------
    Screen

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        As `bridge`.
    UnknownCode
        None of the goods occurs, nothing goes to the target, or the table has no such flow.

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
    with opened(trade, _USED) as relation:
        listed = _listed(relation, goods)
        query = screen_sql(
            relation.columns,
            base,
            current,
            target=target,
            goods=listed,
            placebo=placebo,
            flow=flow,
            least=least,
            needed=needed,
            estimated=estimated,
        )
        windows = Window.parse(base), Window.parse(current)
        months = f"({windows[0].sql()} OR {windows[1].sql()})"
        within = f"{months} AND {_of(flow, relation.columns)}"
        seen = census(relation, WEIGHT, within, estimated=estimated)
        if not seen.value_of:
            _refuse_flow(relation, flow)
        for window in windows:
            window.require(seen.value_of, annual=seen.annual)
        rows = relation.frame(query)
    if rows.empty:
        raise UnknownCode(
            f"none of the listed goods {f'goes to {target}' if target else 'is traded'}",
            "codes and partners as the table writes them",
            "check goods= and target=",
        )
    if rows["repeats"].max() > 0:
        raise SchemaMismatch(
            "rows share a key",
            "one row per reporter, partner, code and period",
            "sum them first, or keep one of them",
        )
    known = rows["value_current"].sum()
    return Screen(
        str(windows[0]),
        str(windows[1]),
        target,
        least,
        level,
        float(rows["priced_current"].sum() / known) if known else 0.0,
        _judged(rows, level),
        seen.origins,
    )


def _judged(rows: pd.DataFrame, level: float) -> pd.DataFrame:
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
    ranks = ["among_destinations", "destinations", "among_placebos", "placebos"]
    rows[ranks] = rows[ranks].astype("Int64")
    named = ["reporter", "partner", "goods", "value_base", "value_current", "change"]
    bars = ["price", "volume", "entry", "exit", "unpriced", "weighed", "growth"]
    columns = [*named, *bars, *ranks[:2], "excess", "score", *ranks[2:], "p", "q", "stands_out"]
    order = ["p", "score", "reporter", "partner", "goods"]
    rows = rows.sort_values(order, ascending=[True, False, True, True, True])
    return rows[columns].reset_index(drop=True)


def screen_sql(
    columns: Sequence[str],
    base: str,
    current: str,
    *,
    target: str | None = None,
    goods: Mapping[str, Collection[str]],
    placebo: str | Mapping[str, Collection[str]] = "chapter",
    flow: str = "X",
    least: float = 1e6,
    needed: int = NEEDED,
    estimated: str = "unpriced",
) -> str:
    """Return the screen as DuckDB SQL over a table ``trade`` with these columns.

    Parameters
    ----------
    columns : sequence of str
        Columns of the table.
    base, current, target, placebo, flow, least, needed, estimated
        As in `screen`.
    goods : mapping
        Codes, or beginnings of codes, by name of the group.

    Examples
    --------
    >>> "GROUPING SETS" in screen_sql(["reporter", "partner", "period", "code", "value_usd",
    ...     "net_weight_kg"], "2021", "2022", goods={"chips": ["8542"]})
    True
    """
    used = [*_USED, *(c for c in (status_column(WEIGHT), "confidential") if c in columns)]
    tested = f"partner = {_quoted(target)}" if target else "TRUE"
    return queries.text("screen").format(
        columns=", ".join(used),
        flow=_of(flow, columns),
        bridge=bridge_sql(
            used,
            base,
            current,
            by=("reporter", "partner", "goods"),
            path="two-point",
            estimated=estimated,
            of_code={"goods": _grouped(goods, placebo)},
        ),
        listed=", ".join(map(_quoted, goods)),
        other=_quoted(OTHER),
        least=f"{float(least)!r}",
        needed=int(needed),
        tested=f"c.{tested}" if target else tested,
        tested_amounts=f"e.{tested}" if target else tested,
    )


def _listed(relation: Relation, goods: Goods) -> dict[str, Collection[str]]:
    if isinstance(goods, Mapping):
        named = dict(goods)
    elif not isinstance(goods, str):
        named = {_LISTED: goods}
    else:
        systems = (
            relation.frame("SELECT DISTINCT code_system FROM trade ORDER BY 1")
            if ("code_system" in relation.columns)
            else pd.DataFrame({"code_system": ["HS2022"]})
        )
        table = high_priority(goods)
        column = str(systems["code_system"].iloc[0]).lower()
        if column not in table:
            raise UnknownCode(
                f"no high-priority list in {column!r}",
                "a table in HS2012, HS2017 or HS2022",
                "pass the codes as goods=",
            )
        named = {_LISTED: table[column].dropna().unique().tolist()}
    if not named or not all(len(codes) for codes in named.values()):
        raise UnknownCode("a group of goods without codes", "at least one code", "check goods=")
    return named


def _refuse_flow(relation: Relation, flow: str) -> None:
    if "flow" not in relation.columns:
        return
    flows = relation.frame("SELECT DISTINCT flow FROM trade ORDER BY flow")["flow"].dropna()
    if flow not in set(flows):
        raise UnknownCode(
            f"no rows of flow {flow!r}",
            f"a flow of the table: {', '.join(map(str, flows)) or 'none is named'}",
            "pass one of them as flow=",
        )


def _of(flow: str, columns: Sequence[str]) -> str:
    return f"flow = {_quoted(flow)}" if "flow" in columns else "TRUE"


def _grouped(goods: Mapping[str, Collection[str]], placebo: str | Mapping[str, Any]) -> str:
    cases = [f"WHEN {_begins(codes)} THEN {_quoted(name)}" for name, codes in goods.items()]
    if isinstance(placebo, Mapping):
        if set(placebo) & set(goods):
            raise ValueError("a placebo group has the name of a group of listed goods")
        cases += [f"WHEN {_begins(codes)} THEN {_quoted(name)}" for name, codes in placebo.items()]
        return f"CASE {' '.join(cases)} ELSE {_quoted(OTHER)} END"
    if placebo not in PREFIXES:
        raise ValueError(f"placebo={placebo!r}: expected one of {', '.join(PREFIXES)}")
    return f"CASE {' '.join(cases)} ELSE left(code, {PREFIXES[placebo]}) END"


def _begins(codes: Collection[str]) -> str:
    codes = one_or_more(codes)
    lengths = sorted({len(code) for code in codes})
    parts = []
    for n in lengths:
        listed = ", ".join(_quoted(code) for code in sorted(set(codes)) if len(code) == n)
        parts.append(f"left(code, {n}) IN ({listed})")
    return " OR ".join(parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
