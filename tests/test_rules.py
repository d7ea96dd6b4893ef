"""Every rule is a complete truth table, and says what claims.md says."""

import itertools
from importlib.resources import files

import pytest

from tradeflows.claims import rules
from tradeflows.claims.rules import UNKNOWN, decide, graded, outcome, rule
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.measure.intervals import Interval

RULES = [rule(claim, tier) for claim in rules.rules().claims for tier in rules.TIERS]
NAMES = [f"{r.claim}-{r.tier}" for r in RULES]
THREE = (True, False, UNKNOWN)


def outcomes(stated):
    for values in itertools.product(THREE, repeat=len(stated.tests)):
        yield dict(zip(stated.tests, values, strict=True))


@pytest.mark.parametrize("stated", RULES, ids=NAMES)
def test_every_combination_of_outcomes_has_a_grade(stated):
    grades = {graded(stated, combination)[0] for combination in outcomes(stated)}
    assert grades <= set(rules.rules().content["grades"])


@pytest.mark.parametrize("stated", RULES, ids=NAMES)
def test_rows_name_tests_of_the_rule_and_each_row_decides_something(stated):
    used = set()
    for combination in outcomes(stated):
        for k, row in enumerate(stated.table):
            if all(combination[name] == wanted for name, wanted in row["when"].items()):
                used.add(k)
                break
    assert used == set(range(len(stated.table)))


@pytest.mark.parametrize("stated", RULES, ids=NAMES)
def test_tests_read_numbers_that_the_rule_explains(stated):
    assert {t["number"] for t in stated.tests.values()} <= set(stated.numbers)


@pytest.mark.parametrize("stated", RULES, ids=NAMES)
def test_knowing_nothing_determines_nothing(stated):
    grade, _, _ = decide(stated, dict.fromkeys(stated.numbers))
    assert grade == "cannot be determined"


def test_claim_a_is_never_proved_true():
    for tier in rules.TIERS:
        stated = rule("a", tier)
        assert {graded(stated, o)[0] for o in outcomes(stated)} == {
            "contradicted",
            "cannot be determined",
        }


@pytest.mark.parametrize(
    ("growth", "gap", "grade"),
    [
        (0.25, 0.10, "supported"),
        (0.24, 0.20, "partly supported"),
        (0.30, 0.09, "partly supported"),
        (0.0, -0.1, "contradicted"),
        (-0.2, 0.3, "contradicted"),
    ],
)
def test_b1(growth, gap, grade):
    numbers = {"turnover_growth": Interval(growth, growth), "growth_gap": Interval(gap, gap)}
    assert decide(rule("b1", "snapshot"), numbers)[0] == grade


@pytest.mark.parametrize(
    ("low", "high", "pressed", "grade", "say"),
    [
        (0.55, 0.8, 0.56, "supported", "mainly"),
        (0.45, 0.8, 0.52, "supported", "in part; mainly, if HS 27 of October 2021 is as printed"),
        (0.10, 0.8, 0.12, "supported", "in part"),
        (0.07, 0.8, 0.09, "partly supported", "the range straddles the thresholds"),
        (
            -0.1,
            0.05,
            -0.1,
            "contradicted",
            "the price of energy accounts for next to nothing of it",
        ),
    ],
)
def test_b2(low, high, pressed, grade, say):
    numbers = {
        "priced_share": Interval(0.7, 0.9),
        "turnover_change_rel": Interval(0.9, 1.0),
        "pi_turnover": Interval(low, high),
        "pi_imports": Interval(low, high),
        "pi_with_press": Interval(pressed, high),
    }
    assert decide(rule("b2", "snapshot"), numbers)[:2] == (grade, say)
    for poor in (
        {"priced_share": Interval(0.3, 0.69)},
        {"turnover_change_rel": Interval(-0.2, 0.1)},
    ):
        assert decide(rule("b2", "snapshot"), {**numbers, **poor})[0] == "cannot be determined"


@pytest.mark.parametrize(
    ("cost", "grade"),
    [
        ((2.7, 3.4), "supported"),
        ((2.6, 2.9), "supported"),
        ((2.4, 3.3), "cannot be determined"),
        ((2.4, 2.9), "cannot be determined"),
        ((1.5, 2.4), "contradicted"),
    ],
)
def test_b3(cost, grade):
    for gas in (None, Interval(2.9, 3.1), Interval(5, 6)):  # shown, decides nothing
        numbers = {"cost_ratio": Interval(*cost), "gas_price_ratio": gas}
        assert decide(rule("b3", "snapshot"), numbers)[0] == grade


