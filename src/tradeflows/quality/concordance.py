"""Trade on codes that hold the same goods throughout, whatever HS revisions its rows came in.

A code that splits in a new revision looks like a good that vanished and two that appeared. Here
such codes are summed to their family; no value is lost, and each row says what the correspondence
tables leave open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.codes import hs
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch, UnknownCode
from tradeflows.quality.relation import opened, require_columns
from tradeflows.sums import ABOUT, AMOUNTS, summed
from tradeflows.words import few

_NEEDED = ("period", "code", "value_usd")
_SYSTEMS = ("code_system", "classificationCode", "classification_code")
# Goods of the HS: codes of six digits, tariff lines under them, families of several codes.
_GOODS = r"\d{6}(?:\d\d)*|\d{6}[+ ].*"
# Pseudo-codes of six digits or more: chapters that the HS keeps free, and hidden goods of one.
_PSEUDO = r"(?:77|98|99)\d*|\d\d(?:99){2,}|\d\d(?:00){2,}|2799(?:\d\d)*"
_WORDS = r"(?s).*[^0-9.\s].*"
_OF_SUMS = ("quantity_unit", "confidential", "open_to", "level", "cmdDesc", "description")


@dataclass(frozen=True, eq=False)
class Concorded:
    """Trade on codes that can be compared.

    Parameters
    ----------
    frame : pandas.DataFrame
        The columns that came, ``code_system`` (the revisions that the codes hold for, such as
        ``HS2017-HS2022``) and ``open_to``: the headings with which the tables say that the goods of
        a row may be shared, in some month; empty where none.
    system : str
        What ``code_system`` says now.
    """

    frame: pd.DataFrame = field(repr=False)
    system: str


def concord(trade: Any, to: str = "families") -> Concorded:
    """Bring trade of several HS revisions to codes that hold the same goods throughout.

    Codes are joined to families (see `tradeflows.codes.hs.families`) and summed within every
    period, flow and pair of countries; what is the same code in every revision keeps its name. A
    sum has the weakest status of its parts: a weight only if every part with a value has one,
    reported only if every part's is. Quantities in unequal units are not summed. Tariff lines of 8,
    10 or 12 digits count to their first six. Totals, chapters, headings and pseudo-codes stay as
    they are; a heading whose goods moved to another keeps the revision it came in, so that no
    measure compares it over the change.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, or path of Parquet files
        ``period``, ``code``, ``value_usd``, and the HS revision of each row in ``code_system`` (or
        Comtrade's ``classificationCode``). Where that is absent, the newest revision in force that
        has all codes of a reporter's month.
    to : str
        ``families``: as few codes as possible are joined, over the revisions in the rows.
        ``HS2012-HS2022``: families over these revisions, so that tables brought to it fit one
        another. A revision, such as ``HS2017``: newer codes go where the conversion table sends
        them, which is for joining other tables of that revision; families are what to compare over
        time. Of an older code that was divided later the codes of its family become one.

    Returns
    -------
    Concorded
        `frame` has the total value of every period, flow and pair that the rows had; measures take
        the result itself or its frame.

    Raises
    ------
    UnknownCode
        Codes that no revision has, or not the one that their rows name; `to` is no revision.
    SchemaMismatch
        No column for the period, the code or the value, codes that are no text or have an odd
        number of digits, a revision that can be told neither from a column nor from code and year.
    DoubleCountedTotals
        One code twice, or goods in two revisions or beside their tariff lines, in one period.

    References
    ----------
    United Nations Statistics Division, correspondence tables of the Harmonised System.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": pd.to_datetime(["2021-06-01", "2022-06-01", "2022-06-01"]),
    ...     "code_system": ["HS2017", "HS2022", "HS2022"], "code": ["851712", "851713", "851714"],
    ...     "value_usd": [100.0, 150.0, 10.0], "net_weight_kg": [10.0, 12.0, 1.0]})
    >>> concord(rows).frame[["code_system", "code", "value_usd", "net_weight_kg"]].values.tolist()
    [['HS2017-HS2022', '851712', 100.0, 10.0], ['HS2017-HS2022', '851712', 160.0, 13.0]]
    """
    frame = _frame(trade)
    codes = hs.hs_codes(frame["code"], where="column 'code'", also=_WORDS)
    rows = pd.DataFrame({"code": codes})
    rows["system"] = _systems(frame, rows["code"])
    each = rows.groupby(["code", "system"], sort=False)
    found = rows.drop_duplicates(ignore_index=True)
    families, target = _target(found["system"], to)
    placed = _placed(found, families, target).take(each.ngroup().to_numpy()).set_axis(frame.index)
    named = placed[["code_system", "code", "open_to"]]
    done = frame.assign(**{str(name): column for name, column in named.items()})
    if "level" in frame:
        done["level"] = frame["level"].mask(placed["good"], 6)
    not_told_apart = {"value_usd", *AMOUNTS, *AMOUNTS.values(), *ABOUT, *_OF_SUMS, *_SYSTEMS[1:]}
    floats = {name for name in frame if pd.api.types.is_float_dtype(frame[name].dtype)}
    key = [name for name in done if name not in not_told_apart | floats]
    group = done.groupby(key, sort=False, dropna=False, observed=True).ngroup()
    _refuse_doubles(done, rows, group)
    return Concorded(summed(done, group), target)


def alike(codes: pd.Series, systems: Collection[str]) -> bool:
    """Say whether codes hold the same goods in each of several code systems."""
    spans = [s for name in systems if (s := hs.span(name))]
    if len(spans) < len(systems):
        return False
    stable = hs.stable(min(a for a, _ in spans), max(b for _, b in spans))
    carried = codes.str.fullmatch(rf"TOTAL|{_PSEUDO}")  # whatever the revision
    return bool((carried | codes.str[:6].isin(stable)).all())


def _frame(trade: Any) -> pd.DataFrame:
    if isinstance(trade, Concorded):
        return trade.frame
    if not isinstance(trade, pd.DataFrame):
        with opened(trade, _NEEDED) as relation:
            trade = relation.frame("SELECT * FROM trade")
    require_columns(trade, _NEEDED)
    frame: pd.DataFrame = trade.reset_index(drop=True)
    return frame


def _systems(frame: pd.DataFrame, code: pd.Series) -> pd.Series:
    """Return the code system of every row, HS revisions and spans of them as `hs` spells them."""
    column = next((name for name in _SYSTEMS if name in frame), None)
    said = frame[column] if column else pd.Series(None, frame.index, dtype="object")
    names = {name: hs.system(*s) if (s := hs.span(name)) else str(name)
             for name in said.dropna().unique() if name not in ("", "HS")}  # fmt: skip
    system = said.map(names).astype("str")
    if (open_ := system.isna()).any():
        system[open_] = _by_year(frame[open_], code[open_])
    return system


def _by_year(frame: pd.DataFrame, code: pd.Series) -> pd.Series:
    """Return the newest revision in force that has all codes of a reporter's period."""
    if not pd.api.types.is_datetime64_any_dtype(frame["period"]) or frame["period"].isna().any():
        raise SchemaMismatch(
            "rows without an HS revision, whose periods are no dates",
            "code_system in every row, or the first day of each month as the period",
            "add the column code_system, such as 'HS2017'",
        )
    by = [name for name in ("reporter", "period") if name in frame]
    group = frame.groupby(by, observed=True, dropna=False, sort=False).ngroup()
    every = code.drop_duplicates()
    goods, names = every[_are_goods(every)], list(hs.REVISIONS)
    absent = pd.DataFrame({n: ~goods.str[:6].isin(hs.codes(n)) for n in names}).set_axis(goods)
    each = pd.DataFrame({"group": group, "code": code}).drop_duplicates()
    lacks = absent.reindex(each["code"], fill_value=False).set_axis(each["group"])
    missing = lacks.groupby(level=0).sum().to_numpy()
    years = frame["period"][~group.duplicated()].dt.year
    force = np.array([names.index(hs.in_force(int(year))) for year in years])[:, None]
    order = np.arange(len(names))
    best = (missing * 99 + np.where(order <= force, force - order, len(names) + order)).argmin(1)
    lost = np.flatnonzero(missing[np.arange(len(best)), best])
    if lost.size:
        here, name = (group == lost[0]).to_numpy(), names[best[lost[0]]]
        odd = sorted(set(code[here]) & set(absent.index[absent[name]]))
        raise SchemaMismatch(
            f"codes that no one HS revision has in {frame['period'][here].iloc[0]:%Y-%m}:"
            f" {few(odd, 12)} are not in {name}, which has most of them",
            "a column code_system that says which revision each row is in",
            "add it, such as trade.assign(code_system='HS2017'), or correct the codes",
        )
    return (
        pd.Series(np.array(names)[best], dtype="str").take(group.to_numpy()).set_axis(group.index)
    )


