"""State, judge, show: from numbers to a verdict, by rules that nobody changes in passing."""

import base64
import html
import json
import pickle
import re
from importlib.resources import files

import pandas as pd
import pytest
import yaml

import pages
import tradeflows as tf
from tradeflows import store
from tradeflows.claims import judge, rules
from tradeflows.claims.judge import MIME, Verdicts
from tradeflows.counterfactual.validation import Validation, validation
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError, UnknownCode
from tradeflows.measure.intervals import Interval

OWN = """
version: 1
grades: [supported, contradicted]
windows: {main: {base: "2021", current: "2022"}}
claims:
  d:
    question: Did <it> rise?
    speaker: A minister
    place: Ankara
    date: 2023-02-05
    quote: it & all
    source: press
    period: ["2021", "2022"]
    cannot_show: who <bought>
    would_change: a & b
    tiers:
      snapshot:
        numbers: {growth: growth of <trade>}
        tests: {grew: {number: growth, at_least: 0.25}}
        table:
          - {when: {grew: yes}, grade: supported, say: "yes, <it> did"}
          - {when: {}, grade: contradicted, say: no}
"""
SHARE = {"energy_share": Interval(0.6, 0.62)}


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "my.yml"
    file.write_text(OWN.replace("say: no}", "say: it did not}"))
    return tf.rules(file)


@pytest.fixture
def passed_on(tmp_path, monkeypatch):
    """Let statements be read from a folder of this test."""

    def passing(*verdicts, page="x.html"):
        found = [v.statement() | {"page": page} for v in verdicts]
        (tmp_path / judge.FILE).write_text(json.dumps(found))

    monkeypatch.setattr(store, "processed", lambda: tmp_path)
    return passing


# what is handed out cannot be changed in place


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(question="Was it?"),
        lambda r: r.__setitem__("question", "Was it?"),
        lambda r: setattr(r, "question", "Was it?"),
        lambda r: r.pop("question"),
        lambda r: r.clear(),
        lambda r: r.setdefault("x", 1),
        lambda r: r.methods.__delitem__("paths"),
        lambda r: r.tiers.snapshot.tests.priced.__setitem__("at_least", 0.1),
        lambda r: r.methods.formulas.append("fisher"),
        lambda r: r.methods.formulas.__setitem__(0, "fisher"),
        lambda r: r.methods.formulas.sort(),
    ],
)
def test_no_change_in_place_reaches_the_rules(change):
    before = tf.rules().content
    with pytest.raises((TradeflowsError, AttributeError)):
        change(tf.rule("b2"))
    assert tf.rules().content == before == rules.read(tf.rules().text.encode())


def test_rules_are_read_by_attribute_and_name_what_there_is():
    stated = tf.rule("b2")
    assert stated.methods.formulas == ["bennet", "montgomery", "laspeyres", "paasche"]
    assert "formulas" in dir(stated.methods)
    with pytest.raises(AttributeError, match="formulas, paths"):
        stated.methods.formula  # noqa: B018
    assert pickle.loads(pickle.dumps(stated)) == stated  # noqa: S301
    assert isinstance(pickle.loads(pickle.dumps(stated)).methods, rules.Frozen)  # noqa: S301


# judging


def test_judge_is_a_function_of_the_numbers():
    assert tf.judge("b4", energy_share=0.6).grade == "supported"
    assert tf.judge("b4", energy_share=Interval(0.5, 0.52)).grade == "partly supported"
    assert tf.judge("b4", energy_share=None).grade == "cannot be determined"
    assert tf.judge("b4", **SHARE) == tf.judge("b4", **SHARE)


def test_numbers_that_the_rule_does_not_read_are_named():
    with pytest.raises(SchemaMismatch, match="does not read: share"):
        tf.judge("b4", share=0.6)
    with pytest.raises(SchemaMismatch, match="no gas_price_ratio"):
        tf.judge("b3", cost_ratio=3.0)
    with pytest.raises(UnknownCode, match="'z'"):
        tf.judge("z", growth=1.0)


