"""The Harmonised System: its codes as written, and those that hold the same goods in revisions.

Every code has an even number of digits, two for each step down from the chapter, and no chapter is
00. So a code that became a number and lost its zero shows in its odd length, and a code with dots
in groups of odd length.

Between neighbouring revisions the United Nations Statistics Division publishes a correlation (every
pair of codes that share goods) and a conversion (one older code for each newer one); ``hs.yml``
says where they are at fault. A family is what the conversion joins; an older code that nothing
converts to joins the codes it correlates with, in its own heading where there are any. The
correlation alone joins 2,258 codes of HS 2022, because electronic waste came out of nearly
everything; what it says beyond the families is told, and nothing is moved by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.documents import parsed
from tradeflows.errors import SchemaMismatch

REVISIONS = ("HS1992", "HS1996", "HS2002", "HS2007", "HS2012", "HS2017", "HS2022")
_FEW = 4  # codes that a name spells out
_SPELLINGS = {
    **{f"H{n}": name for n, name in enumerate(REVISIONS)},  # as UN Comtrade writes them
    **{f"HS{name[4:]}": name for name in REVISIONS},  # as BACI does
    **{name: name for name in REVISIONS},
    "HS1988": "HS1992",  # the first text, in force since 1988, lists the codes of H0
    "HS88": "HS1992",
}


LONGEST = 12  # digits of Turkey's tariff lines
_SHOWN = 5
_HELP = (
    "read the codes as text with their zeros: dtype={'code': str} in pandas.read_csv and"
    " pandas.read_excel; a workbook that holds numbers has lost them: write them again, if all"
    " codes have six digits with frame['code'].astype(str).str.zfill(6)"
)


def revision(name: object) -> str | None:
    """Return the name of an HS revision however a publisher spells it, or None."""
    return _SPELLINGS.get(re.sub(r"[\s_-]", "", str(name)).upper())


def in_force(year: int) -> str:
    """Return the HS revision in force in a year; reporters may be late in taking it up."""
    return max((name for name in REVISIONS if int(name[2:]) <= year), default=REVISIONS[0])


def system(first: str, last: str) -> str:
    """Return how the code system of the families over some revisions is called."""
    return first if first == last else f"{first}-{last}"


def span(name: object) -> tuple[str, str] | None:
    """Return the first and the last revision that a code system covers, or None if it is no HS."""
    if one := revision(name):
        return one, one
    ends = [revision(part) for part in re.split(r"[-–]", str(name))]
    if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0] > ends[1]:
        return None
    return ends[0], ends[1]


@lru_cache(maxsize=len(REVISIONS))
def codes(name: str) -> frozenset[str]:
    """Return the six-digit codes of a revision."""
    nodes, _ = _tables()
    return frozenset(nodes.loc[nodes["revision"] == name, "code"])


@lru_cache(maxsize=32)
def families(first: str, last: str, to: str = "") -> pd.DataFrame:
    """Return the family of every code of the revisions from one to another.

    With `to`, the code of that revision which each code is brought to: a newer code goes where the
    conversion sends it. Of an older code that was divided no table says how much went where: the
    codes of its family are one, named by them all. Columns are revision, code, family, open_to.
    """
    nodes, edges = _tables()
    low, high = REVISIONS.index(first), REVISIONS.index(last)
    middle, naming = (REVISIONS.index(to),) * 2 if to else (high, low)
    step = edges["step"].to_numpy()
    label = _components(len(nodes), edges[(step > low) & (step <= middle) & edges["joins"]])
    for number in range(middle + 1, high + 1):
        sent = edges[(step == number) & edges["converts"]]
        label[sent["newer"]] = label[sent["older"]]
    inside = nodes["rank"].between(low, high)
    known = nodes[inside].assign(label=label[inside])
    known["family"] = known["label"].map(_names(known, naming))
    shared = known["label"].map(_outside(edges[(step > low) & (step <= high)], label, nodes))
    known["open_to"] = shared.astype("str").fillna("")
    return known[["revision", "code", "family", "open_to"]].reset_index(drop=True)


@lru_cache(maxsize=256)
def related(code: str, first: str, last: str) -> dict[str, tuple[str, ...]]:
    """Map the families of several codes that hold one beginning so to all codes in them."""
    if not code.isdigit():
        return {}
    known = families(first, last)
    there = known.loc[known["code"].str.startswith(code), "family"]
    held = known[known["family"].isin(there)].groupby("family")["code"].agg(set)
    return {str(name): tuple(sorted(codes)) for name, codes in held.items() if len(codes) > 1}


@lru_cache(maxsize=32)
def stable(first: str, last: str) -> frozenset[str]:
    """Return the codes, headings and chapters that hold the same goods in every revision."""
    known = families(first, last)
    found: set[str] = set()
    for digits in (2, 4, 6):
        beginning = known["code"].str[:digits]
        inside = beginning.groupby(known["family"]).transform("nunique") == 1
        everywhere = known.groupby(beginning)["revision"].nunique() == known["revision"].nunique()
        whole = inside.groupby(beginning).all()
        found.update(whole.index[whole & everywhere])
    return frozenset(found)


def _components(count: int, joins: pd.DataFrame) -> npt.NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = joins["newer"].to_numpy(), joins["older"].to_numpy()
    graph = coo_array((np.ones(len(joins), dtype=np.int8), ends), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _names(known: pd.DataFrame, naming: int) -> pd.Series:
    """Name each family by its codes in one revision; where it has none there, in the nearest."""
    far = (known["rank"] - naming).abs() + 0.5 * (known["rank"] < naming)
    nearest = known[far == far.groupby(known["label"]).transform("min")]
    names = _joined(nearest["label"], nearest["code"], "+", most=_FEW)
    again = names.duplicated(keep=False)  # a number used anew for other goods
    where = nearest.drop_duplicates("label").set_index("label")["revision"]
    return names.where(~again | (where == REVISIONS[naming]), names + " (" + where + ")")


def _joined(keys: pd.Series, texts: pd.Series, between: str, most: int = 9999) -> pd.Series:
    """Return the different texts of each key in order, in one text; of many the first."""
    each = pd.DataFrame({"key": keys.to_numpy(), "text": texts.to_numpy()}).drop_duplicates()
    held = each.sort_values("text").groupby("key")["text"].agg(list)
    words = [between.join(t) if len(t) <= most else f"{t[0]}+{len(t) - 1} more" for t in held]
    return pd.Series(words, held.index, dtype="str")


def _outside(edges: pd.DataFrame, label: npt.NDArray[np.int64], nodes: pd.DataFrame) -> pd.Series:
    """Return, by family, the headings of the codes outside it that a table pairs with it."""
    one, other = edges["newer"].to_numpy(), edges["older"].to_numpy()
    heading = nodes["code"].str[:4].to_numpy()
    cross = label[one] != label[other]
    one, other = one[cross], other[cross]
    labels = pd.Series(np.concatenate([label[one], label[other]]))
    headings = pd.Series(np.concatenate([heading[other], heading[one]]))
    return _joined(labels, headings, ", ")


@lru_cache
def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return codes (revision, code, rank) and pairs of them: newer, older, step, which table."""
    with files("tradeflows.codes").joinpath("hs.csv.gz").open("rb") as handle:
        kinds = {"newer_revision": "str", "newer": "str", "older": "str"}
        pairs = pd.read_csv(handle, dtype=kinds, compression="gzip")
    pairs = pairs.astype({"converts": bool, "correlates": bool}).assign(links=False)
    pairs = _mended(pairs)
    rank = pairs["newer_revision"].map({name: n for n, name in enumerate(REVISIONS)}).astype(int)
    ends = [
        pd.DataFrame({"rank": rank - back, "code": pairs[end]})
        for end, back in (("newer", 0), ("older", 1))
    ]
    nodes = pd.concat(ends).query("code != ''").drop_duplicates()
    nodes = nodes.sort_values(["rank", "code"]).reset_index(drop=True)
    nodes["revision"] = nodes["rank"].map(dict(enumerate(REVISIONS))).astype("str")
    index = pd.MultiIndex.from_frame(nodes[["rank", "code"]])
    newer, older = (index.get_indexer(pd.MultiIndex.from_frame(end)) for end in ends)
    pairs = pairs.assign(step=rank, newer=newer, older=older)
    pairs = pairs[older >= 0].reset_index(drop=True)
    return nodes, pairs.assign(joins=_joins(pairs, nodes))


