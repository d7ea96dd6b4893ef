"""Judge a claim: gather the numbers its rule reads, apply the rule, return the verdict."""

from __future__ import annotations

from tradeflows.claims.gathered import GATHER
from tradeflows.claims.rules import claims, decide, rule
from tradeflows.claims.verdict import TO_COME, Verdict, Verdicts

__all__ = ["judge", "judge_all"]


def judge(claim: str, tier: str = "snapshot") -> Verdict:
    """Judge one claim by its rule.

    Parameters
    ----------
    claim : str
        ``a``, ``b1``, ``b2``, ``b3``, ``b4`` or ``c``.
    tier : str
        ``snapshot`` or ``panel``.

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
    gather = GATHER.get((claim, tier))
    if gather is None:
        numbers = dict.fromkeys(stated.numbers)
        return Verdict(stated, TO_COME, "not judged yet", "–", "", numbers, {}, ())
    got = gather()
    grade, say, outcomes = decide(stated, got.numbers)
    return Verdict(
        stated,
        grade,
        say,
        got.headline,
        got.detail,
        got.numbers,
        outcomes,
        got.origins,
        got.page,
        got.clause,
    )


def judge_all(tier: str = "snapshot") -> Verdicts:
    """Judge every claim at one tier, in the order of the rules file.

    Examples
    --------
    >>> [v.rule.claim for v in judge_all()]
    ['a', 'b1', 'b2', 'b3', 'b4', 'c']
    """
    return Verdicts(tuple(judge(claim, tier) for claim in claims()))