@pytest.mark.parametrize("claim", ["b1", "b2", "b3", "b4", "c"])  # a counts "at least" months
def test_a_wider_range_never_gets_a_better_grade(claim):
    """What is less known may not pass what is better known: ignorance is no evidence."""
    stated = rule(claim, "snapshot")
    limits = [v for t in stated.tests.values() for v in list(t.values())[1:]]
    ends = [x for v in limits for x in (v if isinstance(v, list) else [v])]
    middles = [x + d for x in ends for d in (-0.01, 0.01)]
    for middle, half in itertools.product(middles, (0.02, 2)):
        narrow, wide = (
            decide(stated, dict.fromkeys(stated.numbers, Interval(middle - h, middle + h)))[0]
            for h in (0.0, half)
        )
        assert (wide == "supported") <= (narrow == "supported")


def test_no_threshold_moved_from_version_4_to_5():
    old = rules.rules(files("tradeflows.claims") / "rules-4.yml")
    for claim, tier in itertools.product(old.claims, rules.TIERS):
        before, now = rule(claim, tier, rules=old).tests, rule(claim, tier).tests
        for name in set(before) & set(now):
            if claim != "b3":
                limits = [list(t.values())[1:] for t in (before[name], now[name])]
                assert limits[0] == limits[1], (claim, name)


def test_c_follows_the_table_of_the_claims():
    yes = dict.fromkeys(rule("c", "panel").tests, True) | {
        "value_fell": False,
        "volume_fell": False,
    }
    panel = rule("c", "panel")
    assert graded(panel, yes) == ("supported", "and concentrated in listed goods")
    assert graded(panel, yes | {"c4_p": False})[0] == "supported"
    for one in ("c2", "c3"):
        assert graded(panel, yes | {one: False})[0] == "partly supported"
    alone = yes | dict.fromkeys(("c2", "c3", "c4_sign", "c4_p"), False)
    assert graded(panel, alone) == ("partly supported", "a rise, not shown to be unusual")
    assert graded(panel, yes | {"c1_volume": False})[0] == "cannot be determined"
    assert graded(panel, yes | {"value_fell": True})[0] == "contradicted"
    snapshot = rule("c", "snapshot")
    assert "supported" not in {graded(snapshot, o)[0] for o in outcomes(snapshot)}


@pytest.mark.parametrize(
    ("test", "value", "wanted"),
    [
        ({"at_least": 1}, (1, 2), True),
        ({"at_least": 1}, (0, 0.9), False),
        ({"at_least": 1}, (0, 1), UNKNOWN),
        ({"more_than": 1}, (1, 2), UNKNOWN),
        ({"more_than": 1}, (0, 1), False),
        ({"at_most": 1}, (0, 1), True),
        ({"at_most": 1}, (1, 2), UNKNOWN),
        ({"low_at_least": 1}, (0.9, 5), False),
        ({"contains": 3}, (2, 3), True),
        ({"within": [1, 2]}, (1, 2), True),
        ({"within": [1, 2]}, (0, 1.5), UNKNOWN),
        ({"within": [1, 2]}, (2.1, 3), False),
        ({"outside": [1, 2]}, (2.1, 3), True),
        ({"outside": [1, 2]}, (2, 3), False),
    ],
)
def test_comparisons_of_ranges(test, value, wanted):
    assert outcome({"number": "x", **test}, Interval(*value)) == wanted


def test_an_unknown_comparison_or_claim_is_an_error():
    with pytest.raises(SchemaMismatch, match="roughly"):
        outcome({"number": "x", "roughly": 1}, Interval(1, 1))
    with pytest.raises(UnknownCode, match="z"):
        rule("z")
    with pytest.raises(SchemaMismatch, match="energy_share"):
        decide(rule("b4", "snapshot"), {})


def test_claims_are_quoted_with_speaker_and_date():
    for stated in RULES:
        assert stated.speaker
        assert stated.date.startswith("2023-02")
        assert len(stated.quote) < 160
