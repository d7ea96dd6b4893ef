"""Groups of goods: the high-priority list, totals and what they hold."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from tradeflows.codes import hs
from tradeflows.errors import UnknownCode

__all__ = [
    "ALL_GOODS",
    "SUMS",
    "asked",
    "changed_codes",
    "high_priority",
    "listed",
    "named",
    "overlap",
]

ALL_GOODS = "TOTAL"
FIRST, LAST = "HS2012", "HS2022"  # revisions that the groups of the list cover
_LISTED = ("84", "85", "88", "90")
# What sums over codes hold, as beginnings of codes; "" may be anything.
SUMS = {
    ALL_GOODS: ("",),
    "surge_basket": ("",),
    "high_priority_45": _LISTED,
    "high_priority_50": _LISTED,
    "listed_electronics": ("8471", "8486", "85"),
    "listed_hs_85": ("85",),
    "listed_tiers_1_2": ("85",),
    "listed_circuits": ("8542",),
    "coal": ("2701", "2704", "2706"),
    "oil_products": ("2710",),
    "lpg": ("2711",),
    "crude_oil": ("2709",),
    "oil_gas_disclosed": ("2709", "2710", "2711", "2712", "2713", "2714", "2715"),
}


def named(code: str) -> str:
    """Return a code as people read it: groups of goods in words, HS codes as they are.

    Examples
    --------
    >>> [named(code) for code in ("8542", "oil_gas_disclosed", "crude_oil")]
    ['8542', 'oil products and LPG', 'crude oil']
    """
    words = {"oil_gas_disclosed": "oil products and LPG", "lpg": "LPG"}
    return words.get(code, code.replace("_", " "))


def high_priority(version: str = "2024-02") -> pd.DataFrame:
    """Return the codes of one version of the Common High Priority List, and how they compare.

    Columns are tier, hs2022, hs2017, hs2012, group (the family over HS 2012 to HS 2022),
    comparability (good, approximate, break) and why. ``2023-09`` is inferred.
    """
    versions = _definitions()["versions"]
    if version not in versions:
        raise UnknownCode(
            f"no high-priority list {version!r}", f"one of {list(versions)}", "choose one of them"
        )
    found = _codes()
    found = found[found["tier"].isin(versions[version]["tiers"])]
    about = {code: a for a in _definitions()["changed"] for code in a["HS2022"]}
    said = [about.get(code, {}) for code in found["hs2022"]]
    return found.assign(
        group=_families(FIRST, LAST, LAST).reindex(found["hs2022"]).to_numpy(),
        comparability=[a.get("comparability", "good") for a in said],
        why=[a.get("why", "same code in every revision") for a in said],
    ).reset_index(drop=True)


def listed(version: str, system: str) -> tuple[str, ...]:
    """Return a version of the list as codes of an HS revision, or as families over several."""
    codes: pd.Series = high_priority(version)["hs2022"]
    ends = hs.span(system)
    if ends is None:
        raise UnknownCode(
            f"no high-priority list in {system!r}",
            "a table on codes of the HS",
            "pass the codes as goods=",
        )
    first, last = ends
    if last < LAST:
        known = hs.families(last, LAST, last)
        codes = known[known["revision"] == LAST].set_index("code")["family"].reindex(codes)
    return tuple(sorted(set(_families(first, last, last).reindex(codes).dropna())))


def asked(version: str = "2024-02") -> tuple[str, ...]:
    """Return every code that a publisher is asked for: all that the groups of the list hold."""
    known = hs.families(FIRST, LAST)
    held = known.loc[known["family"].isin(high_priority(version)["group"]), "code"]
    return tuple(sorted(set(held)))


def changed_codes() -> pd.DataFrame:
    """List the groups of listed codes that changed between HS 2017 and HS 2022."""
    known = hs.families("HS2017", LAST)
    rows = []
    for group in _definitions()["changed"]:
        names = _families("HS2017", LAST, LAST).reindex(group["HS2022"])
        held = known[known["family"].isin(names)].groupby("revision")["code"].agg(", ".join)
        rows.append((group["name"], *held, group["comparability"], group["why"]))
    columns = ["goods", "HS 2017", "HS 2022", "comparable", "why"]
    return pd.DataFrame(rows, columns=columns)


def overlap(one: str, other: str) -> bool:
    """Say whether two codes, groups or totals hold the same goods."""
    if ALL_GOODS in (one, other):
        return True
    return any(a.startswith(b) or b.startswith(a) for a in _held(one) for b in _held(other))


def _held(code: str) -> tuple[str, ...]:
    if code.isdigit():
        return (code,)
    chapters = re.fullmatch(r"(\d\d)-(\d\d)(?:_\w+)?", code)
    if chapters:
        return tuple(f"{n:02d}" for n in range(int(chapters[1]), int(chapters[2]) + 1))
    return SUMS.get(code, ())


@lru_cache
def _families(first: str, last: str, revision: str) -> pd.Series:
    """Return the families over some revisions by the codes of one of them."""
    known = hs.families(first, last)
    here: pd.Series = known[known["revision"] == revision].set_index("code")["family"]
    return here


@lru_cache
def _definitions() -> dict[str, Any]:
    text = files("tradeflows.codes").joinpath("high_priority.yml").read_text("utf-8")
    return dict(yaml.safe_load(text))


@lru_cache
def _codes() -> pd.DataFrame:
    with files("tradeflows.codes").joinpath("high_priority.csv").open("rb") as handle:
        return pd.read_csv(handle, dtype=str)
