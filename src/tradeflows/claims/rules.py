"""The rules as data: read, checked, and applied to numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tradeflows import documents
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.measure.intervals import Interval

__all__ = ["Rule", "claims", "decide", "document", "fingerprint", "outcome", "read", "rule", "text"]

TIERS = ("snapshot", "panel")
UNKNOWN = "unknown"
_WORDS = ("question", "speaker", "place", "quote", "source", "cannot_show", "would_change")
Outcome = bool | str  # True, False or "unknown"


@dataclass(frozen=True)
class Rule:
    """One claim at one tier: who said what, the tests, and the table that grades their outcomes."""

    claim: str
    tier: str
    question: str
    speaker: str
    place: str
    date: str
    quote: str
    source: str
    cannot_show: str
    would_change: str
    numbers: dict[str, str]
    tests: dict[str, dict[str, Any]]
    table: tuple[dict[str, Any], ...]


@lru_cache
def document() -> dict[str, Any]:
    """Return the rules file as read.

    Examples
    --------
    >>> document()["grades"][0]
    'supported'
    """
    return read(text().encode())


def read(raw: bytes) -> dict[str, Any]:
    """Return the rules of a YAML text.

    Raises
    ------
    SchemaMismatch
        Not the shape of a rules file.

    Examples
    --------
    >>> read(text().encode())["grades"][0]
    'supported'
    """
    loaded = documents.parsed(raw, "rules.yml", "restore the file", aliases=True)
    try:
        for stated in loaded["claims"].values():
            whole = all(isinstance(stated[word], str) for word in _WORDS)
            for tier in (stated["tiers"][name] for name in TIERS):
                whole &= {t["number"] for t in tier["tests"].values()} <= set(tier["numbers"])
                whole &= all(
                    set(row["when"]) <= set(tier["tests"])
                    and isinstance(row["grade"], str)
                    and isinstance(row["say"], str)
                    for row in tier["table"]
                )
            if not whole:
                raise ValueError("a claim that is not whole")
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise SchemaMismatch(
            f"rules.yml is not a rules file ({type(error).__name__})",
            "claims with questions, tiers, tests and tables",
            "restore the file",
        ) from None
    return dict(loaded)


def fingerprint() -> str:
    """Return the sha256 of the rules file, which the report prints.

    Examples
    --------
    >>> len(fingerprint())
    64
    """
    return hashlib.sha256(text().encode()).hexdigest()


def claims() -> list[str]:
    """List the claims in the order of the rules file.

    Examples
    --------
    >>> claims()
    ['a', 'b1', 'b2', 'b3', 'b4', 'c']
    """
    return list(document()["claims"])


def rule(claim: str, tier: str = "snapshot") -> Rule:
    """Return the rule of a claim at a tier of evidence.

    Parameters
    ----------
    claim : str
        One of `claims`.
    tier : str
        ``snapshot`` or ``panel``.

    Raises
    ------
    UnknownCode
        No such claim or tier.

    Examples
    --------
    >>> rule("b4").tests["about_sixty"]["within"]
    [0.55, 0.65]
    """
    if claim not in claims() or tier not in TIERS:
        raise UnknownCode(
            f"no rule for claim {claim!r} at tier {tier!r}",
            f"a claim of {claims()} and a tier of {list(TIERS)}",
            "check the spelling",
        )
    stated = document()["claims"][claim]
    here = stated["tiers"][tier]
    return Rule(
        claim=claim,
        tier=tier,
        date=str(stated["date"]),
        numbers=here["numbers"],
        tests=here["tests"],
        table=tuple(here["table"]),
        **{word: stated[word].strip() for word in _WORDS},
    )


def outcome(test: Mapping[str, Any], value: Interval | None) -> Outcome:
    """Say whether a number passes a test.

    Parameters
    ----------
    test : mapping
        One comparison of the rules file.
    value : Interval or None
        The number's range; None if the tier does not have it.

    Returns
    -------
    bool or "unknown"

    Raises
    ------
    SchemaMismatch
        A comparison the rules file does not define.

    Examples
    --------
    >>> outcome({"at_least": 0.25}, Interval(0.2, 0.3))
    'unknown'
    >>> outcome({"contains": 3}, Interval(2.5, 3.5))
    True
    """
    if value is None:
        return UNKNOWN
    low, high = float(value.low), float(value.high)
    (kind, limit), *more = [(k, v) for k, v in test.items() if k != "number"]
    if more:
        raise SchemaMismatch(f"test {dict(test)}", "one comparison", "split the test in two")
    match kind:
        case "at_least":
            return _decided(low >= limit, high < limit)
        case "more_than":
            return _decided(low > limit, high <= limit)
        case "at_most":
            return _decided(high <= limit, low > limit)
        case "low_at_least":
            return bool(low >= limit)
        case "contains":
            return bool(low <= limit <= high)
        case "within":
            return _decided(limit[0] <= low and high <= limit[1], high < limit[0] or low > limit[1])
        case "outside":
            return bool(high < limit[0] or low > limit[1])
    raise SchemaMismatch(
        f"comparison {kind!r}", "one that the head of rules.yml explains", "correct rules.yml"
    )


def _decided(yes: bool, no: bool) -> Outcome:
    return True if yes else (False if no else UNKNOWN)


def decide(
    stated: Rule, numbers: Mapping[str, Interval | None]
) -> tuple[str, str, dict[str, Outcome]]:
    """Apply a rule to numbers.

    Parameters
    ----------
    stated : Rule
    numbers : mapping
        A range, or None, for every number the rule reads.

    Returns
    -------
    tuple
        Grade, the words that go with it, and the outcome of each test.

    Raises
    ------
    SchemaMismatch
        A number is missing, or no row of the table matches.

    Examples
    --------
    >>> decide(rule("b4"), {"energy_share": Interval(0.6, 0.62)})[0]
    'supported'
    """
    absent = sorted(set(stated.numbers) - set(numbers))
    if absent:
        raise SchemaMismatch(
            f"claim {stated.claim}: no {absent}", "every number of the rule", "pass None if unknown"
        )
    outcomes = {name: outcome(t, numbers[t["number"]]) for name, t in stated.tests.items()}
    return (*graded(stated, outcomes), outcomes)


def graded(stated: Rule, outcomes: Mapping[str, Outcome]) -> tuple[str, str]:
    """Return grade and words of the first row that the outcomes match.

    Examples
    --------
    >>> graded(rule("b4"), {"about_sixty": False, "near": True})[0]
    'partly supported'
    """
    for row in stated.table:
        if all(outcomes[name] == wanted for name, wanted in row["when"].items()):
            return row["grade"], row["say"]
    raise SchemaMismatch(
        f"claim {stated.claim}: no row for {dict(outcomes)}",
        "a truth table without gaps",
        "add a last row that catches the rest",
    )


@lru_cache
def text() -> str:
    """Return the rules file as it stands."""
    return files("tradeflows.claims").joinpath("rules.yml").read_text("utf-8")
