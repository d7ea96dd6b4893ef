"""State the numbers of a claim, and judge it by its rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import store
from tradeflows.claims.rules import Rules, decide, rule, rules
from tradeflows.claims.verdict import Verdict, Verdicts
from tradeflows.counterfactual.validation import Validation, validation
from tradeflows.errors import SourceUnavailable
from tradeflows.measure.intervals import Interval
from tradeflows.words import percent

__all__ = ["judge", "judge_all", "silenced", "state", "statements"]

FILE = "statements.json"
Number = Interval | float | None
_rules = rules  # functions below have a parameter of that name


def state(
    claim: str,
    period: str | Iterable[str | int],
    *,
    tier: str = "snapshot",
    headline: str = "",
    detail: str = "",
    clause: str = "",
    picture: pd.DataFrame | None = None,
    origins: Iterable[str] | pd.Series | pd.DataFrame = (),
    rules: str | Path | Rules | None = None,
    **numbers: Number,
) -> Verdict:
    """Put the numbers of a page beside the tests of a rule, and pass them on to the answers.

    The last line of a cell: the page shows each test, its number and the outcome. The report
    collects what pages state; `judge` reads it. Numbers of another period than the claim's are
    shown as such and not passed on.

    Parameters
    ----------
    claim : str
        A claim of the rules file.
    period : str, or pair of windows
        What the numbers describe: a window of months, or base and current, such as (2021, 2022).
    tier : {"snapshot", "panel"}
    headline, detail, clause : str
        For the card: the deciding number, what it means in a sentence or two, and a sentence for
        the summary of all claims.
    picture : DataFrame, optional
        The table behind a chart that the answers draw as well.
    origins : list of str, Series or DataFrame
        Raw files under the numbers; of a frame its column ``origin``.
    rules : path or Rules, optional
        A rules file of your own.
    **numbers : Interval, float or None
        Every number that the rule reads; None where it is not known.

    Returns
    -------
    Verdict
        Shows itself; ``grade``, ``say``, ``outcomes``, ``table``.

    Raises
    ------
    UnknownCode
        No such claim or tier.
    SchemaMismatch
        A number that the rule reads is not given, or one it does not read is.

    Examples
    --------
    >>> state("b4", "2022", energy_share=Interval(0.6, 0.62)).grade
    'supported'
    """
    stated = _rules(rules)
    heard = {name: _interval(value) for name, value in numbers.items()}
    windows = (period,) if isinstance(period, str | int) else tuple(period)
    drawn = () if picture is None else tuple(json.loads(picture.to_json(orient="records")))
    about: dict[str, Any] = {
        "headline": headline, "detail": detail, "clause": clause, "picture": drawn,
        "period": tuple(map(str, windows)), "origins": _origins(origins),
    }  # fmt: skip
    return _verdict(stated, claim, tier, heard, **about)


def judge(
    claim: str,
    tier: str = "snapshot",
    *,
    rules: str | Path | Rules | None = None,
    **numbers: Number,
) -> Verdict:
    """Judge a claim by its rule: from the numbers given, or from what the pages stated.

    A test that cries wolf too often in simulations decides nothing: its outcome is unknown,
    whatever its number, and the verdict says so.

    Parameters
    ----------
    claim : str
        Such as ``"b2"``.
    tier : {"snapshot", "panel"}
        Without a panel the grade of that tier is "cannot be determined".
    rules : path or Rules, optional
        A rules file of your own.
    **numbers : Interval, float or None
        Every number that the rule reads. Without any, the statements of the last report are read.

    Returns
    -------
    Verdict
        Grade, numbers with ranges, what would change it.

    Raises
    ------
    UnknownCode
        No such claim or tier.
    SourceUnavailable
        No number is given, and no page has stated any under these rules.

    Examples
    --------
    >>> judge("b4", energy_share=0.61).say
    'within 55 to 65 %'
    """
    stated = _rules(rules)
    here = rule(claim, tier, rules=stated)
    if numbers:
        heard = {name: _interval(value) for name, value in numbers.items()}
        return _verdict(stated, claim, tier, heard)
    found = [s for s in statements(stated) if (s["claim"], s["tier"]) == (claim, tier)]
    if not found and tier == "panel":
        missing = "the panel is missing; `tradeflows refresh` brings it"
        return _verdict(stated, claim, tier, dict.fromkeys(here.numbers), headline="–", say=missing)
    if not found:
        raise SourceUnavailable(
            f"no page has stated the numbers of claim {claim} under these rules",
            f"{FILE}, written when the report is built",
            "run `tradeflows report` (`make report`), or pass the numbers: "
            + ", ".join(f"{name}=…" for name in here.numbers),
        )
    told = found[-1]
    heard = {n: None if v is None else Interval(*v) for n, v in told["numbers"].items()}
    names = ("headline", "detail", "clause", "page")
    about = {name: told.get(name, "") for name in names}
    about |= {name: tuple(told.get(name, ())) for name in ("period", "origins", "picture")}
    return _verdict(stated, claim, tier, heard, **about)


def statements(rules: str | Path | Rules | None = None) -> list[dict[str, Any]]:
    """Return what the pages of the last report stated under a rules file."""
    try:
        found = json.loads((store.processed() / FILE).read_text("utf-8"))
        fingerprint = _rules(rules).fingerprint
        return [s for s in found if s["rules"] == fingerprint]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _verdict(
    stated: Rules, claim: str, tier: str, numbers: Mapping[str, Interval | None], *,
    detail: str = "", say: str = "", **about: Any,
) -> Verdict:  # fmt: skip
    here = rule(claim, tier, rules=stated)
    mute = silenced(validation(), stated.content.get("simulated"))
    grade, said, outcomes = decide(
        here, {n: None if n in mute else value for n, value in numbers.items()}
    )
    told = [detail, *(mute[n] for n, v in numbers.items() if n in mute and v is not None)]
    about |= {"detail": " ".join(t for t in told if t), "fingerprint": stated.fingerprint}
    return Verdict(here, grade, say or said, numbers, outcomes, **about)


def silenced(simulated: Validation, heard: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the numbers whose tests decide nothing, each with the reason in a sentence."""
    if simulated.table.empty or not heard:
        return {}
    found = {}
    for number, name in heard["rule_of"].items():
        alarms = simulated.alarms
        own = alarms[(alarms["rule"] == name) & ~alarms["stated_apart"]]
        worst = own.sort_values("low").tail(1)
        for _, row in worst[worst["low"] > heard["limit"]].iterrows():
            found[number] = (
                f"The rule of {name} decides nothing: without any effect it fired in"
                f" {percent(float(row['rate']))} of {int(row['draws'])} simulations of the world"
                f" that suits it least, where {float(row['nominal']):.0%} are meant."
            )
    return found


def judge_all(tier: str = "snapshot", *, rules: str | Path | Rules | None = None) -> Verdicts:
    """Judge every claim at one tier from what the pages stated, in the order of the rules file.

    Examples
    --------
    >>> verdicts = judge_all()  # doctest: +SKIP
    """
    return Verdicts(judge(c, tier, rules=rules) for c in _rules(rules).claims)


def _interval(value: Number) -> Interval | None:
    return value if value is None or isinstance(value, Interval) else Interval(value, value)


def _origins(of: Iterable[str] | pd.Series | pd.DataFrame) -> tuple[str, ...]:
    if isinstance(of, pd.DataFrame):
        of = of["origin"]
    return tuple(sorted(set(of)))