def test_what_pages_state_is_what_judge_reads(passed_on):
    told = tf.state(
        "b4", 2022, headline="61 %", detail="It was.", clause="so it was",
        origins=pd.DataFrame({"origin": ["b", "a", "a"]}), **SHARE,
    )  # fmt: skip
    passed_on(told, page="01-the-data.html")
    found = tf.judge("b4")
    assert (found.grade, found.say, found.numbers) == (told.grade, told.say, SHARE)
    assert (found.headline, found.detail, found.clause) == ("61 %", "It was.", "so it was")
    assert (found.origins, found.page) == (("a", "b"), "01-the-data.html")
    assert "01-the-data.html" in found.card()


def test_statements_under_other_rules_are_not_read(passed_on, own):
    told = tf.state("d", (2021, 2022), rules=own, growth=0.3)
    passed_on(told)
    assert tf.judge("d", rules=own).grade == "supported"
    changed = rules.Rules(own.text + "\n# changed", own.content)
    with pytest.raises(SourceUnavailable, match="no page has stated"):
        tf.judge("d", rules=changed)


def test_a_panel_that_is_not_there_determines_nothing(passed_on, own):
    passed_on()
    found = tf.judge("c", "panel")
    assert found.grade == "cannot be determined"
    assert "tradeflows refresh" in found.say
    with pytest.raises(SourceUnavailable, match="growth=…"):
        tf.judge("d", rules=own)


def test_numbers_of_another_period_are_shown_and_not_passed_on():
    other = tf.state("b4", 2023, energy_share=0.6)
    assert not other.of_the_claim
    assert MIME not in other._repr_mimebundle_()
    assert "which is not the period of claim b4" in other._repr_html_()
    own_ = tf.state("b4", 2022, energy_share=0.6)
    assert own_._repr_mimebundle_()[MIME]["numbers"] == {"energy_share": [0.6, 0.6]}


def test_a_test_that_cries_wolf_is_heard_as_unknown(monkeypatch):
    name = tf.rules().content.simulated.rule_of.ddd_p
    rows = pd.DataFrame(
        {"rule": [name], "factor": 1.0, "truth": "x", "draws": 500, "rate": 0.15, "low": 0.12,
         "high": 0.2, "nominal": 0.05, "stated_apart": False}
    )  # fmt: skip
    numbers = dict.fromkeys(tf.rule("c", "panel").numbers, 1.0) | {"ddd_p": 0.01}
    monkeypatch.setattr(judge, "validation", lambda: Validation(rows.assign(low=0.05)))
    assert tf.judge("c", "panel", **numbers).outcomes["c4_p"] is True
    monkeypatch.setattr(judge, "validation", lambda: Validation(rows))
    mute = tf.judge("c", "panel", **numbers)
    assert mute.outcomes["c4_p"] == "unknown"
    assert mute.numbers["ddd_p"] == Interval(0.01, 0.01)
    assert "decides nothing: without any effect it fired in 15 %" in mute.detail


# showing


def test_a_verdict_as_sentence_and_table(own):
    found = tf.state("d", (2021, 2022), rules=own, growth=Interval(0.3, 2), detail="It grew <b>.")
    assert found.sentence() == "Did <it> rise? Supported: yes, <it> did. It grew <b>."
    assert found.table.to_numpy().tolist() == [
        ["grew", "growth of <trade>", "0.3 to 2", "at least 0.25", "yes"],
        ["grade", "yes, <it> did", "", "", "supported"],
    ]


def test_cards_escape_what_they_show(own):
    found = tf.state("d", (2021, 2022), rules=own, growth=0.1, headline="+10 % & <more>")
    for text in (found.card(), found._repr_html_()):
        assert "<it>" not in text
        assert "<trade>" not in text
    assert "+10 % &amp; &lt;more&gt;" in found.card()
    assert "5 February 2023" in found.card()
    cards = Verdicts((found, found))
    assert cards._repr_html_().count("<article") == 2
    assert list(cards) == [found, found]