def _are_goods(codes: pd.Series) -> pd.Series:
    """Tell goods of the HS from what is carried through: totals, headings, pseudo-codes."""
    return codes.str.fullmatch(_GOODS) & ~codes.str.fullmatch(_PSEUDO)


def _target(systems: pd.Series, to: str) -> tuple[tuple[str, ...], str]:
    """Return which families codes are brought to, as `hs.families` is asked, and their name."""
    spans = [s for name in systems.unique() if (s := hs.span(name))]
    first = min((a for a, _ in spans), default=hs.REVISIONS[-1])
    last = max((b for _, b in spans), default=hs.REVISIONS[-1])
    if to == "families":
        return (first, last), hs.system(first, last)
    wanted = hs.span(to)
    if wanted is None:
        raise UnknownCode(
            f"to={to!r}", f"'families', one of {', '.join(hs.REVISIONS)}, or two as in"
            " 'HS2012-HS2022'", "choose one",
        )  # fmt: skip
    low, high = wanted
    if low == high:
        return (min(first, low), max(last, low), low), low
    if first < low or last > high:
        raise UnknownCode(
            f"to={to!r}, and rows of {first} to {last}",
            "families over all revisions that occur",
            f"pass to={hs.system(min(first, low), max(last, high))!r}",
        )
    return (low, high), hs.system(low, high)


