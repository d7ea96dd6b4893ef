"""What a verdict says, to the word: evidence made up here, in round numbers."""

from dataclasses import replace
from html import escape
from types import SimpleNamespace

import pandas as pd
import pytest

from tradeflows.claims import gathered, judge, rulebook, rules
from tradeflows.claims.verdict import Verdict, Verdicts
from tradeflows.counterfactual.validation import Validation
from tradeflows.errors import SchemaMismatch, SourceUnavailable, UnknownCode
from tradeflows.evidence.attribution import Listed, NonEssential
from tradeflows.evidence.energy_panel import EnergyPanel
from tradeflows.evidence.panel import ABSENT, MARK
from tradeflows.evidence.turnover import Turnover
from tradeflows.figures import table_html
from tradeflows.figures.words import Sentence
from tradeflows.measure.intervals import Interval

INDEX, DATA = "index.html#The-boom-itself", "01-the-data.html"
ENERGY, CHIPS = "02-energy-price-or-volume.html", "03-electronics-volume.html"


def point(x):
    return Interval(x, x)


def trade():
    columns = ["imports", "turnover_low", "turnover_high"]
    rows = [(20e9, 30e9, 30e9), (40e9, 54e9, 57e9)]
    return Turnover(pd.DataFrame(rows, [2021, 2022], columns), ("b", "a"))


def totals(year, *_):
    return {2021: point(500e9), 2022: point(600e9)}[year], "total"


SHARE = Interval(0.55, 0.8)


def energy(share=SHARE):
    """Give each share only to who asks for it as the rules do."""
    block = SimpleNamespace(
        without_press="the stage without the press figure",
        relaxed={("1",): "the stage without the assumption"},
    )
    shares = {(None, "turnover"): share, (None, "imports"): Interval(0.6, 0.9),
              (block.without_press, "turnover"): Interval(0.5, 0.85),
              (block.relaxed["1",], "turnover"): share and Interval(0.4, 0.8)}  # fmt: skip
    return SimpleNamespace(
        share=lambda stage=None, of="turnover": shares[stage, of],
        priced_share=lambda: 0.9,
        hs27_ratio=lambda: Interval(2.24, 2.76),
        gas_price_ratio=lambda: Interval(2.04, 6.06),
        sentence=lambda: "Fuels were dear.",
        block=block,
        trade=trade(),
        origins=("e",),
    )


@pytest.fixture
def evidence(monkeypatch):
    def put(**made):
        for name, value in made.items():
            monkeypatch.setattr(gathered, name, value if callable(value) else lambda v=value: v)

    bill = SimpleNamespace(value=Interval(0.904, 0.906), origin="press")
    put(
        turnover=trade(),
        total_trade=totals,
        energy=energy(),
        printed=lambda id_: {"G007": bill}[id_],
    )
    return put


# what the snapshot says


@pytest.mark.usefixtures("evidence")
def test_the_boom():
    found = gathered.GATHER["b1", "snapshot"]()
    assert found.numbers["turnover_growth"].low == pytest.approx(0.8)
    assert found.numbers["turnover_growth"].high == pytest.approx(0.9)
    assert found.numbers["growth_gap"].low == pytest.approx(0.6)
    assert found.numbers["growth_gap"].high == pytest.approx(0.7)
    assert found.headline == "+80 % to +90 %"
    assert found.detail == (
        "Turnover with Russia grew by 80 % to 90 % from 2021 to 2022, Turkey's total trade by 20 %."
    )
    assert (found.origins, found.page) == (("b", "a", "total"), INDEX)
    assert found.clause == "trade with Russia grew by 80 % to 90 % in a year"
    assert found.missing == ""