def _mended(pairs: pd.DataFrame) -> pd.DataFrame:
    """Put what ``hs.yml`` says in the place of the tables' faults."""
    known: dict[str, Any] = parsed(
        files("tradeflows.codes").joinpath("hs.yml").read_bytes(), "hs.yml", "restore it"
    )
    more = []
    for kind in ("converts", "links"):
        for entry in known[kind]:
            older = [entry["older"]] if kind == "converts" else entry["older"]
            here = (pairs["newer_revision"] == entry["revision"]) & pairs["newer"].isin(
                entry["newer"]
            )
            if kind == "converts":
                pairs.loc[here, "converts"] = False
            more += [
                {
                    "newer_revision": entry["revision"], "newer": new, "older": old,
                    "converts": kind == "converts", "correlates": False,
                    "links": kind == "links",
                }
                for new in entry["newer"] for old in older
            ]  # fmt: skip
    return pd.concat([pairs, pd.DataFrame(more)], ignore_index=True)


def _joins(pairs: pd.DataFrame, nodes: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which pairs make a family: conversions, and what is nearest to codes none goes to."""
    code = nodes["code"].to_numpy()
    reached = pairs["older"].isin(pairs.loc[pairs["converts"] | pairs["links"], "older"])
    new, old = (pd.Series(code[pairs[end]], dtype="str") for end in ("newer", "older"))
    near = np.where(new.str[:4] == old.str[:4], 0, np.where(new.str[:2] == old.str[:2], 1, 2))
    # newer codes that no older one is converted from came out of too many
    waste = ~pairs["newer"].isin(pairs.loc[pairs["converts"], "newer"])
    left = pairs["correlates"] & ~reached & ~waste
    nearest = pd.Series(near).where(left).groupby(pairs["older"]).transform("min")
    return np.asarray(pairs["converts"] | pairs["links"] | (left & (near == nearest)))


def hs_codes(values: Iterable[Any], *, where: str = "codes", also: str = "TOTAL") -> pd.Series:
    """Return HS codes as text of 2 to 12 digits, leading zeros kept.

    Dots and blanks between whole steps are dropped (``8542.31``), and so is the ``.0`` of a number
    whose digits are all there (``854231.0``). What allows two readings, or none, is refused.
    """
    series = values if isinstance(values, pd.Series) else pd.Series(list(values), dtype=object)
    numbers, distinct = pd.factorize(series, use_na_sentinel=False)
    read = [_read(value, also) for value in distinct]
    unclear = _unclear({kind for _, kind in read})
    faults = pd.Series([_fault(*one, unclear) for one in read], dtype="str")
    for reason in faults[faults != ""].head(1):
        rows = series[(faults == reason)[numbers].to_numpy()]
        listed = "; ".join(f"row {n}: {str(v)[:40]!r}" for n, v in rows.head(_SHOWN).items())
        raise SchemaMismatch(
            f"{where}: {len(rows)} row{'s' * (len(rows) > 1)} {reason}, such as {listed}",
            f"HS codes of 2 to {LONGEST} digits, two for each step, leading zeros kept",
            _HELP,
        )
    found = pd.Series([code for code, _ in read], dtype="str")
    return found.take(numbers).set_axis(series.index)


def _read(value: Any, also: str) -> tuple[str, str]:
    """Return the digits of one code and how it was written."""
    if pd.isna(value):
        return "", "empty"
    if not isinstance(value, str):
        real = isinstance(value, Real) and not isinstance(value, bool)
        number = float(value) if real else float("nan")
        whole = number.is_integer()
        return (f"{number:.0f}", "number") if whole else _dotted(repr(number), "fraction")
    text = value.strip().removeprefix("'")
    if re.fullmatch(r"[0-9]+", text):
        return text, "text"
    if re.fullmatch(also, text):
        return text, "word"
    if re.fullmatch(r"[0-9]+\.0", text):
        return text[:-2], "point zero"
    zeros = re.fullmatch(r"[0-9]+\.(00)+", text)
    return _dotted(text, "zeros" if zeros else "dotted")


def _dotted(text: str, kind: str) -> tuple[str, str]:
    parts = re.split(r"[.\s]+", text)
    if not all(re.fullmatch(r"(?:[0-9]{2})+", part) for part in parts):
        return text, "none"
    return "".join(parts), kind


def _unclear(kinds: set[str]) -> set[str]:
    """Return the ways of writing of which nothing says whether 2709.00 is 270900 or 2709."""
    if "zeros" in kinds and "dotted" not in kinds:
        return {"zeros"}
    if "fraction" in kinds and {"number", "point zero"} & kinds:
        return {"number", "point zero"}
    return {"point zero"} if {"dotted", "zeros"} & kinds else set()


def _fault(code: str, kind: str, unclear: set[str]) -> str:
    if kind in unclear:
        return "that may be a number, or a code with a dot (of 2709.00: 2709, or 270900)"
    if kind == "word":
        return ""
    if kind == "empty":
        return "without a code"
    if kind == "none" or not code.isdecimal():
        return "that is no HS code"
    if len(code) % 2:
        return f"with a code of odd length ({len(code)})"
    if not 2 <= len(code) <= LONGEST:
        return f"with a code of {len(code)} digits"
    return "of chapter 00, which no revision has" if code.startswith("00") else ""
