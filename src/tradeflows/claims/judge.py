"""Judge a claim: gather the numbers its rule reads, apply the rule, return the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tradeflows.claims.rules import claims, decide, rule
from tradeflows.claims.verdict import TO_COME, Verdict, Verdicts
from tradeflows.evidence.disclosure import disclosure
from tradeflows.evidence.turnover import total_trade, turnover
from tradeflows.figures import percent
from tradeflows.measure.intervals import Interval

__all__ = ["judge", "judge_all"]


@dataclass(frozen=True)
class Gathered:
    """Numbers for a rule, the headline and sentence for people, and the raw files under them."""

    numbers: dict[str, Interval | None]
    headline: str
    detail: str
    origins: tuple[str, ...]
    evidence: str


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
    gather = _EVIDENCE.get((claim, tier))
    if gather is None:
        nothing: dict[str, Interval | None] = dict.fromkeys(stated.numbers)
        return Verdict(stated, TO_COME, "not judged yet", "–", "", nothing, {}, ())
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
        got.evidence,
    )


def judge_all(tier: str = "snapshot") -> Verdicts:
    """Judge every claim at one tier, in the order of the rules file.

    Examples
    --------
    >>> [v.rule.claim for v in judge_all()]
    ['a', 'b1', 'b2', 'b3', 'b4', 'c']
    """
    return Verdicts(tuple(judge(claim, tier) for claim in claims()))


def _boom() -> Gathered:
    trade = turnover()
    growth = trade.growth(2021, 2022)
    (before, origin), (after, _) = total_trade(2021), total_trade(2022)
    total = Interval(after.low / before.high - 1, after.high / before.low - 1)
    gap = Interval(growth.low - total.high, growth.high - total.low)
    return Gathered(
        {"turnover_growth": growth, "growth_gap": gap},
        percent(growth.low, sign=True),
        f"Turnover with Russia grew by {percent(growth.low)} from 2021 to 2022, Turkey's total "
        f"trade by {percent(total.low)}.",
        (*trade.origins, origin),
        "01-the-data.html",
    )


def _share_of_energy() -> Gathered:
    fuels, trade = disclosure(), turnover()
    share = float(fuels.table["hs27"][2022]) / trade.of(2022).low
    return Gathered(
        {"energy_share": Interval(share, share)},
        percent(share),
        f"HS 27 from Russia was {percent(share)} of exports plus imports in 2022.",
        tuple(sorted({*trade.origins, *fuels.origins})),
        "01-the-data.html",
    )


_EVIDENCE: dict[tuple[str, str], Callable[[], Gathered]] = {
    ("b1", "snapshot"): _boom,
    ("b4", "snapshot"): _share_of_energy,
}