def test_prices(evidence):
    found = gathered.GATHER["b2", "snapshot"]()
    assert found.numbers == {
        "priced_share": point(0.9),
        "turnover_change_rel": Interval(0.8, 0.9),
        "pi_turnover": Interval(0.55, 0.8),
        "pi_imports": Interval(0.6, 0.9),
        "pi_without_press": Interval(0.5, 0.85),
    }
    assert found.headline == "55 % to 80 %"
    assert found.detail == (
        "Fuels were dear. The range is over formulas, paths and bounds. Without the bound on"
        " non-energy imports, an assumption, it is 40 % to 80 %."
    )
    assert (found.origins, found.page) == (("e",), ENERGY)
    assert found.clause == "the price of energy accounts for 55 % to 80 % of that"
    evidence(energy=energy(None))
    none = gathered.GATHER["b2", "snapshot"]()
    assert none.headline == "–"
    assert none.detail == "Fuels were dear. The range is over formulas, paths and bounds."


@pytest.mark.usefixtures("evidence")
def test_the_price_that_tripled():
    found = gathered.GATHER["b3", "snapshot"]()
    assert found.numbers == {
        "cost_ratio": Interval(2.24, 2.76),
        "gas_price_ratio": Interval(2.04, 6.06),
    }
    assert found.headline == "× 2.2 to 2.8"
    assert found.detail == (
        "The cost of energy from Russia in 2022 was 2.2 to 2.8 times that of 2021, the price of"
        " gas 2.0 to 6.1 times. A wide range holds three more easily. Turkey's bill for HS 27 from"
        " all origins was 1.9 times that of 2021 in print."
    )
    assert (found.origins, found.page) == (("e", "press"), ENERGY)


def test_the_share_of_energy(evidence):
    fuels = SimpleNamespace(of=lambda what, year: {("hs27", 2022): 27e9}[what, year],
                            origins=("d", "a"))  # fmt: skip
    evidence(disclosure=fuels)
    found = gathered.GATHER["b4", "snapshot"]()
    assert found.numbers["energy_share"].low == pytest.approx(27 / 57)
    assert found.numbers["energy_share"].high == pytest.approx(0.5)
    assert found.headline == "47 % to 50 %"
    assert found.detail == (
        "HS 27 from Russia, 27 bn USD, was 47 % to 50 % of exports plus imports in 2022."
    )
    assert (found.origins, found.page) == (("a", "b", "d"), DATA)


def test_listed_goods(evidence):
    months = SimpleNamespace(
        months_above=lambda least: {1: Interval(7, 12)}[least],
        best=lambda: pd.Series([0.0, 19e6, 3e6]),
        by_gaps=lambda least: {1: 5}[least],
        origins=("m",),
    )
    evidence(listed_months=months)
    found = gathered.GATHER["a", "snapshot"]()
    assert found.numbers == {"months_above": Interval(7, 12)}
    assert found.headline == "at least 7 of 12 months"
    assert found.detail == (
        "From March 2022 to February 2023 exports of the listed goods to Russia were a million USD"
        " or more in at least 7 of 12 months, at least 19 m USD in the largest. In 5 months the"
        " difference between Turkey's two statistics alone shows it; larger sums are from"
        " newspapers that added up its figures. 31 of the 45 listed codes are electronics,"
        " computers or machines that make chips; the others are bearings, aircraft parts, optics"
        " and instruments, and no print tells them apart."
    )
    assert (found.origins, found.page) == (("m",), CHIPS)
    assert found.clause == (
        "a million USD or more of goods of the kinds found in weapons went to Russia in at least 7"
        " of 12 months from March 2022"
    )


def test_non_essential_goods(evidence):
    asked = {"all exports to Russia": (Interval(0.6, 0.62), Interval(0.16, 0.18))}
    bounds = SimpleNamespace(
        of=asked.get,
        sentence=lambda: "Volume grew.",
        origins=("v",),
        premium=0.35,
        enough=0.1,
    )
    part = SimpleNamespace(sentence=lambda *asked: f"A part: {asked}.", origins=("e", "v"))
    evidence(volumes=bounds, essential=part)
    found = gathered.GATHER["c", "snapshot"]()
    assert found.numbers == {"value_growth": Interval(0.6, 0.62),
                             "volume_growth": Interval(0.16, 0.18)}  # fmt: skip
    assert found.headline == "+60 % to +62 % in value, all exports"
    assert found.detail == f"Volume grew. A part: {(0.1, 1.6 / 1.16)}."
    assert (found.origins, found.page) == (("e", "v"), CHIPS)
    assert found.clause == (
        "all exports grew by 60 % to 62 % in value, which leaves at least 16.0 % in volume if"
        " prices rose as US import prices of capital goods and machinery did, plus a premium of"
        " 35 %"
    )