def test_the_page_of_rules_shows_every_test_and_row(shown):
    page = shown(pages.FOLDER / "81-the-rules.ipynb")
    assert tf.rules().fingerprint in page.cell("files").text
    words = page.cell("claims").text
    for claim in tf.rules().claims:
        for tier in rules.TIERS:
            stated = tf.rule(claim, tier)
            read = {stated.numbers[test["number"]] for test in stated.tests.values()}
            named = [name.replace("_", " ") for name in stated.tests]
            assert all(word in words for word in (*named, *read))
            assert all(row.grade in words for row in stated.table)
            assert all(html.escape(row.say) in words or row.say in words for row in stated.table)
    given = re.findall(r'base64,([^"]+)"', page.cell("files").html)
    old = tf.rules(files("tradeflows.claims") / "rules-4.yml")
    assert [base64.b64decode(file).decode() for file in given] == [tf.rules().text, old.text]


def test_the_page_of_rules_shows_both_versions_with_their_grades(shown):
    versions = shown(pages.FOLDER / "81-the-rules.ipynb")["versions"].set_index("claim")
    assert list(versions.index) == list(tf.rules().claims)
    old, new = versions.loc["b3"]
    assert old.startswith("supported: three lies inside")
    assert new.startswith("cannot be determined")
    assert versions.loc["b2"].str.startswith("supported: mainly").all()


def test_the_page_of_rules_names_what_is_heard_as_unknown(shown):
    mute = judge.silenced(validation(), tf.rules().content.simulated)
    words = shown(pages.FOLDER / "81-the-rules.ipynb").cell("muted").text
    assert mute
    assert all(why in words for why in mute.values())
    assert "c4 p of claim c" in words


def test_what_the_panel_says_stands_beside_the_snapshot_and_only_that():
    steps = pd.DataFrame({"value": [1e9, 1e9, 2e9], "kind": ["total", "price", "total"]})
    steps = steps.assign(step=["2021", "dearer", "2022"])
    stated = [
        tf.state(c, tf.rule(c).period, **dict.fromkeys(tf.rule(c, "snapshot").numbers))
        for c in ("a", "b3", "c")
    ]
    growth = {"turnover_growth": tf.Interval(1, 1), "growth_gap": None}
    stated += [tf.state("b1", tf.rule("b1").period, **growth)]
    unknown = dict.fromkeys(tf.rule("b2", "snapshot").numbers)
    stated += [tf.state("b2", tf.rule("b2").period, picture=steps, **unknown)]
    for tier, count in (("snapshot", 0), ("panel", 2)):
        stated += [tf.state("b4", 2022, tier=tier, headline="61 %", **SHARE)]
        made = pages.Page("made", [pages.Cell("states", "", stated)], {})
        page = pages.run("00-answers", after=[made])
        assert page.cell("tiers").text.count("supported (61 %): within 55 to 65 %") == count
        assert ("not stored here" in page.cell("tiers").text) == (count == 0)
        assert "made up" not in page.cell("made-up").text


# the rules file


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("claims"),
        lambda d: d["claims"]["b4"].pop("quote"),
        lambda d: d["claims"]["b4"].update(source=["a list"]),
        lambda d: d["claims"]["b4"]["tiers"]["snapshot"]["numbers"].pop("energy_share"),
        lambda d: d["claims"]["b4"]["tiers"]["panel"]["table"][0]["when"].update(nothing=True),
        lambda d: d["claims"]["b4"]["tiers"]["panel"]["table"][0].update(grade=1),
        lambda d: d["claims"]["b4"]["tiers"]["panel"]["table"][0].update(say=None),
        lambda d: d["claims"].update(b4=None),
    ],
)
def test_a_rules_file_that_is_not_complete_is_refused(damage, tmp_path):
    whole = yaml.safe_load(tf.rules().text)
    assert rules.read(yaml.safe_dump(whole).encode()) == tf.rules().content
    damage(whole)
    file = tmp_path / "my.yml"
    file.write_text(yaml.safe_dump(whole))
    with pytest.raises(SchemaMismatch, match=r"my\.yml is not a rules file \("):
        tf.rules(file)


def test_a_table_with_a_gap_is_an_error(own):
    stated = tf.rule("d", "snapshot", rules=own)
    gap = rules.Frozen({**stated, "table": stated.table[:1]})
    with pytest.raises(SchemaMismatch, match="no row for"):
        rules.graded(gap, {"grew": False})
