"""The rules as data: read, checked, handed out so that nobody changes them, applied to numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Never

from tradeflows import documents
from tradeflows.errors import SchemaMismatch, TradeflowsError, UnknownCode
from tradeflows.measure.intervals import Interval

TIERS = ("snapshot", "panel")
UNKNOWN = "unknown"
_WORDS = ("question", "speaker", "place", "quote", "source", "cannot_show", "would_change")
Outcome = bool | str  # True, False or "unknown"


def _refuse(*_: object, **__: object) -> Never:
    raise TradeflowsError(
        "the rules cannot be changed in place",
        "a name of your own, such as SLOPE = 0.12",
        "change the assumption where the page names it, or pass a rules file of your own",
    )


class _FrozenList(list[Any]):
    """A list that cannot be changed; pandas takes it for what it is."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse

    def __reduce__(self) -> tuple[type[_FrozenList], tuple[list[Any]]]:
        return _FrozenList, (list(self),)


class Frozen(dict[str, Any]):
    """A mapping read by attribute that cannot be changed, nor can the lists in it."""

    def __init__(self, content: Mapping[Any, Any]) -> None:
        super().__init__({str(k): _frozen(v) for k, v in content.items()})

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"the rules have no {name!r} here, only {', '.join(self)}")

    def __dir__(self) -> list[str]:
        return list(self)

    def __reduce__(self) -> tuple[type[Frozen], tuple[dict[str, Any]]]:
        return Frozen, (dict(self),)

    __setattr__ = __setitem__ = __delitem__ = __delattr__ = _refuse
    update = pop = popitem = clear = setdefault = __ior__ = _refuse


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Frozen(value)
    return _FrozenList(map(_frozen, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Rules:
    """A rules file: its text, and what it says."""

    text: str
    content: Frozen

    @property
    def claims(self) -> tuple[str, ...]:
        """The claims in the order of the file."""
        return tuple(self.content.claims)

    @property
    def fingerprint(self) -> str:
        """The sha256 of the text, which the report prints."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def rules(file: str | Path | Rules | None = None) -> Rules:
    """Return a rules file, read and checked.

    Parameters
    ----------
    file : path, optional
        A rules file of your own, in the form of the one that comes with the package.

    Returns
    -------
    Rules

    Raises
    ------
    SchemaMismatch
        Not the shape of a rules file.

    Examples
    --------
    >>> rules().content.windows.main.base
    '2021'
    """
    if isinstance(file, Rules):
        return file
    path = Path(file) if file else files("tradeflows.claims") / "rules.yml"
    raw = path.read_bytes()
    return Rules(raw.decode(errors="replace"), read(raw, str(path) if file else "rules.yml"))


@lru_cache(maxsize=8)
def read(raw: bytes, name: str = "rules.yml") -> Frozen:
    """Return the rules of a YAML text."""
    loaded = documents.parsed(raw, name, "restore the file", aliases=True)
    try:
        for claim, stated in loaded["claims"].items():
            if not all(isinstance(stated[word], str) for word in _WORDS):
                raise ValueError(f"claim {claim}: one of {', '.join(_WORDS)} is no text")
            for tier in (stated["tiers"][name] for name in TIERS if name in stated["tiers"]):
                _complete(claim, tier)
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        why = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise SchemaMismatch(
            f"{name} is not a rules file ({why})",
            "claims with questions, tiers, tests and tables",
            "restore the file",
        ) from None
    return Frozen(loaded)


def _complete(claim: str, tier: Mapping[str, Any]) -> None:
    if not {t["number"] for t in tier["tests"].values()} <= set(tier["numbers"]):
        raise ValueError(f"claim {claim}: a test reads a number that is not explained")
    for row in tier["table"]:
        known = set(row["when"]) <= set(tier["tests"])
        if not (known and isinstance(row["grade"], str) and isinstance(row["say"], str)):
            raise ValueError(f"claim {claim}: row {row} of the table")


def rule(claim: str, tier: str | None = None, *, rules: str | Path | Rules | None = None) -> Frozen:
    """Return what the rules file says of a claim, read by attribute, which nobody can change.

    Parameters
    ----------
    claim : str
        Such as ``"b2"``.
    tier : {"snapshot", "panel"}, optional
        With it ``numbers``, ``tests`` and ``table`` of that tier stand on top.
    rules : path or Rules, optional
        A rules file of your own.

    Returns
    -------
    Frozen
        Question, speaker, quote, bounds, tiers: the entry of the file.

    Raises
    ------
    UnknownCode
        No such claim or tier.

    Examples
    --------
    >>> rule("b4", "snapshot").tests.about_sixty.within
    [0.55, 0.65]
    >>> rule("b2").methods.formulas[0]
    'bennet'
    """
    entries = _rules(rules).content.claims
    if claim not in entries or (tier and tier not in entries[claim].tiers):
        raise UnknownCode(
            f"no rule for claim {claim!r}{f' at tier {tier!r}' if tier else ''}",
            f"a claim of {list(entries)} and a tier of {list(TIERS)}",
            "check the spelling",
        )
    stated = entries[claim]
    found = {**stated, "claim": claim, "date": str(stated.date)}
    found |= {word: stated[word].strip() for word in _WORDS}
    return Frozen({**found, "tier": tier, **stated.tiers[tier]} if tier else found)


_rules = rules  # `rule` has a parameter of that name


# A comparison: when a range from low to high surely meets a limit, and when it surely does not.
_COMPARISONS: dict[str, Callable[[float, float, Any], tuple[bool, bool]]] = {
    "at_least": lambda low, high, limit: (low >= limit, high < limit),
    "more_than": lambda low, high, limit: (low > limit, high <= limit),
    "at_most": lambda low, high, limit: (high <= limit, low > limit),
    "low_at_least": lambda low, _, limit: (low >= limit, low < limit),
    "contains": lambda low, high, x: (low <= x <= high, not low <= x <= high),
    "within": lambda low, high, ends: (
        ends[0] <= low and high <= ends[1], high < ends[0] or low > ends[1]),
    "outside": lambda low, high, ends: (
        high < ends[0] or low > ends[1], high >= ends[0] and low <= ends[1]),
}  # fmt: skip


def outcome(test: Mapping[str, Any], value: Interval | None) -> Outcome:
    """Say whether a number passes a test."""
    asks = {kind: limit for kind, limit in test.items() if kind != "number"}
    if len(asks) != 1 or not set(asks) <= set(_COMPARISONS):
        raise SchemaMismatch(
            f"test {dict(test)}", "one comparison that the head of rules.yml explains",
            "correct the rules",
        )  # fmt: skip
    if value is None:
        return UNKNOWN
    ((kind, limit),) = asks.items()
    yes, no = _COMPARISONS[kind](float(value.low), float(value.high), limit)
    return bool(yes) if yes or no else UNKNOWN


def decide(
    stated: Frozen, numbers: Mapping[str, Interval | None]
) -> tuple[str, str, dict[str, Outcome]]:
    """Apply a rule to numbers."""
    absent = sorted(set(stated.numbers) - set(numbers))
    strange = sorted(set(numbers) - set(stated.numbers))
    if absent or strange:
        found = [f"no {', '.join(absent)}"] * bool(absent)
        found += [f"a number the rule does not read: {', '.join(strange)}"] * bool(strange)
        raise SchemaMismatch(
            f"claim {stated.claim}, {stated.tier}: {'; '.join(found)}",
            f"a number, a range or None for each of {', '.join(stated.numbers)}",
            "pass None if unknown",
        )
    outcomes = {name: outcome(t, numbers[t["number"]]) for name, t in stated.tests.items()}
    return (*graded(stated, outcomes), outcomes)


def graded(stated: Frozen, outcomes: Mapping[str, Outcome]) -> tuple[str, str]:
    """Return grade and words of the first row that the outcomes match."""
    for row in stated.table:
        if all(outcomes[name] == wanted for name, wanted in row["when"].items()):
            return row["grade"], row["say"]
    raise SchemaMismatch(
        f"claim {stated.claim}: no row for {dict(outcomes)}",
        "a truth table without gaps",
        "add a last row that catches the rest",
    )
