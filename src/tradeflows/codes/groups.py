"""Groups of goods: the high-priority list, and groups that survive a change of HS revision."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from tradeflows.errors import UnknownCode

__all__ = [
    "ALL_GOODS",
    "REVISIONS",
    "SUMS",
    "changed_codes",
    "groups_of",
    "harmonised",
    "high_priority",
    "is_essential",
    "overlap",
]

ALL_GOODS = "TOTAL"
REVISIONS = ("HS2012", "HS2017", "HS2022")  # those that the lists and the concordance know
_LISTED = ("84", "85", "88", "90")
# What sums over codes hold, as beginnings of codes; "" may be anything.
SUMS = {
    ALL_GOODS: ("",),
    "surge_basket": ("",),
    "high_priority_45": _LISTED,
    "high_priority_50": _LISTED,
    "coal": ("2701", "2704", "2706"),
    "oil_products": ("2710",),
    "lpg": ("2711",),
    "crude_oil": ("2709",),
    "oil_gas_disclosed": ("2709", "2710", "2711", "2712", "2713", "2714", "2715"),
}


def high_priority(version: str = "2024-02") -> pd.DataFrame:
    """Return the codes of one version of the Common High Priority List.

    Parameters
    ----------
    version : str
        ``2023-05`` (9 codes), ``2023-09`` (45, composition inferred) or ``2024-02`` (50).

    Returns
    -------
    pandas.DataFrame
        tier, hs2022, hs2017, hs2012, group (what can be compared across revisions: the code itself
        or the name of a group), comparability (good, approximate, break) and why.

    Raises
    ------
    UnknownCode
        No such version.

    Examples
    --------
    >>> [len(high_priority(version)) for version in ("2023-05", "2023-09", "2024-02")]
    [9, 45, 50]
    """
    versions = _definitions()["versions"]
    if version not in versions:
        raise UnknownCode(
            f"no high-priority list {version!r}", f"one of {list(versions)}", "choose one of them"
        )
    listed = _codes()
    listed = listed[listed["tier"].isin(versions[version]["tiers"])]
    known = _definitions()["groups"]
    about = [known.get(group, {}) for group in listed["group"]]
    return listed.assign(
        comparability=[a.get("comparability", "good") for a in about],
        why=[a.get("why", "same code in every revision") for a in about],
    ).reset_index(drop=True)


@lru_cache
def harmonised() -> dict[tuple[str, str], str]:
    """Map (HS revision, code) to the group that is compared, for codes that changed.

    Examples
    --------
    >>> harmonised()["HS2022", "854151"], harmonised()["HS2017", "854150"]
    ('g854150', 'g854150')
    """
    found: dict[tuple[str, str], str] = {}
    for name, group in _definitions()["groups"].items():
        older = group["HS2017"]  # these codes did not change between HS 2012 and HS 2017
        for revision, codes in (("HS2022", group["HS2022"]), ("HS2017", older), ("HS2012", older)):
            found |= {(revision, code): name for code in codes}
    return found


def groups_of(code: str) -> dict[str, tuple[str, ...]]:
    """Map the groups that hold goods of an HS code, in any revision, to all codes in them.

    Parameters
    ----------
    code : str
        HS code of 2, 4 or 6 digits; anything else is in no group.

    Examples
    --------
    >>> groups_of("854151")
    {'g854150': ('854150', '854151', '854159')}
    """
    inside: dict[str, set[str]] = {}
    for (_, member), name in harmonised().items():
        inside.setdefault(name, set()).add(member)
    return {
        name: tuple(sorted(members))
        for name, members in inside.items()
        if any(member.startswith(code) for member in members)
    }


def changed_codes() -> pd.DataFrame:
    """List the groups of listed codes that changed between HS 2017 and HS 2022.

    Returns
    -------
    pandas.DataFrame
        goods, codes in HS 2017, codes in HS 2022, comparable (good, approximate, break), why.

    Examples
    --------
    >>> sorted(set(changed_codes()["comparable"]))
    ['approximate', 'break', 'good']
    """
    rows = [
        (g["name"], ", ".join(g["HS2017"]), ", ".join(g["HS2022"]), g["comparability"], g["why"])
        for g in _definitions()["groups"].values()
    ]
    columns = ["goods", "HS 2017", "HS 2022", "comparable", "why"]
    return pd.DataFrame(rows, columns=columns)


def is_essential(code: str) -> bool:
    """Say whether a code is food, fuel, medicine or medical: what claim c leaves out.

    Parameters
    ----------
    code : str
        HS code of two digits or more; two digits decide only whole chapters.

    Examples
    --------
    >>> [is_essential(c) for c in ("080510", "271019", "300490", "901890", "854231")]
    [True, True, True, True, False]
    """
    chapter, heading = int(code[:2]), code[:4]
    if 1 <= chapter <= 24 or chapter in (27, 30):
        return True
    return "9018" <= heading <= "9022"


def overlap(one: str, other: str) -> bool:
    """Say whether two codes, groups or totals hold the same goods, so that a sum counts them twice.

    Parameters
    ----------
    one, other : str
        HS codes, chapters from one to another such as ``84-85``, ``TOTAL``, or groups of the
        snapshot.

    Examples
    --------
    >>> overlap("coal", "oil_products"), overlap("oil_gas_disclosed", "2710")
    (False, True)
    >>> overlap("84", "84-85"), overlap("27-27", "2709"), overlap("25-26", "27-27")
    (True, True, False)
    """
    if ALL_GOODS in (one, other):
        return True
    return any(a.startswith(b) or b.startswith(a) for a in _held(one) for b in _held(other))


def _held(code: str) -> tuple[str, ...]:
    if code.isdigit():
        return (code,)
    chapters = re.fullmatch(r"(\d\d)-(\d\d)", code)
    if chapters:
        return tuple(f"{n:02d}" for n in range(int(chapters[1]), int(chapters[2]) + 1))
    return SUMS.get(code, ())


@lru_cache
def _definitions() -> dict[str, Any]:
    text = files("tradeflows.codes").joinpath("high_priority.yml").read_text("utf-8")
    return dict(yaml.safe_load(text))


@lru_cache
def _codes() -> pd.DataFrame:
    with files("tradeflows.codes").joinpath("high_priority.csv").open("rb") as handle:
        return pd.read_csv(handle, dtype=str)
