"""State the numbers of a claim, judge it by its rule, and show what the rule makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import store
from tradeflows.claims.rules import UNKNOWN, Frozen, Outcome, Rules, decide, rule, rules
from tradeflows.counterfactual.validation import Validation, validation
from tradeflows.errors import SourceUnavailable
from tradeflows.measure.intervals import Interval
from tradeflows.plot.tables import table_html
from tradeflows.result import Result
from tradeflows.words import Sentence, between, percent

FILE = "statements.json"
MIME = "application/vnd.tradeflows.statement+json"
Number = Interval | float | None
_rules = rules  # functions below have a parameter of that name

_PASSED_ON = ("period", "headline", "detail", "clause", "origins", "picture")
_WORDS: dict[Outcome, str] = {True: "yes", False: "no", UNKNOWN: "unknown"}
_MARKS = {
    "supported": ("✓", "supported"),
    "partly supported": ("◐", "partly"),
    "contradicted": ("✗", "contradicted"),
    "cannot be determined": ("?", "undetermined"),
}


@dataclass(frozen=True)
class Verdict(Result):
    """What a rule makes of the numbers of a claim."""

    rule: Frozen
    grade: str
    say: str
    numbers: Mapping[str, Interval | None]
    outcomes: Mapping[str, Outcome]
    period: tuple[str, ...] = ()
    headline: str = ""
    detail: str = ""
    clause: str = ""
    origins: tuple[str, ...] = ()
    picture: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    fingerprint: str = field(default="", repr=False)
    page: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """How the grade came about: each test, what it reads, its number, rule and outcome."""
        rows = []
        for name, test in self.rule.tests.items():
            value = self.numbers.get(test["number"])
            found = (
                "not known" if value is None else between(value.low, value.high, "{:.4g}".format)
            )
            asks = " ".join(f"{k.replace('_', ' ')} {x}" for k, x in test.items() if k != "number")
            words = _WORDS[self.outcomes.get(name, UNKNOWN)]
            rows.append((name, self.rule.numbers[test["number"]], found, asks, words))
        rows.append(("grade", self.say, "", "", self.grade))
        return pd.DataFrame(rows, columns=["test", "what it reads", "found", "rule", "outcome"])

    @property
    def of_the_claim(self) -> bool:
        """Whether the numbers are of the period that the claim is about."""
        return not self.period or self.period == tuple(map(str, self.rule.period))

    def sentence(self) -> Sentence:
        """Say the verdict in one sentence."""
        words = f"{self.rule.question} {self.grade.capitalize()}: {self.say}."
        return Sentence(f"{words} {self.detail}".strip())

    def statement(self) -> dict[str, Any]:
        """Return what is passed on: the numbers, their period and the rules that judge them."""
        ends = {n: i and [float(i.low), float(i.high)] for n, i in self.numbers.items()}
        about = {name: getattr(self, name) for name in _PASSED_ON}
        return about | {"claim": self.rule.claim, "tier": self.rule.tier, "numbers": ends,
                        "rules": self.fingerprint}  # fmt: skip

    def card(self) -> str:
        """Return the verdict as a card, in HTML."""
        mark, kind = _MARKS[self.grade]
        decided = self.grade != "cannot be determined"  # of the statement, not of the question
        grade = f"the statement is {self.grade}" if decided else self.grade
        r = self.rule
        day = pd.Timestamp(r.date)
        said = f"{r.speaker}, {r.place}, {day.day} {day:%B %Y}"
        fold = {"In detail": self.detail, "What would change this": r.would_change,
                "What the data cannot show": r.cannot_show}  # fmt: skip
        more = "".join(
            f'<p class="box"><b>{label}.</b> {escape(text)}</p>'
            for label, text in fold.items()
            if text
        )
        link = f' <a href="{escape(self.page)}">See the evidence</a>' if self.page else ""
        tier = "" if r.tier == "snapshot" else f"-{r.tier}"
        return (
            f'<article class="card grade-{kind}" id="{escape(f"claim-{r.claim}{tier}")}">'
            f'<h3 class="card-question">{escape(r.question)}</h3>'
            f'<p class="card-quote">{escape(r.quote)}</p><p class="card-meta">{escape(said)}</p>'
            f'<p class="card-grade"><span aria-hidden="true">{mark}</span> {escape(grade)}</p>'
            f'<p class="card-number">{escape(self.headline)}</p>'
            f'<p class="card-say">{escape(self.say)}.{link}</p>'
            f'<p class="card-meta">Evidence: {escape(r.tier)} · claim {escape(r.claim)}</p>'
            f"<details><summary>In detail, and what would change this</summary>{more}"
            "</details></article>"
        )

    def _repr_html_(self) -> str:
        r = self.rule
        claim = escape(f"Claim {r.claim}. {r.question}")
        number = f" ({escape(self.headline)})" if self.headline.strip("–") else ""
        head = f"{claim} <b>{escape(self.grade)}</b>{number}: {escape(self.say)}."
        if not self.of_the_claim:
            head = (
                f"The same tests on {escape(' to '.join(self.period))}, which is not the period of "
                f"claim {r.claim}: {escape(self.grade)}, {escape(self.say)}. The answers do not "
                "read it."
            )
        label = f"Tests of claim {r.claim}, and its grade"
        tests = table_html(self.table, label=label)
        more = f"<p>{escape(self.detail)}</p>" if self.detail else ""
        fold = f"<details><summary>The tests, one by one</summary>{tests}</details>"
        return f"<p>{head}</p>{more}{fold}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the tests; what is of the claim's own period is passed on to the answers."""
        del include, exclude  # everything is always offered
        shown = {"text/html": self._repr_html_(), "text/plain": str(self.sentence())}
        return shown | ({MIME: self.statement()} if self.of_the_claim and self.period else {})


