"""The rules file for people: every claim, its tests, and the table that grades their outcomes."""

from __future__ import annotations

from html import escape

import pandas as pd

from tradeflows.claims.rules import TIERS, Frozen, rule, rules
from tradeflows.plot import table_html

__all__ = ["Rulebook", "rulebook"]

_WORDS = {True: "yes", False: "no"}


class Rulebook:
    """All rules, shown claim by claim; the hash says which version of the file this is."""

    def _repr_html_(self) -> str:
        head = (
            f"<p>Version {escape(str(rules().content['version']))}, sha256 "
            f"<code>{rules().fingerprint}</code>.</p>"
        )
        whole = (
            "<details><summary>The file itself: every bound, corridor and constant, and why"
            f'</summary><pre tabindex="0">{escape(rules().text)}</pre></details>'
        )
        return head + "".join(_claim(claim) for claim in rules().claims) + whole


def rulebook() -> Rulebook:
    """Return the rules for display.

    Examples
    --------
    >>> "growth of exports plus imports" in rulebook()._repr_html_()
    True
    """
    return Rulebook()


def _claim(claim: str) -> str:
    tiers = [rule(claim, tier) for tier in TIERS]
    first = tiers[0]
    same = first.tests == tiers[1].tests and first.table == tiers[1].table
    shown = [first] if same else tiers
    parts = [
        f'<h3 id="rule-{escape(claim)}">Claim {escape(claim)}: {escape(first.question)}</h3>',
        f"<p>{escape(first.speaker)}, {escape(first.place)}, {escape(first.date)}: "
        f"{escape(first.quote)}</p>",
    ]
    for stated in shown:
        tier = "both tiers" if same else f"the {stated.tier} tier"
        of = f"of claim {stated.claim} at {tier}"
        parts += [f"<h4>At {escape(tier)}</h4>", _tests(stated, of), _grades(stated, of)]
    return "".join(parts)


def _tests(stated: Frozen, of: str) -> str:
    rows = []
    for name, test in stated.tests.items():
        comparison = " ".join(
            f"{k.replace('_', ' ')} {v}" for k, v in test.items() if k != "number"
        )
        rows.append((name, stated.numbers[test["number"]], comparison))
    table = pd.DataFrame(rows, columns=["test", "the number it reads", "passes if"])
    return table_html(table, label=f"Tests {of}")


def _grades(stated: Frozen, of: str) -> str:
    rows = []
    for row in stated.table:
        when = [f"{name}: {_WORDS.get(wanted, wanted)}" for name, wanted in row["when"].items()]
        rows.append((", ".join(when) or "anything else", row["grade"], row["say"]))
    table = pd.DataFrame(rows, columns=["first row that matches", "grade", "in words"])
    return table_html(table, label=f"Grades {of}")