# what the panel says


def told(words, **more):
    return SimpleNamespace(sentence=lambda: words, **more)


def test_listed_goods_by_the_panel(evidence):
    made = Listed(
        "2022-03/2023-02", point(33.0), point(4), point(12),
        told("More than expected", excess_both=2e6), told("Russia is first", p=0.02),
        {"codes": "for a reason."}, ("p",), generated=True,
    )  # fmt: skip
    evidence(panel_listed=made)
    found = gathered.GATHER["a", "panel"]()
    assert found.numbers == {"value_musd": point(33.0), "codes": point(4), "months": point(12),
                             "p_destination": point(0.02), "excess_both": point(2.0)}  # fmt: skip
    assert found.headline == "33 m USD in the window"
    assert found.detail == (
        f"{MARK.rstrip('.')}. Turkey's statistics hold 33 m USD of exports of 4 listed"
        " goods to Russia in 12 months of 2022-03/2023-02. More than expected. Russia is first."
        " Not determined: for a reason."
    )
    assert (found.origins, found.page, found.missing) == (("p",), CHIPS, "")
    evidence(panel_listed=Listed("2022", reasons={"codes": "it rained", "other": "no matter"}))
    bare = gathered.GATHER["a", "panel"]()
    assert bare.headline == "–"
    assert bare.detail == "Listed goods to Russia: cannot be determined (it rained)."
    assert bare.missing == ""


def test_non_essential_goods_by_the_panel(evidence):
    made = NonEssential(
        "2021", "2022", Interval(0.4, 0.5),
        told("Volume grew", growth=Interval(0.2, 0.3)), told("Expected", excess_both=3e6), None,
        told("Second", p=0.04), told("unread", beta=0.5), told("Third", p=0.3), {}, ("p",),
    )  # fmt: skip
    evidence(panel_rise=made)
    found = gathered.GATHER["c", "panel"]()
    assert found.numbers == {
        "value_growth": Interval(0.4, 0.5),
        "volume_growth": Interval(0.2, 0.3),
        "excess_both": point(3.0),
        "destination_rank": point(0.04),
        "ddd_effect": point(0.5),
        "ddd_p": point(0.3),
    }
    assert found.headline == "+40 % to +50 % in value"
    assert found.detail == (
        "Non-essential exports to Russia: +40 % in value. Volume grew. Expected. Second. Third."
        " Destinations are compared by chapters 84, 85, 88 and 90 without medical goods."
    )
    assert (found.origins, found.page) == (("p",), "04-rerouting.html")
    why = {"value_growth": "a month is missing"}
    evidence(panel_rise=NonEssential("2021", "2022", reasons=why))
    bare = gathered.GATHER["c", "panel"]()
    assert bare.headline == "–"
    assert bare.detail == (
        "Non-essential exports to Russia: cannot be determined (a month is missing)."
    )


def fuels(**more):
    made = {
        "exports": (10e9, 12e9), "imports": (20e9, 48e9),
        "energy": (point(10e9), Interval(30e9, 33e9)),
        "priced": Interval(0.9, 0.95), "price": Interval(15e9, 18e9), "origins": ("p",),
    }  # fmt: skip
    return EnergyPanel("2021", "2022", **(made | more))


HIDDEN = (
    "Goods under pseudo-codes have a value and no weight here; the snapshot tier bounds them with"
    " outside volumes."
)


