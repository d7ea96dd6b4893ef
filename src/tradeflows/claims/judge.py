"""Judge a claim: gather the numbers its rule reads, apply the rule, return the verdict."""

from __future__ import annotations

import pandas as pd

from tradeflows.claims.gathered import GATHER
from tradeflows.claims.rules import TIERS, claims, decide, rule
from tradeflows.claims.verdict import Verdict, Verdicts
from tradeflows.counterfactual.validation import Validation, validation
from tradeflows.figures import percent
from tradeflows.figures.words import Shown

__all__ = ["judge", "judge_all", "silenced", "tiers"]

# The simulated rule behind each number that a test reads.
_SIMULATED = {
    "excess_both": "both 95 % bands (a2, c2)",
    "p_destination": "placebo destinations (a2)",
    "destination_rank": "growth among destinations (c3)",
    "ddd_p": "placebo product sets (c4)",
}


def judge(claim: str, tier: str = "snapshot") -> Verdict:
    """Judge one claim by its rule.

    A test that cries wolf too often in simulations decides nothing: its outcome is unknown,
    whatever its number, and the verdict says so.

    Parameters
    ----------
    claim : str
        ``a``, ``b1``, ``b2``, ``b3``, ``b4`` or ``c``.
    tier : str
        ``snapshot`` or ``panel``. Without a panel the grade of that tier is "cannot be
        determined".

    Returns
    -------
    Verdict
        Grade, numbers with ranges, what would change it.

    Raises
    ------
    UnknownCode
        No such claim or tier.

    Examples
    --------
    >>> judge("b1").grade
    'supported'
    """
    stated = rule(claim, tier)
    got = GATHER[claim, tier]()
    mute = {} if got.missing else silenced(validation())
    heard = {n: None if n in mute else value for n, value in got.numbers.items()}
    grade, say, outcomes = decide(stated, heard)
    told = [got.detail, *(mute[n] for n, v in got.numbers.items() if n in mute and v is not None)]
    return Verdict(
        stated,
        grade,
        got.missing or say,
        got.headline,
        " ".join(told),
        got.numbers,
        outcomes,
        got.origins,
        got.page,
        got.clause,
    )


def silenced(simulated: Validation) -> dict[str, str]:
    """Return the numbers whose tests decide nothing, each with the reason in a sentence.

    Parameters
    ----------
    simulated : Validation

    Examples
    --------
    >>> silenced(Validation(pd.DataFrame()))
    {}
    """
    if simulated.table.empty:
        return {}
    found = {}
    for number, name in _SIMULATED.items():
        if name in simulated.silent:
            alarms = simulated.alarms
            own = alarms[(alarms["rule"] == name) & ~alarms["stated_apart"]]
            worst = own.sort_values("low").iloc[-1]
            found[number] = (
                f"The rule of {name} decides nothing: without any effect it fired in"
                f" {percent(float(worst['rate']))} of {int(worst['draws'])} simulations, at least"
                f" {percent(float(worst['low']))} at a nominal {percent(float(worst['nominal']))}."
            )
    return found


def judge_all(tier: str = "snapshot") -> Verdicts:
    """Judge every claim at one tier, in the order of the rules file.

    Examples
    --------
    >>> [v.rule.claim for v in judge_all()]
    ['a', 'b1', 'b2', 'b3', 'b4', 'c']
    """
    return Verdicts(tuple(judge(claim, tier) for claim in claims()))


def tiers() -> Shown:
    """Show what each tier of evidence says of each claim.

    Examples
    --------
    >>> list(tiers().table.columns)
    ['claim', 'question', 'by the snapshot', 'by the panel']
    """
    rows = []
    for claim in claims():
        found = [judge(claim, tier) for tier in TIERS]
        words = [f"{v.grade}: {v.say}" for v in found]
        rows.append((claim, found[0].rule.question, *words))
    columns = ["claim", "question", *(f"by the {tier}" for tier in TIERS)]
    return Shown(pd.DataFrame(rows, columns=columns), "What each tier of evidence says")
