"""A verdict: what a rule makes of numbers, shown beside its tests and as a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

from tradeflows.claims.rules import UNKNOWN, Frozen, Outcome
from tradeflows.measure.intervals import Interval
from tradeflows.plot.tables import table_html
from tradeflows.result import Result
from tradeflows.words import Sentence, between

__all__ = ["MIME", "Verdict", "Verdicts"]

MIME = "application/vnd.tradeflows.statement+json"
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
            (kind, limit), *_ = [(k, v) for k, v in test.items() if k != "number"]
            found = "not known" if value is None else between(value.low, value.high, _digits)
            words = _WORDS[self.outcomes.get(name, UNKNOWN)]
            meaning = self.rule.numbers[test["number"]]
            rows.append((name, meaning, found, f"{kind.replace('_', ' ')} {limit}", words))
        rows.append(("grade", self.say, "", "", self.grade))
        columns = ["test", "what it reads", "found", "rule", "outcome"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def of_the_claim(self) -> bool:
        """Whether the numbers are of the period that the claim is about."""
        return not self.period or self.period == _period(self.rule)

    def sentence(self) -> Sentence:
        """Say the verdict in one sentence."""
        words = f"{self.rule.question} {self.grade.capitalize()}: {self.say}."
        return Sentence(f"{words} {self.detail}".strip())

    def statement(self) -> dict[str, Any]:
        """Return what is passed on: the numbers, their period and the rules that judge them."""
        ends = {
            n: None if i is None else [float(i.low), float(i.high)] for n, i in self.numbers.items()
        }
        return {
            "claim": self.rule.claim, "tier": self.rule.tier, "period": list(self.period),
            "rules": self.fingerprint, "numbers": ends, "headline": self.headline,
            "detail": self.detail, "clause": self.clause, "origins": list(self.origins),
            "picture": list(self.picture),
        }  # fmt: skip

    def card(self) -> str:
        """Return the verdict as a card, in HTML."""
        mark, kind = _MARKS[self.grade]
        decided = self.grade != "cannot be determined"  # of the statement, not of the question
        grade = f"the statement is {self.grade}" if decided else self.grade
        r = self.rule
        said = f"{r.speaker}, {r.place}, {_day(r.date)}"
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
        head = f"{claim} <b>{escape(self.grade)}</b>: {escape(self.say)}."
        if not self.of_the_claim:
            head = (
                f"The same tests on {escape(' to '.join(self.period))}, which is not the period of "
                f"claim {r.claim}: {escape(self.grade)}, {escape(self.say)}. The answers do not "
                "read it."
            )
        label = f"Tests of claim {r.claim}, and its grade"
        tests = table_html(self.table, label=label)
        return f"<p>{head}</p><details><summary>The tests, one by one</summary>{tests}</details>"

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


def _period(stated: Frozen) -> tuple[str, ...]:
    return tuple(str(window) for window in stated.period)


def _digits(x: float) -> str:
    return f"{x:.4g}"


def _day(date: str) -> str:
    day = pd.Timestamp(date)
    return f"{day.day} {day:%B %Y}"