def test_energy_by_the_panel(evidence):
    evidence(panel_energy=fuels())
    found = {claim: gathered.GATHER[claim, "panel"]() for claim in ("b1", "b2", "b3", "b4")}
    said = {claim: (g.headline, g.page) for claim, g in found.items()}
    assert said == {
        "b1": ("100 %", INDEX),
        "b2": ("50 % to 60 %", ENERGY),
        "b3": ("× 3.0 to 3.3", ENERGY),
        "b4": ("50 % to 55 %", DATA),
    }
    turnover, bill = (str(words) + "." for words in (fuels().sentence(), fuels().bill()))
    assert found["b1"].detail == turnover
    assert found["b2"].detail == f"{turnover} {HIDDEN}"
    assert found["b3"].detail == f"{bill} {HIDDEN}"
    assert found["b4"].detail == bill
    assert found["b1"].numbers == {"turnover_growth": point(1.0), "growth_gap": point(0.8)}
    assert found["b2"].numbers["pi_imports"].low == pytest.approx(15 / 28)
    assert found["b3"].numbers == {"cost_ratio": Interval(3.0, 3.3), "gas_price_ratio": None}
    assert all(g.origins == ("p",) for g in found.values())


def test_energy_by_the_panel_that_is_not_known(evidence):
    evidence(panel_energy=fuels(priced=Interval(0.3, 0.4)))
    assert gathered.GATHER["b2", "panel"]().headline == "30 % to 40 % of energy is priced"
    assert gathered.GATHER["b4", "panel"]().headline == "50 % to 55 %"
    evidence(panel_energy=fuels(priced=Interval(0.7, 0.7)))
    assert gathered.GATHER["b2", "panel"]().headline == "50 % to 60 %"
    evidence(panel_energy=fuels(energy=(point(0.0), point(33e9))))
    assert gathered.GATHER["b3", "panel"]().headline == "–"
    late = EnergyPanel("2021", "2022", reason="not published: 2022-12 (M)")
    evidence(panel_energy=late)
    for claim in ("b1", "b2", "b3", "b4"):
        found = gathered.GATHER[claim, "panel"]()
        assert set(found.numbers.values()) == {None}
        assert (found.headline, found.missing) == ("–", "")
        assert found.detail == f"{late.sentence()}."


def test_the_gap_needs_published_totals_of_the_same_trade(evidence):
    evidence(panel_energy=fuels(generated=True))
    made_up = gathered.GATHER["b1", "panel"]()
    assert made_up.numbers["growth_gap"] is None
    assert made_up.detail.startswith(MARK)
    assert made_up.detail.endswith(
        "Not determined: published totals do not describe generated trade."
    )

    def gone(_):
        raise SourceUnavailable("no total of 2022", "a total", "wait")

    evidence(panel_energy=fuels(), total_trade=gone)
    real = gathered.GATHER["b1", "panel"]()
    assert real.numbers == {"turnover_growth": point(1.0), "growth_gap": None}
    assert real.detail == f"{fuels().sentence()}. Not determined: no total of 2022."


def test_without_a_panel_each_claim_says_so(evidence):
    numbers = ("value_musd", "codes", "months", "p_destination", "excess_both")
    evidence(panel_listed=Listed("2022", reasons=dict.fromkeys(numbers, ABSENT), origins=("p",)))
    found = gathered.GATHER["a", "panel"]()
    assert found.numbers == dict.fromkeys(numbers)
    assert (found.headline, found.missing, found.origins) == ("–", ABSENT, ())
    assert found.detail == f"{ABSENT[0].upper()}{ABSENT[1:]}."
    assert found.page == CHIPS


@pytest.mark.parametrize(
    ("asked", "of", "handed"),
    [
        ("panel_listed", "listed_exports", ("2022-03/2023-02", "2022-02")),
        ("panel_rise", "non_essential", ("2021", "2022", "2022-02", 0.7)),
        ("panel_energy", "energy_panel", (rules.document()["claims"]["b2"], "2021", "2022")),
    ],
)
def test_the_panel_is_asked_by_the_rules_and_once(evidence, asked, of, handed):
    made, heard = object(), []

    def answer(*given, **named):
        heard.append((*given, *named.values()))
        return "an answer"

    evidence(panel=lambda: made, **{of: answer})
    assert [getattr(gathered, asked)() for _ in range(2)] == ["an answer"] * 2
    assert heard == [(made, *handed)]


