"""Trade on codes that hold the same goods throughout, whatever HS revisions its rows came in.

A code that splits in a new revision looks like a good that vanished and two that appeared. Here
such codes are summed to their family; no value is lost, and the result says how much was moved and
what the correspondence tables leave open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.codes import hs
from tradeflows.codes.products import hs_codes
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch, UnknownCode
from tradeflows.quality.relation import opened
from tradeflows.tables import STATUS

__all__ = ["Concorded", "concord"]

Numbers = npt.NDArray[np.int64]

_NEEDED = ("period", "code", "value_usd")
_SYSTEMS = ("code_system", "classificationCode", "classification_code")
_NATIONAL = (8, 10, 12)  # digits of tariff lines, of which the first six are the HS
# Pseudo-codes of six digits or more: chapters that the HS keeps free, and hidden goods of one.
_PSEUDO = r"(?:77|98|99)\d*|\d\d(?:99){2,}|\d\d(?:00){2,}|2799(?:\d\d)*"
_WORDS = r"(?s).*[^0-9.\s].*"
_WEAKEST = STATUS[::-1]
_AMOUNTS = {"net_weight_kg": "weight_status", "quantity": "quantity_status"}
_ABOUT = {"origin": "min", "vintage": "max"}
_NAMES = ("cmdDesc", "description")  # of one code; of several there is none
_FEW = 12  # codes listed in a message


@dataclass(frozen=True, eq=False)
class Concorded:
    """Trade on codes that can be compared, and what was done to it.

    Parameters
    ----------
    frame : pandas.DataFrame
        The columns that came, ``code_system`` (the revisions that the codes hold for, such as
        ``HS2017-HS2022``) and ``open_to``: the headings with which the tables say that the goods of
        a row may be shared, in some month; empty where none.
    table : pandas.DataFrame
        USD by period, flow (where rows name one) and the revision that rows came in: ``value_usd``
        of all rows, ``moved`` of codes that are not the same code in every revision, ``carried`` of
        totals, chapters, headings and pseudo-codes, ``open`` of rows with something in ``open_to``.
    system : str
        What ``code_system`` says now.
    """

    frame: pd.DataFrame = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    system: str
    _known: pd.DataFrame = field(repr=False)

    @property
    def open_share(self) -> float:
        """Share of the value of six-digit goods that the tables leave open."""
        goods = self.table["value_usd"].sum() - self.table["carried"].sum()
        return float(self.table["open"].sum() / goods) if goods else 0.0

    @property
    def open_headings(self) -> pd.DataFrame:
        """Value, USD, of the rows that may share goods with a heading, and its share of all."""
        value = self.frame.groupby("open_to")["value_usd"].sum().drop("", errors="ignore")
        parts = value.rename_axis("heading").reset_index()
        parts["heading"] = parts["heading"].str.split(", ")
        sums = parts.explode("heading").groupby("heading")["value_usd"].sum()
        total = self.frame["value_usd"].sum()
        found = sums.sort_values(ascending=False).reset_index()
        return found.assign(share=found["value_usd"] / total if total else 0.0)

    @property
    def families(self) -> pd.DataFrame:
        """Families of several codes that occur, as `tradeflows.codes.hs.members` has them."""
        there = self._known["family"].isin(self.frame["code"].unique())
        found = hs.members(self._known[there])
        value = self.frame.groupby("code")["value_usd"].sum()
        found["value_usd"] = found["family"].map(value)
        return found.sort_values("value_usd", ascending=False, ignore_index=True)

    def sentence(self) -> str:
        """Say how much was moved and what is left open."""
        total = float(self.table["value_usd"].sum()) or 1.0
        moved = float(self.table["moved"].sum()) / total
        where = self.open_headings["heading"].head(3).tolist()
        shared = f", above all with {', '.join(where)}" if where else ""
        return (
            f"On codes of {self.system} {moved:.1%} of the value stands in families of several"
            f" codes; of {self.open_share:.1%} of the value of goods the tables say that a part may"
            f" be shared with other families{shared}."
        )


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
    code, codes = pd.factorize(frame["code"])
    codes = _read(frame, codes)
    system, systems = _systems(frame, code, codes)
    pair, pairs = pd.factorize(code.astype(np.int64) * len(systems) + system)
    found = pd.DataFrame(
        {"code": codes.take(pairs // len(systems)), "system": systems.take(pairs % len(systems))}
    ).astype("str")
    known, target = _target(found["system"], to)
    placed = _placed(found, known, target)
    named = {
        "code_system": placed["target"].array.take(pair),
        "code": placed["name"].array.take(pair),
        "open_to": placed["open_to"].array.take(pair),
    }
    if "level" in frame:
        six = (placed["kind"] == "good").to_numpy()[pair]
        named["level"] = frame["level"].where(~six, 6).array
    table = _table(frame, found, placed, pair)
    done = frame.assign(**{name: pd.Series(column) for name, column in named.items()})
    names = pd.factorize(placed["name"] + "|" + placed["target"])[0][pair]
    return Concorded(_summed(done, found, pair, names), table, target, known)


def _frame(trade: Any) -> pd.DataFrame:
    if isinstance(trade, Concorded):
        return trade.frame
    if not isinstance(trade, pd.DataFrame):
        with opened(trade, _NEEDED) as relation:
            trade = relation.frame("SELECT * FROM trade")
    if missing := [name for name in _NEEDED if name not in trade]:
        raise SchemaMismatch(
            f"no column {', '.join(map(repr, missing))} among {', '.join(map(str, trade))}",
            f"at least {', '.join(_NEEDED)}",
            "rename or add them; tradeflows.tables.TABLES['trade'] says what each means",
        )
    frame: pd.DataFrame = trade.reset_index(drop=True)
    return frame


def _read(frame: pd.DataFrame, codes: pd.Index) -> pd.Index:
    """Return the codes as text, dots dropped; words and names of families stand as they are."""
    odd = [code for code in codes if not isinstance(code, str)]
    if frame["code"].isna().any() or odd:
        raise SchemaMismatch(
            f"column 'code' holds {repr(odd[0]) if odd else 'empty cells'}",
            "codes as text, leading zeros kept, in every row",
            "read the file with dtype={'code': str}",
        )
    read: pd.Index = pd.Index(hs_codes(codes, where="column 'code'", also=_WORDS), dtype="str")
    return read


def _systems(frame: pd.DataFrame, code: Numbers, codes: pd.Index) -> tuple[Numbers, pd.Index]:
    """Return the code system of every row, by number, and the names of the systems."""
    column = next((name for name in _SYSTEMS if name in frame), None)
    texts = pd.Series(np.nan, frame.index) if column is None else frame[column]
    number, said = pd.factorize(texts)
    names = [hs.system(*s) if (s := hs.span(name)) else str(name) for name in said]
    index = pd.Index(dict.fromkeys([*names, *hs.REVISIONS]))
    system = index.get_indexer(pd.Index(names, dtype="str"))[number] if names else number.copy()
    none = (number < 0) | np.isin(number, [n for n, x in enumerate(said) if x in ("HS", "")])
    if none.any():
        part, of = (frame, code) if none.all() else (frame[none], code[none])
        system[none] = index.get_indexer(pd.Index(hs.REVISIONS))[_by_year(part, of, codes)]
    return system.astype(np.int64), index


def _by_year(frame: pd.DataFrame, code: Numbers, codes: pd.Index) -> Numbers:
    """Return the newest revision in force, by number, that has all codes of a reporter's period."""
    if not pd.api.types.is_datetime64_any_dtype(frame["period"]) or frame["period"].isna().any():
        raise SchemaMismatch(
            "rows without an HS revision, whose periods are no dates",
            "code_system in every row, or the first day of each month as the period",
            "add the column code_system, such as 'HS2017'",
        )
    by = [name for name in ("reporter", "period") if name in frame]
    group = frame.groupby(by, observed=True, dropna=False, sort=False).ngroup().to_numpy()
    first = frame["period"][~pd.Series(group).duplicated().to_numpy()].dt.year
    has = np.array([
        [_kind(text) != "good" or text[:6] in hs.codes(name) for name in hs.REVISIONS]
        for text in codes
    ])  # fmt: skip
    seen = pd.unique(group * len(codes) + code)  # each code of a group once
    missing = np.zeros((len(first), len(hs.REVISIONS)), dtype=np.int64)
    np.add.at(missing, seen // len(codes), ~has[seen % len(codes)])
    force = np.array([hs.REVISIONS.index(hs.in_force(int(y))) for y in first])
    order = np.arange(len(hs.REVISIONS))
    far = np.where(order <= force[:, None], force[:, None] - order, len(order) + order)
    best = np.where(missing == 0, far, 99).argmin(axis=1)
    lost = missing[np.arange(len(best)), best] > 0
    if lost.any():
        g = int(np.flatnonzero(lost)[0])
        rows = group == g
        least = int((missing[g] * 99 + far[g]).argmin())
        odd = sorted({codes[c] for c in code[rows] if not has[c, least]})
        raise SchemaMismatch(
            f"codes that no one HS revision has in {frame['period'][rows].iloc[0]:%Y-%m}:"
            f" {', '.join(odd[:_FEW])} are not in {hs.REVISIONS[least]}, which has most of them",
            "a column code_system that says which revision each row is in",
            "add it, such as trade.assign(code_system='HS2017'), or correct the codes",
        )
    return np.asarray(best[group], dtype=np.int64)


def _kind(code: str) -> str:
    """Tell goods of the HS from what is carried through: totals, headings, pseudo-codes."""
    if not code.isdigit() or len(code) in (2, 4) or re.fullmatch(_PSEUDO, code):
        return "carried"
    return "good"


def _target(systems: pd.Series, to: str) -> tuple[pd.DataFrame, str]:
    """Return the family of every code over the revisions that occur, and what that is called."""
    spans = [s for name in systems.unique() if (s := hs.span(name))]
    first = min((a for a, _ in spans), default=hs.REVISIONS[-1])
    last = max((b for _, b in spans), default=hs.REVISIONS[-1])
    if to == "families":
        return hs.families(first, last), hs.system(first, last)
    wanted = hs.span(to)
    if wanted is None:
        raise UnknownCode(
            f"to={to!r}", f"'families', one of {', '.join(hs.REVISIONS)}, or two as in"
            " 'HS2012-HS2022'", "choose one",
        )  # fmt: skip
    low, high = wanted
    if low == high:
        return hs.converted(min(first, low), low, max(last, low)), low
    if first < low or last > high:
        raise UnknownCode(
            f"to={to!r}, and rows of {first} to {last}",
            "families over all revisions that occur",
            f"pass to={hs.system(min(first, low), max(last, high))!r}",
        )
    return hs.families(low, high), hs.system(low, high)


def _placed(found: pd.DataFrame, known: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the kind, name, code system and open headings of every code and system."""
    ends = {name: hs.span(name) for name in found["system"].unique()}
    spans = found["system"].isin([name for name, end in ends.items() if end])
    plain = found["system"].isin([name for name, end in ends.items() if end and end[0] == end[1]])
    kind = found["code"].map(_kind).where(spans, "carried")
    kind = kind.mask(spans & ~plain & (kind != "carried"), "good")
    kind = kind.mask(spans & ~plain & found["code"].str.contains(r"^\d{6}[+ ]"), "good")
    good = kind == "good"
    at = pd.MultiIndex.from_frame(known[["revision", "code"]])
    names = known["family"].array
    place = np.full(len(found), -1)
    one = (good & plain).to_numpy()
    keys = pd.MultiIndex.from_arrays([found["system"][one], found["code"][one].str[:6]])
    place[one] = at.get_indexer(keys)
    for name in found["system"][good & ~plain].unique():
        of = (good & (found["system"] == name)).to_numpy()
        place[of] = _place_of_families(found["code"][of], str(name), at, known, target)
    lost = good.to_numpy() & (place < 0)
    if lost.any():
        raise _unknown(found[lost])
    label = found["code"].astype("str").where(~good, pd.Series(names.take(np.maximum(place, 0))))
    opens = known["open_to"].array.take(np.maximum(place, 0))
    several = known.groupby("family")["code"].transform("nunique").to_numpy() > 1
    stays = ~spans | _moves(
        found["code"], kind, [e for e in (*ends.values(), hs.span(target)) if e]
    )
    return pd.DataFrame(
        {
            "kind": kind,
            "name": label,
            "target": found["system"].where(stays, target),
            "open_to": pd.Series(opens).where(good, ""),
            "moved": good & several[np.maximum(place, 0)],
        }
    ).astype({"name": "str", "target": "str", "open_to": "str"})


def _moves(codes: pd.Series, kind: pd.Series, spans: Sequence[tuple[str, str]]) -> pd.Series:
    """Tell headings that do not hold the same goods in every revision from what is comparable."""
    headings = (kind == "carried") & codes.str.fullmatch(r"\d{4}") & ~codes.str.fullmatch(_PSEUDO)
    first, last = min(a for a, _ in spans), max(b for _, b in spans)
    if not headings.any() or first == last:
        return headings & False
    return headings & ~codes.isin(hs.stable_headings(first, last))


def _place_of_families(
    codes: pd.Series, name: str, at: pd.MultiIndex, known: pd.DataFrame, target: str
) -> Numbers:
    """Return where the families of an earlier call stand among those of this one."""
    ends = hs.span(name)
    assert ends is not None  # noqa: S101
    earlier = hs.families(*ends)
    place = at.get_indexer(pd.MultiIndex.from_frame(earlier[["revision", "code"]]))
    now = pd.Series(known["family"].to_numpy()[place])
    apart = now.groupby(earlier["family"].to_numpy()).nunique()
    cut = sorted(set(codes) & set(apart.index[apart > 1]))
    if cut:
        raise SchemaMismatch(
            f"families {', '.join(cut[:_FEW])} of {name}, which {target} divides",
            "rows as they were published",
            "concord those instead",
        )
    first = pd.Series(place).groupby(earlier["family"].to_numpy()).first()
    return first.reindex(codes).fillna(-1).to_numpy(np.int64)


def _unknown(lost: pd.DataFrame) -> UnknownCode:
    words = []
    for code, system in lost.drop_duplicates()[["code", "system"]].head(_FEW).to_numpy():
        others = [name for name in hs.REVISIONS if str(code)[:6] in hs.codes(name)]
        words.append(f"{code} in {system} (it is in {', '.join(others) or 'none'})")
    more = f" and {len(lost) - _FEW} more" if len(lost) > _FEW else ""
    return UnknownCode(
        f"{len(lost)} codes that their HS revision does not have: {'; '.join(words)}{more}",
        "codes of the HS revision that code_system names",
        "correct code_system, or leave it out where code and year tell the revision",
    )


def _table(
    frame: pd.DataFrame, found: pd.DataFrame, placed: pd.DataFrame, pair: Numbers
) -> pd.DataFrame:
    value = frame["value_usd"].astype("float64")
    flags = {
        "moved": placed["moved"],
        "carried": placed["kind"] == "carried",
        "open": placed["open_to"] != "",
    }
    sums = {name: value * flag.to_numpy()[pair] for name, flag in flags.items()}
    by = [name for name in ("period", "flow") if name in frame]
    columns = {name: frame[name] for name in by}
    system = found["system"].astype("category").array.take(pair)
    rows = pd.DataFrame({**columns, "code_system": system, "value_usd": value, **sums})
    grouped = rows.groupby([*by, "code_system"], as_index=False, dropna=False, observed=True)
    return grouped.sum().astype({"code_system": "str"})


def _summed(frame: pd.DataFrame, was: pd.DataFrame, pair: Numbers, names: Numbers) -> pd.DataFrame:
    """Sum rows that share one of `names`; `was` holds the code and revision that `pair` numbers."""
    amounts = [name for name in ("value_usd", *_AMOUNTS) if name in frame]
    other = [
        str(name) for name in frame
        if name not in amounts
        and (pd.api.types.is_float_dtype(frame[name].dtype) or name in _NAMES)
    ]  # fmt: skip
    about = {*amounts, *_AMOUNTS.values(), *_ABOUT, *other, "quantity_unit", "confidential",
             "open_to", "level", "code", *_SYSTEMS}  # fmt: skip
    group = _numbered(frame, [str(name) for name in frame if name not in about], names)
    several = np.bincount(group)[group] > 1
    if not several.any():
        return frame
    parts = frame[several]
    number = pd.Series(group[several], index=parts.index)
    _refuse_doubles(parts, number, pair[several], was)
    grouped = parts.groupby(number, sort=False)
    first = parts[~number.duplicated()]
    sums: dict[str, Any] = {n: grouped[n].sum(min_count=1).to_numpy("float64") for n in amounts}
    sums |= {name: grouped[name].agg(how).array for name, how in _ABOUT.items() if name in frame}
    if "confidential" in frame:
        sums["confidential"] = grouped["confidential"].max().array
    for name in other:
        same = grouped[name].nunique(dropna=False).to_numpy() == 1
        sums[name] = first[name].where(same).array
    _weigh(sums, parts, number)
    kept = ~several
    kept[first.index] = True
    whole = frame[kept]
    at = np.flatnonzero(whole.index.isin(first.index))
    for name, values in sums.items():
        if not pd.Series(values).equals(first[name].reset_index(drop=True)):
            column = whole[name].copy()
            column.iloc[at] = values
            whole = whole.assign(**{name: column})
    return whole.reset_index(drop=True)


def _numbered(frame: pd.DataFrame, names: Sequence[str], code: Numbers) -> Numbers:
    """Return one number for each combination of code and some columns; empty cells are alike."""
    group, size = code.astype(np.int64), int(code.max(initial=0)) + 1
    for name in names:
        if len(frame) and bool((frame[name] == frame[name].iloc[0]).fillna(value=False).all()):
            continue
        number, texts = pd.factorize(frame[name], use_na_sentinel=False)
        if len(texts) < 2:
            continue
        if size * len(texts) >= 2**62:
            group, found = pd.factorize(group)
            size = len(found)
        group, size = group * len(texts) + number, size * len(texts)
    return np.asarray(pd.factorize(group)[0], dtype=np.int64)


def _refuse_doubles(
    parts: pd.DataFrame, group: pd.Series, pair: Numbers, was: pd.DataFrame
) -> None:
    """Refuse to sum one trade twice: a code that stands twice, or the goods in two revisions."""
    rows = pd.DataFrame({"group": group.to_numpy(), "pair": pair})
    again = rows.duplicated().to_numpy()
    if again.any():
        at = (group == group[again].iloc[0]).to_numpy()
        files = [name for name in _ABOUT if name in parts and len(set(parts.loc[at, name])) > 1]
        raise _double(parts[at], "a code of two files or vintages" if files else "one code twice")
    lines = was["code"].str.len().isin(_NATIONAL) & was["code"].str.isdigit()
    length = was["code"].str.len().where(lines, 6).to_numpy()
    system = pd.factorize(was["system"])[0]
    for numbers, words, name in ((system, "codes of ", "system"), (length, "", "code")):
        spread = pd.Series(numbers[pair]).groupby(group.to_numpy())
        mixed = spread.transform("min").to_numpy() != spread.transform("max").to_numpy()
        if mixed.any():
            at = (group == group[mixed].iloc[0]).to_numpy()
            held = ", ".join(sorted(set(was[name].iloc[pair[at]])))
            raise _double(parts[at], words + held)


def _double(rows: pd.DataFrame, found: str) -> DoubleCountedTotals:
    first = rows.iloc[0]
    return DoubleCountedTotals(
        f"{found} side by side in {first['code']} of {str(first['period'])[:7]}",
        "rows that add up without counting anything twice",
        "keep one of them in each period",
    )


def _weigh(sums: dict[str, Any], parts: pd.DataFrame, group: pd.Series) -> None:
    """Give each sum the weakest status of its parts, and no amount where one is missing."""
    mixed = np.zeros(len(sums["value_usd"]), dtype=bool)
    if "quantity_unit" in parts:
        units = parts["quantity_unit"].astype("str").fillna("").groupby(group, sort=False)
        mixed = (units.min() != units.max()).to_numpy()  # no unit is a unit of its own
        sums["quantity_unit"] = units.first().mask(mixed | (units.first() == "")).array
    for amount, status in _AMOUNTS.items():
        if amount in parts:
            weakest = _weakest(parts, amount, status, group)
            if amount == "quantity":
                weakest[mixed] = "missing"
            sums[amount] = np.where(weakest == "missing", np.nan, sums[amount])
            if status in parts:
                sums[status] = weakest


def _weakest(
    parts: pd.DataFrame, amount: str, status: str, group: pd.Series
) -> npt.NDArray[np.object_]:
    """Return the status of each sum: that of its weakest part with a value or an amount.

    Zero or nothing beside a value is missing, whatever the status says.
    """
    there, valued = parts[amount] > 0, parts["value_usd"] > 0
    words = parts[status] if status in parts else pd.Series("reported", parts.index)
    rank = words.map({name: i for i, name in enumerate(_WEAKEST)}).astype("float64").fillna(0)
    rank = rank.where(there | ~valued, 0)
    counts = (there | valued).groupby(group, sort=False).transform("any")
    weakest = rank.where(there | valued | ~counts).groupby(group, sort=False).min()
    weak: npt.NDArray[np.object_] = np.array(_WEAKEST, dtype=object)[weakest.to_numpy(int)]
    return weak