class Verdicts(tuple[Verdict, ...]):
    """Several verdicts, shown as cards side by side."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f'<div class="cards">{"".join(v.card() for v in self)}</div>'


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
    windows = (period,) if isinstance(period, str | int) else period
    if isinstance(origins, pd.DataFrame):
        origins = origins["origin"]
    return _verdict(
        _rules(rules), claim, tier, numbers, headline=headline, detail=detail, clause=clause,
        picture=() if picture is None else json.loads(picture.to_json(orient="records")),
        period=map(str, windows), origins=sorted(set(origins)),
    )  # fmt: skip


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
    wanted = rule(claim, tier, rules=stated).numbers
    if numbers:
        return _verdict(stated, claim, tier, numbers)
    found = [s for s in statements(stated) if (s["claim"], s["tier"]) == (claim, tier)]
    if found:
        told = found[-1]
        heard = {n: None if v is None else Interval(*v) for n, v in told["numbers"].items()}
        about = {name: told[name] for name in (*_PASSED_ON, "page") if name in told}
        return _verdict(stated, claim, tier, heard, **about)
    if tier == "panel":
        missing = "the panel is missing; `tradeflows refresh` brings it"
        return _verdict(stated, claim, tier, dict.fromkeys(wanted), headline="–", say=missing)
    raise SourceUnavailable(
        f"no page has stated the numbers of claim {claim} under these rules",
        f"{FILE}, written when the report is built",
        "run `tradeflows report` (`make report`), or pass the numbers: "
        + ", ".join(f"{name}=…" for name in wanted),
    )


def statements(rules: str | Path | Rules | None = None) -> list[dict[str, Any]]:
    """Return what the pages of the last report stated under a rules file."""
    try:
        found = json.loads((store.processed() / FILE).read_text("utf-8"))
        fingerprint = _rules(rules).fingerprint
        return [s for s in found if s["rules"] == fingerprint]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _verdict(
    stated: Rules, claim: str, tier: str, numbers: Mapping[str, Number], *,
    detail: str = "", say: str = "", **about: Any,
) -> Verdict:  # fmt: skip
    here, mute = (
        rule(claim, tier, rules=stated),
        silenced(validation(), stated.content.get("simulated")),
    )
    heard = {n: x if x is None or isinstance(x, Interval) else Interval(x, x)
             for n, x in numbers.items()}  # fmt: skip
    grade, said, outcomes = decide(here, {n: None if n in mute else x for n, x in heard.items()})
    told = [detail, *(mute[n] for n, x in heard.items() if n in mute and x is not None)]
    about = {n: x if isinstance(x, str) else tuple(x) for n, x in about.items()}
    return Verdict(
        here, grade, say or said, heard, outcomes, detail=" ".join(filter(None, told)),
        fingerprint=stated.fingerprint, **about,
    )  # fmt: skip


def silenced(simulated: Validation, heard: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the numbers whose tests decide nothing, each with the reason in a sentence."""
    if simulated.table.empty or not heard:
        return {}
    alarms = simulated.alarms
    alarms = alarms[~alarms["stated_apart"] & (alarms["low"] > heard["limit"])].sort_values("low")
    worst = alarms.drop_duplicates("rule", keep="last").set_index("rule")
    return {
        number: f"The rule of {name} decides nothing: without any effect it fired in"
        f" {percent(float(worst['rate'][name]))} of {int(worst['draws'][name])} simulations of the"
        f" world that suits it least, where {float(worst['nominal'][name]):.0%} are meant."
        for number, name in heard["rule_of"].items()
        if name in worst.index
    }


def judge_all(tier: str = "snapshot", *, rules: str | Path | Rules | None = None) -> Verdicts:
    """Judge every claim at one tier from what the pages stated, in the order of the rules file.

    Examples
    --------
    >>> verdicts = judge_all()  # doctest: +SKIP
    """
    return Verdicts(judge(c, tier, rules=rules) for c in _rules(rules).claims)