@pytest.fixture
def nothing_kept():
    """Forget what was gathered before, and what a test gathered from stand-ins."""
    kept = gathered.energy, gathered.volumes
    for keep in kept:
        keep.cache_clear()
    yield
    for keep in kept:
        keep.cache_clear()


@pytest.mark.usefixtures("nothing_kept")
def test_bounds_are_asked_by_the_rules(monkeypatch):
    stated = rules.document()["claims"]
    monkeypatch.setattr(gathered, "energy_prices", lambda *given: given)
    monkeypatch.setattr(gathered, "volume_bounds", lambda *given: given)
    assert gathered.energy() == (stated["b2"], 2021, 2022)
    assert gathered.energy(2022, 2023) == (stated["b2"], 2022, 2023)
    assert gathered.volumes() == (
        stated["c"]["deflators"]["largest_unit_value_premium"]["points"],
        stated["c"]["tiers"]["snapshot"]["tests"]["c1_volume"]["at_least"],
    )


# judging


def simulated(names, **more):
    alarm = {"rule": "growth among destinations (c3)", "stated_apart": False, "low": 0.11,
             "rate": 0.146, "draws": 500, "nominal": 0.05} | more  # fmt: skip
    milder = alarm | {"low": 0.01, "rate": 0.02, "draws": 77}
    apart = alarm | {"low": 0.5, "rate": 0.6, "stated_apart": True}
    other = alarm | {"rule": "another", "low": 0.9}
    alarms = pd.DataFrame([milder, alarm, apart, other])
    return SimpleNamespace(table=alarms, alarms=alarms, silent=names)


def test_a_rule_that_cries_wolf_names_its_worst_world():
    name = "growth among destinations (c3)"
    assert judge.silenced(Validation(pd.DataFrame())) == {}
    assert judge.silenced(simulated([])) == {}
    assert judge.silenced(simulated([name, "another"])) == {
        "destination_rank": "The rule of growth among destinations (c3) decides nothing: without"
        " any effect it fired in 15 % of 500 simulations, at least 11 % at a nominal 5.0 %."
    }
    names = {
        "excess_both": "both 95 % bands (a2, c2)",
        "p_destination": "placebo destinations (a2)",
        "ddd_p": "placebo product sets (c4)",
    }
    for number, of in names.items():
        assert list(judge.silenced(simulated([of], rule=of))) == [number]


def test_a_muted_number_is_shown_and_not_heard(monkeypatch):
    numbers = {
        "value_growth": point(0.4), "volume_growth": point(0.3), "excess_both": point(3.0),
        "destination_rank": point(0.01), "ddd_effect": point(0.1), "ddd_p": None,
    }  # fmt: skip
    got = gathered.Gathered(numbers, "+40 %", "It grew.", ("p",), CHIPS, "a clause")
    mute = {"destination_rank": "It cries wolf.", "ddd_p": "unread"}
    monkeypatch.setitem(gathered.GATHER, ("c", "panel"), lambda: got)
    monkeypatch.setattr(judge, "silenced", lambda _: mute)
    found = judge.judge("c", "panel")
    assert found.numbers == numbers
    assert (found.outcomes["c3"], found.outcomes["c2"]) == ("unknown", True)
    assert (found.grade, found.headline, found.clause) == ("partly supported", "+40 %", "a clause")
    assert found.detail == "It grew. It cries wolf."
    assert (found.origins, found.evidence) == (("p",), CHIPS)
    assert found.say == rules.graded(rules.rule("c", "panel"), found.outcomes)[1]
    nothing = gathered.Gathered(dict.fromkeys(numbers), "–", "", (), CHIPS, missing="no panel")
    monkeypatch.setitem(gathered.GATHER, ("c", "panel"), lambda: nothing)
    assert judge.judge("c", "panel").say == "no panel"