def _placed(found: pd.DataFrame, families: tuple[str, ...], target: str) -> pd.DataFrame:
    """Return what each code of a system becomes; a code that its revision lacks is refused."""
    spans = {str(name): s for name in found["system"].unique() if (s := hs.span(name))}
    good = _are_goods(found["code"]) & found["system"].isin(spans)
    six = found["code"].mask(found["code"].str.isdigit(), found["code"].str[:6])
    ends = [hs.span(target) or (hs.REVISIONS[-1],) * 2, *spans.values()]
    routes = [_route(ends[0], families).assign(system="")]
    routes += [_route(span, families).assign(system=name) for name, span in spans.items()]
    at = found.assign(code=six).merge(pd.concat(routes), "left", on=["system", "code"])
    if (lost := good & at["family"].isna()).any():
        raise _unknown(found[lost])
    if (cut := good & (at["whole"] == False)).any():  # noqa: E712
        raise SchemaMismatch(
            f"families {few(found.loc[cut, 'code'], 12)} of"
            f" {', '.join(found.loc[cut, 'system'].unique())}, which {target} divides",
            "rows as they were published",
            "concord those instead",
        )
    stable = hs.stable(min(a for a, _ in ends), max(b for _, b in ends))
    heading = found["code"].str.fullmatch(r"\d{4}") & ~found["code"].str.fullmatch(_PSEUDO)
    stays = ~found["system"].isin(spans) | (heading & ~found["code"].isin(stable))
    return pd.DataFrame({
        "good": good,
        "code": found["code"].mask(good, at["family"]),
        "code_system": found["system"].where(stays, target),
        "open_to": at["open_to"].where(good, ""),
    })  # fmt: skip


@lru_cache(maxsize=64)
def _route(ends: tuple[str, str], families: tuple[str, ...]) -> pd.DataFrame:
    """Return where the codes of a revision go, or the families of an earlier call, if whole."""
    known = hs.families(*families)
    was = hs.families(*ends)[["revision", "code", "family"]].rename(columns={"family": "was"})
    there = was.merge(known, on=["revision", "code"])
    pairs = there.drop_duplicates(["was", "family"])["was"]
    there["whole"] = ~there["was"].isin(pairs[pairs.duplicated()])
    each = there.drop_duplicates("was")
    return each.assign(code=each["was"])[["code", "family", "open_to", "whole"]]


def _unknown(lost: pd.DataFrame) -> UnknownCode:
    words = []
    for code, system in lost.drop_duplicates()[["code", "system"]].to_numpy():
        others = [name for name in hs.REVISIONS if str(code)[:6] in hs.codes(name)]
        words.append(f"{code} in {system} (it is in {', '.join(others) or 'none'})")
    return UnknownCode(
        f"{len(lost)} codes that their HS revision does not have: {few(words, 12)}",
        "codes of the HS revision that code_system names",
        "correct code_system, or leave it out where code and year tell the revision",
    )


def _refuse_doubles(done: pd.DataFrame, rows: pd.DataFrame, group: pd.Series) -> None:
    """Refuse to sum one trade twice: a code that stands twice, or the goods in two revisions."""
    was = rows[group.duplicated(keep=False)].assign(group=group)
    # Names of families are of six digits, and so are the codes in them.
    was["digits"] = was["code"].str.len().where(was["code"].str.isdigit(), 6)
    several = was.groupby("group")[["system", "digits"]].transform("nunique") > 1
    odd = was.duplicated(["group", "code", "system"], keep=False)
    for twice, name in ((odd, ""), (several["system"], "system"), (several["digits"], "code")):
        if twice.any():
            at = was.index[was["group"] == was["group"][twice].iloc[0]]
            parts, first = done.loc[at], done.loc[at[0]]
            files = any(len(set(parts[n])) > 1 for n in ABOUT if n in parts)
            found = "a code of two files or vintages" if files else "one code twice"
            if name:
                listed = ", ".join(sorted(set(was.loc[at, name])))
                found = f"codes of {listed}" if name == "system" else listed
            raise DoubleCountedTotals(
                f"{found} side by side in {first['code']} of {str(first['period'])[:7]}",
                "rows that add up without counting anything twice",
                "keep one of them in each period",
            )
