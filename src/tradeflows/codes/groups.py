"""Groups of goods: the high-priority list in every revision, and names of groups in words."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from tradeflows.codes import hs
from tradeflows.errors import UnknownCode

ALL_GOODS = "TOTAL"
FIRST, LAST = "HS2012", "HS2022"  # revisions that the groups of the list cover


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
    comparability (good, approximate, break), why, and goods (of those that changed). ``2023-09`` is
    inferred.
    """
    found, known = _codes(), _definitions()
    if version not in known["versions"]:
        raise UnknownCode(
            f"no high-priority list {version!r}", f"one of {list(known['versions'])}",
            "choose one of them; codes stand in a list, as in goods=['8542']",
        )  # fmt: skip
    found = found[found["tier"].isin(known["versions"][version]["tiers"])]
    about = {code: a for a in known["changed"] for code in a["HS2022"]}
    said = [about.get(code, {}) for code in found["hs2022"]]
    return found.assign(
        group=_families(FIRST, LAST).reindex(found["hs2022"]).to_numpy(),
        comparability=[a.get("comparability", "good") for a in said],
        why=[a.get("why", "same code in every revision") for a in said],
        goods=[a.get("name", "") for a in said],
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
        codes = _families(last, LAST, last).reindex(codes)
    return tuple(sorted(set(_families(first, last, of=last).reindex(codes).dropna())))


def asked(version: str = "2024-02") -> tuple[str, ...]:
    """Return every code that a publisher is asked for: all that the groups of the list hold."""
    known = hs.families(FIRST, LAST)
    held = known.loc[known["family"].isin(high_priority(version)["group"]), "code"]
    return tuple(sorted(set(held)))


@lru_cache
def _families(first: str, last: str, to: str = "", of: str = LAST) -> pd.Series:
    """Return the families over some revisions by the codes of one of them."""
    known = hs.families(first, last, to)
    here: pd.Series = known[known["revision"] == of].set_index("code")["family"]
    return here


@lru_cache
def _definitions() -> dict[str, Any]:
    text = files("tradeflows.codes").joinpath("high_priority.yml").read_text("utf-8")
    return dict(yaml.safe_load(text))


@lru_cache
def _codes() -> pd.DataFrame:
    with files("tradeflows.codes").joinpath("high_priority.csv").open("rb") as handle:
        return pd.read_csv(handle, dtype=str)