def test_both_tiers_side_by_side(monkeypatch):
    def judged(claim, tier):
        rule = SimpleNamespace(question=f"{claim}?", claim=claim, tier=tier)
        return SimpleNamespace(rule=rule, grade=f"grade of {claim}", say=tier)

    monkeypatch.setattr(judge, "judge", judged)
    shown = judge.tiers()
    assert shown.label == "What each tier of evidence says"
    assert list(shown.table) == ["claim", "question", "by the snapshot", "by the panel"]
    rows = [(c, f"{c}?", f"grade of {c}: snapshot", f"grade of {c}: panel") for c in rules.claims()]
    assert list(shown.table.itertuples(index=False, name=None)) == rows
    assert [v.rule.tier for v in judge.judge_all("panel")] == ["panel"] * 6
    assert [v.rule.tier for v in judge.judge_all()] == ["snapshot"] * 6


# showing


STATED = rules.Rule(
    claim="x", tier="panel", question="Did <it> rise?", speaker="A minister", place="Ankara",
    date="2023-02-05", quote="it & all", source="press", cannot_show="who <bought>",
    would_change="a & b", numbers={"growth": "growth of <trade>", "gap": "gap"},
    tests={"grew": {"number": "growth", "at_least": 0.25}, "far": {"gap": 1, "number": "gap"},
           "not_asked": {"number": "growth", "more_than": 1}},
    table=({"when": {"grew": True, "far": "unknown"}, "grade": "supported", "say": "yes, <it> did"},
           {"when": {}, "grade": "contradicted", "say": "no"}),
)  # fmt: skip


def verdict(**more):
    made = {
        "grade": "partly supported", "say": "not <far>", "headline": "+40 % & more",
        "detail": "It grew <b>.", "numbers": {"growth": Interval(0.123456, 2)},
        "outcomes": {"grew": True, "far": "unknown"}, "origins": ("p",), "evidence": "a.html#b&c",
    }  # fmt: skip
    return Verdict(rule=STATED, **(made | more))


def test_a_verdict_as_a_sentence_and_as_tables():
    assert verdict().sentence() == "Did <it> rise? Partly supported: not <far>. It grew <b>."
    assert isinstance(verdict().sentence(), Sentence)
    assert verdict(detail="").sentence() == "Did <it> rise? Partly supported: not <far>."
    assert list(verdict().table) == ["number", "what it is", "low", "high"]
    first, second = verdict().table.itertuples(index=False, name=None)
    assert first == ("growth", "growth of <trade>", 0.123456, 2)
    assert second[:2] == ("gap", "gap")
    assert verdict().table.iloc[1, 2:].isna().all()
    trail = verdict().trail()
    assert trail.label == "Tests of claim x, and its grade"
    assert list(trail.table) == ["test", "what it reads", "found", "rule", "outcome"]
    assert list(trail.table.itertuples(index=False, name=None)) == [
        ("grew", "growth of <trade>", "0.1235 to 2", "at least 0.25", "yes"),
        ("far", "gap", "not known", "gap 1", "unknown"),
        ("not_asked", "growth of <trade>", "0.1235 to 2", "more than 1", "unknown"),
        ("grade", "not <far>", "", "", "partly supported"),
    ]


CARD = """<article class="card grade-partly" id="claim-x-panel">
<h3 class="card-question">Did &lt;it&gt; rise?</h3>
<p class="card-quote">it &amp; all</p>
<p class="card-meta">A minister, Ankara, 5 February 2023</p>
<p class="card-grade"><span aria-hidden="true">◐</span> partly supported</p>
<p class="card-number">+40 % &amp; more</p>
<p class="card-say">not &lt;far&gt;. It grew &lt;b&gt;.
 <a href="a.html#b&amp;c">See the evidence</a></p>
<p class="card-meta">Evidence: panel · claim x</p>
<details><summary>What would change this, what the data cannot show</summary>
<p class="box"><b>What would change this.</b> a &amp; b</p>
<p class="box"><b>What the data cannot show.</b> who &lt;bought&gt;</p>
</details></article>"""


def test_a_card_escapes_what_it_shows():
    assert verdict()._repr_html_() == CARD.replace("\n", "")
    bare = CARD.replace(' <a href="a.html#b&amp;c">See the evidence</a>', "").replace("\n", "")
    assert verdict(evidence="")._repr_html_() == bare
    for grade in rules.document()["grades"]:
        assert f"</span> {grade}</p>" in verdict(grade=grade)._repr_html_()


