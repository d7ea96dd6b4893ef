"""A verdict: grade, numbers, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import pandas as pd

from tradeflows.claims.rules import UNKNOWN, Outcome, Rule
from tradeflows.figures.words import Sentence, Shown, between
from tradeflows.measure.intervals import Interval

__all__ = ["Verdict", "Verdicts"]

_WORDS: dict[Outcome, str] = {True: "yes", False: "no", UNKNOWN: "unknown"}
_MARKS = {
    "supported": ("✓", "supported"),
    "partly supported": ("◐", "partly"),
    "contradicted": ("✗", "contradicted"),
    "cannot be determined": ("?", "undetermined"),
}


@dataclass(frozen=True)
class Verdict:
    """What a rule makes of a claim.

    ``numbers`` are the ranges the rule reads, ``outcomes`` those of its tests; ``headline`` is the
    deciding number for people; ``detail`` says in a sentence what it means; ``evidence`` is the
    page that shows it; ``origins`` are the raw files under it.
    """

    rule: Rule
    grade: str
    say: str
    headline: str
    detail: str
    numbers: dict[str, Interval | None]
    outcomes: dict[str, Outcome]
    origins: tuple[str, ...]
    evidence: str = ""
    clause: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """The numbers of the rule: name, what it is, low, high."""
        rows = []
        for name, meaning in self.rule.numbers.items():
            value = self.numbers.get(name)
            ends = (None, None) if value is None else (value.low, value.high)
            rows.append((name, meaning, *ends))
        return pd.DataFrame(rows, columns=["number", "what it is", "low", "high"])

    def sentence(self) -> Sentence:
        """Say the verdict in one sentence."""
        words = f"{self.rule.question} {self.grade.capitalize()}: {self.say}."
        return Sentence(f"{words} {self.detail}".strip())

    def trail(self) -> Shown:
        """Show how the grade came about: each test, its number, and the outcome."""
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
        return Shown(
            pd.DataFrame(rows, columns=columns), f"Tests of claim {self.rule.claim}, and its grade"
        )

    @property
    def _anchor(self) -> str:
        """Name of the card on its page, which may hold both tiers."""
        tier = "" if self.rule.tier == "snapshot" else f"-{self.rule.tier}"
        return escape(f"claim-{self.rule.claim}{tier}")

    def _repr_html_(self) -> str:
        mark, kind = _MARKS[self.grade]
        r = self.rule
        said = f"{r.speaker}, {r.place}, {_day(r.date)}"
        more = "".join(
            f'<p class="box"><b>{label}.</b> {escape(text)}</p>'
            for label, text in (
                ("What would change this", r.would_change),
                ("What the data cannot show", r.cannot_show),
            )
        )
        link = f' <a href="{escape(self.evidence)}">See the evidence</a>' if self.evidence else ""
        return (
            f'<article class="card grade-{kind}" id="{self._anchor}">'
            f'<h3 class="card-question">{escape(r.question)}</h3>'
            f'<p class="card-quote">{escape(r.quote)}</p><p class="card-meta">{escape(said)}</p>'
            f'<p class="card-grade"><span aria-hidden="true">{mark}</span> {escape(self.grade)}</p>'
            f'<p class="card-number">{escape(self.headline)}</p>'
            f'<p class="card-say">{escape(self.say)}. {escape(self.detail)}{link}</p>'
            f'<p class="card-meta">Evidence: {escape(r.tier)} · claim {escape(r.claim)}</p>'
            f"<details><summary>What would change this, what the data cannot show</summary>{more}"
            "</details></article>"
        )


@dataclass(frozen=True)
class Verdicts:
    """Several verdicts, shown as cards side by side."""

    verdicts: tuple[Verdict, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row a claim: question, grade, number, tier."""
        rows = [(v.rule.claim, v.rule.question, v.grade, v.headline, v.rule.tier) for v in self]
        return pd.DataFrame(rows, columns=["claim", "question", "grade", "number", "tier"])

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def sentence(self) -> Sentence:
        """Say in one sentence what was found."""
        found = {v.rule.claim: v.clause for v in self if v.clause}
        order = [found[claim] for claim in ("b1", "b2", "c", "a") if claim in found]
        words = "; ".join(order)
        return Sentence(f"In one sentence: {words}.")

    def _repr_html_(self) -> str:
        cards = "".join(v._repr_html_() for v in self.verdicts)
        return f'<div class="cards">{cards}</div>'


def _digits(x: float) -> str:
    return f"{x:.4g}"


def _day(date: str) -> str:
    day = pd.Timestamp(date)
    return f"{day.day} {day:%B %Y}"