def test_verdicts_together():
    def of(claim, clause):
        stated = replace(STATED, claim=claim, tier="snapshot")
        return replace(verdict(clause=clause), rule=stated)

    every = Verdicts(tuple(of(c, f"clause of {c}") for c in ("a", "b1", "b2", "b3", "c")))
    in_order = "; ".join(f"clause of {c}" for c in ("b1", "b2", "c", "a"))
    assert every.sentence() == f"In one sentence: {in_order}."
    found = Verdicts((of("a", "chips went"), of("b1", "trade grew"), of("b2", ""), of("b9", "no")))
    assert found.sentence() == "In one sentence: trade grew; chips went."
    assert list(found.table) == ["claim", "question", "grade", "number", "tier"]
    assert found.table.iloc[1].tolist() == [
        "b1", "Did <it> rise?", "partly supported", "+40 % & more", "snapshot"
    ]  # fmt: skip
    cards = [v._repr_html_() for v in found]
    assert found._repr_html_() == f'<div class="cards">{"".join(cards)}</div>'
    assert 'id="claim-a"' in cards[0]


def test_the_rulebook_shows_every_test_and_row(monkeypatch):
    monkeypatch.setattr(rulebook, "claims", lambda: ["x"])
    other = {"panel": STATED, "snapshot": replace(STATED, tier="snapshot")}
    monkeypatch.setattr(rulebook, "rule", lambda _, tier: other[tier])
    one = rulebook.rulebook()._repr_html_()
    assert one.startswith(
        f"<p>Version {rules.document()['version']}, sha256 <code>{rules.fingerprint()}</code>.</p>"
        '<h3 id="rule-x">Claim x: Did &lt;it&gt; rise?</h3><p>A minister, Ankara, 2023-02-05: it'
        " &amp; all</p><h4>At both tiers</h4>"
    )
    assert one.count("<h4>") == 1
    tests = {
        "test": ["grew", "far", "not_asked"],
        "the number it reads": ["growth of <trade>", "gap", "growth of <trade>"],
        "passes if": ["at least 0.25", "gap 1", "more than 1"],
    }
    grades = {
        "first row that matches": ["grew: yes, far: unknown", "anything else"],
        "grade": ["supported", "contradicted"],
        "in words": ["yes, <it> did", "no"],
    }
    shown = [
        table_html(pd.DataFrame(tests), label="Tests of claim x at both tiers"),
        table_html(pd.DataFrame(grades), label="Grades of claim x at both tiers"),
    ]
    file = f'<pre tabindex="0">{escape(rules.text())}</pre></details>'
    assert "".join(shown) in one
    assert one.endswith(file)
    for part in ("tests", "table"):
        less = replace(STATED, **{"tier": "snapshot", part: type(getattr(STATED, part))()})
        other["snapshot"] = less
        both = rulebook.rulebook()._repr_html_()
        assert "<h4>At the snapshot tier</h4>" in both
        assert "<h4>At the panel tier</h4>" in both
        assert "<caption>Tests of claim x at the panel tier</caption>" in both


# the rules file


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("claims"),
        lambda d: d["claims"]["b4"].pop("quote"),
        lambda d: d["claims"]["b4"].update(source=["a list"]),
        lambda d: d["claims"]["b4"]["tiers"].pop("panel"),
        lambda d: d["claims"]["b4"]["tiers"]["snapshot"]["numbers"].pop("energy_share"),
        lambda d: d["claims"]["b4"]["tiers"]["panel"]["table"][0]["when"].update(nothing=True),
        lambda d: d["claims"]["b4"]["tiers"]["panel"]["table"][0].update(grade=1),
        lambda d: d["claims"]["b4"]["tiers"]["panel"]["table"][0].update(say=None),
        lambda d: d["claims"].update(b4=None),
    ],
)
def test_a_rules_file_that_is_not_whole_is_refused(damage):
    import yaml

    whole = yaml.safe_load(rules.text())
    assert rules.read(yaml.safe_dump(whole).encode()) == whole == rules.document()
    damage(whole)
    with pytest.raises(SchemaMismatch) as caught:
        rules.read(yaml.safe_dump(whole).encode())
    assert caught.value.found.startswith("rules.yml is not a rules file (")
    assert caught.value.expected == "claims with questions, tiers, tests and tables"
    assert caught.value.todo == "restore the file"


def test_errors_of_the_rules_say_what_was_found_and_what_to_do():
    with pytest.raises(UnknownCode) as caught:
        rules.rule("a", "guess")
    assert vars(caught.value) == {
        "found": "no rule for claim 'a' at tier 'guess'",
        "expected": "a claim of ['a', 'b1', 'b2', 'b3', 'b4', 'c'] and a tier of"
        " ['snapshot', 'panel']",
        "todo": "check the spelling",
    }
    one = point(1.0)
    with pytest.raises(SchemaMismatch) as caught:
        rules.outcome({"number": "x", "at_least": 1, "at_most": 2}, one)
    assert (caught.value.expected, caught.value.todo) == ("one comparison", "split the test in two")
    assert caught.value.found == "test {'number': 'x', 'at_least': 1, 'at_most': 2}"
    with pytest.raises(SchemaMismatch) as caught:
        rules.outcome({"number": "x", "roughly": 1}, one)
    assert caught.value.found == "comparison 'roughly'"
    assert caught.value.expected == "one that the head of rules.yml explains"
    assert caught.value.todo == "correct rules.yml"
    with pytest.raises(SchemaMismatch) as caught:
        rules.decide(STATED, {"gap": one})
    assert caught.value.found == "claim x: no ['growth']"
    assert caught.value.expected == "every number of the rule"
    assert caught.value.todo == "pass None if unknown"
    gap = replace(STATED, table=STATED.table[:1])
    with pytest.raises(SchemaMismatch) as caught:
        rules.graded(gap, {"grew": False, "far": True})
    assert caught.value.found == "claim x: no row for {'grew': False, 'far': True}"
    assert caught.value.expected == "a truth table without gaps"
    assert caught.value.todo == "add a last row that catches the rest"


def test_a_rule_holds_what_the_file_says():
    stated = rules.document()["claims"]["b2"]
    for tier in rules.TIERS:
        found = rules.rule("b2", tier)
        assert (found.claim, found.tier, found.date) == ("b2", tier, str(stated["date"]))
        here = stated["tiers"][tier]
        assert (found.numbers, found.tests) == (here["numbers"], here["tests"])
        assert found.table == tuple(here["table"])
        for word in ("question", "speaker", "place", "quote", "source", "cannot_show",
                     "would_change"):  # fmt: skip
            assert getattr(found, word) == stated[word].strip()
    assert rules.rule("b2") == rules.rule("b2", "snapshot")


@pytest.mark.parametrize(
    ("test", "low", "high", "wanted"),
    [
        ({"more_than": 1}, 1.0, 1.0, False),
        ({"more_than": 1}, 1.1, 2.0, True),
        ({"at_most": 1}, 1.1, 2.0, False),
        ({"at_most": 1}, 0.5, 2.0, "unknown"),
        ({"at_least": 1}, 0.5, 0.9, False),
        ({"low_at_least": 1}, 1.0, 1.0, True),
        ({"contains": 3}, 3.0, 4.0, True),
        ({"contains": 3}, 3.1, 4.0, False),
        ({"contains": 3}, 1.0, 2.9, False),
        ({"within": [1, 2]}, 0.0, 0.9, False),
        ({"within": [1, 2]}, 0.0, 1.0, "unknown"),
        ({"within": [1, 2]}, 2.0, 3.0, "unknown"),
        ({"within": [1, 2]}, 1.5, 2.5, "unknown"),
        ({"outside": [1, 2]}, 0.0, 0.9, True),
        ({"outside": [1, 2]}, 0.0, 1.0, False),
        ({"outside": [1, 2]}, 0.5, 2.5, False),
    ],
)
def test_comparisons_at_their_ends(test, low, high, wanted):
    assert rules.outcome({"number": "x", **test}, Interval(low, high)) == wanted
    assert rules.outcome({**test, "number": "x"}, None) == "unknown"
