"""Any pair, codes and months: answered where stored, else one line with the command."""

import shutil

import openpyxl
import pandas as pd
import pytest

import pages
import tradeflows as tf
from standin import trade as generated
from standin.harness import QUICK, SNAPSHOT, asked
from tradeflows import store
from tradeflows.codes.totals import overlap
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError, UnknownCode
from tradeflows.measure import bridge
from tradeflows.measure.bridge import BARS
from tradeflows.sources import refresh
from tradeflows.sources.comtrade import question as kept
from tradeflows.sources.comtrade.question import Box, Call, pair

FUELS = {
    "reporter": "TUR", "partner": "RUS", "codes": ["oil_gas_disclosed", "coal"],
    "base": "2021", "current": "2022",
}  # fmt: skip


PAGE = "90-your-own-question"


def ask(*given, **changed):
    """Ask for Turkey's fuels from Russia, or for what differs from it."""
    return tf.ask(**{**FUELS, **dict(zip([*FUELS, "flow"], given, strict=False)), **changed})


def refusal(*given, kind=TradeflowsError, **changed):
    """Return the words of the error that stands in place of an answer."""
    with pytest.raises(kind) as caught:
        ask(*given, **changed)
    return " ".join(caught.value.args)


@pytest.fixture(scope="module")
def coal():
    return ask(codes="coal")


def notes(answer):
    return " ".join(answer.notes)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    """Refresh Turkish exports to Kazakhstan of two years, all of chapter 85, from the stand-in."""
    folder = tmp_path_factory.mktemp("own")
    part = pair("TUR", "KAZ", ["X"], ["85", "AG6/85", "27", "AG6/27"])
    with pytest.MonkeyPatch.context() as patch, asked(patch, folder, generated.World("volume")):
        # A store as users have it: the snapshot is there too.
        shutil.copytree(SNAPSHOT, folder / "raw", dirs_exist_ok=True)
        refresh.run([part], sources=["comtrade"], start="2021-01", end="2022-12", manners=QUICK)
    return folder


@pytest.fixture
def stored(refreshed, monkeypatch):
    monkeypatch.setenv("TRADEFLOWS_DATA", str(refreshed))


def test_the_snapshot_answers_the_question_of_the_notebook(shown):
    answer = shown(pages.FOLDER / f"{PAGE}.ipynb")["found"]
    assert answer.sentence() == ask().sentence()
    assert {p.statistic for p in answer.parts} == {
        "TÜİK, general trade",
        "UN Comtrade, general trade",
    }
    assert answer.notes == ()
    assert answer.sentence() in answer._repr_html_()
    bars = answer.by_method
    parts = bars[["price", "volume", "entry", "exit", "unpriced"]].sum(axis=1)
    assert ((parts - bars["change"]).abs() < 1e-6 * bars["change"].abs()).all()
    assert "price accounts for" in answer.sentence()
    assert "GENERATED" not in answer.sentence()


def test_the_numbers_are_those_of_the_bridge(coal):
    same = bridge(coal.parts[0].rows, "2021", "2022", method="paasche", path="monthly")
    row = coal.by_method.set_index(["method", "path"]).loc[("paasche", "monthly")]
    assert row["price"] == pytest.approx(same.price)
    assert coal.range("price")[0] <= same.price <= coal.range("price")[1]


def test_what_is_not_there_is_refused_with_the_command():
    with pytest.raises(SourceUnavailable) as caught:
        ask("TUR", "KAZ", ["8542"], "2021-03/2022-02", "2022-03/2023-02", "X")
    assert caught.value.todo == (
        "`tradeflows refresh --reporter TUR --partner KAZ --flows X --codes 8542,AG6/8542 "
        "--start 2021-03 --end 2023-02` brings it"
    )


@pytest.mark.usefixtures("stored")
def test_what_was_refreshed_is_seen_and_generated_rows_stand_alone_of_their_source():
    found = tf.load("trade", source="UN Comtrade", reporter="TUR", partner="KAZ", flow="X")
    assert found["origin"].str.contains("/live/").all()
    other = tf.load("trade", source="WITS", partner="RUS")
    assert not other["origin"].str.contains("/live/").any()
    assert ask("TUR", "KAZ", ["854231"], "2021", "2022", "X").parts


def test_a_missing_month_is_no_zero():
    answer = ask(codes=["oil_gas_disclosed", "coal"], base="2022", current="2023")
    assert [p.code for p in answer.parts] == ["oil_gas_disclosed"]
    assert "coal (UN Comtrade, general trade): " in notes(answer)
    assert "2023-07 not stored" in notes(answer)
    assert answer.sentence().endswith(" Not in it: coal.")


def test_totals_without_weights_are_unpriced_and_say_so():
    answer = ask(codes=["TOTAL"])
    assert answer.range("price") == (0.0, 0.0)
    assert "no usable weight, so that price and volume cannot be told apart" in answer.sentence()
    assert "price accounts for" not in answer.sentence()
    assert "comes without weights" in notes(answer)
    assert "AG6" in notes(answer)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"partner": "XXX"}, "no country 'XXX'"),
        ({"base": "21"}, "window '21'"),
        ({"base": "2022"}, "share months"),
        ({"flow": "Q"}, "flow 'Q'"),
        ({"codes": ["27", "2709"]}, "none holds another"),
        ({"codes": []}, "(none)"),
        ({"codes": ["coal", "oil_products", "oil_gas_disclosed"]}, "none holds another"),
        ({"codes": ["surge_basket", "84"]}, "none holds another"),
        ({"codes": [2709]}, "codes as text"),
        ({"codes": ["coal", "coals"]}, "no HS code 'coals'"),
        ({"codes": ["270"]}, "no HS code '270'"),
        ({"codes": ["oil_gas_disclosed", "27-27"]}, "none holds another"),
        ({"codes": ["854151", "854159"]}, "854150, 854151, 854159 are compared as one"),
        ({"codes": 2709}, "codes as text"),
        ({"partner": ("RUS", "KAZ")}, "no country ('RUS', 'KAZ')"),
        ({"flow": ["M"]}, "flow ['M']"),
        ({"base": "0000"}, "window '0000'"),
        ({"base": ["2021"]}, "window ['2021']"),
    ],
)
def test_a_wrong_spelling_is_refused_in_words(wrong, said):
    assert said in refusal(**wrong, kind=UnknownCode)


@pytest.mark.usefixtures("stored")
def test_a_chapter_is_priced_by_its_six_digit_codes():
    answer = ask("TUR", "KAZ", ["85"], "2021", "2022", "X")
    assert answer.sentence().startswith("GENERATED TRADE, NOT DATA. Exports of ")
    rows = answer.parts[0].rows
    assert set(rows["code"].str.removeprefix("g").str[:2]) == {"85"}
    assert rows["code"].str.len().min() >= 6
    assert answer.range("entry") == (0.0, 0.0)  # one revision: no false entry at its change


@pytest.mark.usefixtures("stored")
def test_months_that_were_asked_and_hold_nothing_are_told_from_missing_ones():
    empty = refusal("TUR", "KAZ", ["27"], "2021", "2022", "X")
    assert empty.startswith("27: every month is stored, and none has trade in it")
    assert "tradeflows refresh" not in empty
    later = refusal("TUR", "KAZ", ["85"], "2022", "2023", "X")
    assert "--start 2022-01 --end 2023-12" in later


def test_chapters_from_one_to_another_hold_each_of_them():
    assert overlap("27-27", "2709")
    assert overlap("84-85", "85")
    assert overlap("72-83", "80-90")
    assert not overlap("84-85", "86-89")
    assert not overlap("25-26", "27-27")


def test_bars_of_monthly_and_annual_codes_are_summed_by_the_path_they_share():
    together = ask(codes=["oil_gas_disclosed", "72-83"], base="2022", current="2023")
    assert [p.code for p in together.parts] == ["oil_gas_disclosed", "72-83"]
    alone = [tf.bridges(p.rows, "2022", "2023", paths="two-point").by_method.set_index("method")
             for p in together.parts]  # fmt: skip
    bars = together.by_method.set_index("method")
    assert set(bars.pop("path")) == {"two-point"}
    for bar in bars:
        assert bars[bar].to_numpy() == pytest.approx((alone[0][bar] + alone[1][bar]).to_numpy())
    change = together.table["value_current"].sum() - together.table["value_base"].sum()
    assert bars["change"].to_numpy() == pytest.approx(change)
    assert together.table["entry"].sum() == bars["entry"]["bennet"]
    steps = tf.plot.show(together).table.set_index("step")["value"]
    assert steps["2022"] + bars["change"]["bennet"] == pytest.approx(steps["2023"])
    assert "72-83: annual rows" in notes(together)
    assert "comes without weights" in notes(together)
    assert "--codes" not in notes(together)  # a refresh takes no sections


def test_windows_of_unequal_length_are_averages_per_month(coal):
    uneven = ask(codes="coal", base="2021", current="2022-01/2022-06")
    assert set(uneven.by_method["path"]) == {"two-point"}
    assert "The windows have 12 and 6 months" in notes(uneven)
    rows = coal.rows
    half = rows["value_usd"][rows["period"].between("2022-01-01", "2022-06-01")].sum()
    assert uneven.table["value_current"].sum() * 6 == pytest.approx(half)
    assert "per month" in uneven.sentence()
    assert "per month" in tf.plot.show(uneven).caption
    assert "per month" not in coal.sentence()
    assert coal.notes == ()


def test_annual_rows_do_not_answer_for_half_a_year():
    half = refusal(codes="72-83", base="2022-01/2022-06", current="2023-01/2023-06")
    assert "annual rows answer for whole years only" in half
    assert "tradeflows refresh" not in half


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Return a function that stores lines ``period,code,value_usd`` of a publisher."""
    (tmp_path / "raw").mkdir()
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))

    def stored_(publisher, lines, system="HS2022", **constants):
        months = [line.split(",")[0] for line in lines]
        kept = {
            "trade_system": "general", "reporter": "TUR", "partner": "RUS", "flow": "M",
            "freq": "M", "level": 6, "valuation": "CIF", "quantity": "", "quantity_unit": "",
            "quantity_status": "missing", "confidential": False, "weight_status": "reported",
            "code_system": system,
        }  # fmt: skip
        rows = [f"{line},{1000 * n}" for n, line in enumerate(lines, 1)]
        text = "\n".join(["period,code,value_usd,net_weight_kg", *rows]) + "\n"
        number = len(list((tmp_path / "raw").rglob("*.csv")))
        store.put(f"made-up/{number}.csv", text.encode(), {
            "publisher": publisher, "title": "Made up", "url": "https://example.org",
            "licence": "CC0", "terms": "None.", "accessed": "2026-01-01", "vintage": "2026-01-01",
            "coverage": f"{min(months)} to {max(months)}", "obtained": "made up", "table": "trade",
            "rows": len(lines), "constants": {**kept, **constants},
        })  # fmt: skip

    return stored_


@pytest.fixture
def held(monkeypatch):
    """Return a function that lets UN Comtrade be asked for all HS6 imports from Russia."""

    def asked_(*periods, codes=("AG6",), system="general"):
        call = Call("x", "M", (792,), periods, Box(("M",), ("643",), codes), ())
        known = {"systems": {f"792-{p}": system for p in periods}}
        raw = type("Raw", (), {"query": known})()
        leaf = kept.Leaf(raw, call, {}, None)
        monkeypatch.setattr(kept, "leaves", lambda raws=None: [leaf] if raws is None else [])

    return asked_


MONTHS = {"base": "2022-01", "current": "2023-01"}


def test_goods_absent_in_a_month_are_not_said_to_be_absent_all_year(made_up):
    months = [f"{year}-{month:02d}" for year in (2021, 2022) for month in range(1, 13)]
    lines = [f"{m},{code},100" for m in months for code in ("853400", "854231")]
    made_up("UN Comtrade", [line for line in lines if line != "2021-03,854231,100"])
    answer = ask(codes="85")
    assert answer.range("entry") == (0, 100)
    words = "goods without trade in the matching month of 2021 for"
    assert words in answer.sentence()
    assert words in bridge(answer.parts[0].rows, "2021", "2022").sentence()
    one = ask(codes="85", base="2021-03", current="2022-03")
    assert "goods without trade in 2021-03 for 100" in one.sentence()


def test_a_group_answers_once_and_says_so(made_up):
    made_up("UN Comtrade", ["2022-01,854151,400", "2022-01,854159,600"])
    made_up("UN Comtrade", ["2023-01,854151,500", "2023-01,854159,700"])
    assert ask(codes="854159", **MONTHS).table["value_current"].sum() == 700  # HS 2022 throughout
    across = {"base": "2021-01", "current": "2023-01"}
    made_up("UN Comtrade", ["2021-01,854150,900"], system="HS2017")
    answer = ask(codes="854159", **across)
    assert answer.table["value_current"].sum() == 1200
    assert "854159: 854150, 854151, 854159 answer together" in notes(answer)
    assert "answer together" not in notes(ask(codes="85", **MONTHS))
    assert ask(codes="85", **MONTHS).table["value_current"].sum() == 1200


def test_a_group_is_zero_only_where_all_of_it_was_asked_for(made_up, held):
    made_up("UN Comtrade", ["2022-01,854151,400", "2022-01,854159,600"])
    asked_ = {"codes": "854159", "base": "2021-01", "current": "2022-01"}
    held("202101", "202201", codes=("854151", "854159"))  # in 2021 the code was 854150
    assert "2021-01 not stored" in refusal(**asked_)
    assert "--codes 854159,854150,854151 " in refusal(**asked_)
    held("202101", "202201")
    assert ask(**asked_).range("entry") == (1000, 1000)


def test_a_heading_holds_the_code_that_was_moved_out_of_it(made_up):
    made_up("UN Comtrade", ["2021-01,880330,400", "2021-01,880320,1"], system="HS2017")
    made_up("UN Comtrade", ["2022-01,880730,600", "2022-01,880720,1"])
    for heading in ("8807", "8803"):
        answer = ask(codes=heading, base="2021-01", current="2022-01")
        assert 400 <= answer.table["value_base"].sum() <= 401
        assert 600 <= answer.table["value_current"].sum() <= 601
        assert "880330, 880730 answer together" in notes(answer)


def test_a_zero_of_un_comtrade_is_no_zero_of_others(made_up, held):
    held("202201", "202301")
    made_up("TÜİK", ["2023-01,270900,1000"])
    alone = refusal(codes="270900", **MONTHS)
    assert "(TÜİK, general trade): 2022-01 not stored" in alone
    assert "270900 (UN Comtrade): every month is stored" in alone
    made_up("UN Comtrade", ["2022-01,270900,400", "2023-01,270900,900"])
    both = ask(codes="270900", **MONTHS)
    assert both.parts[0].statistic == "UN Comtrade, general trade"
    assert both.table[["value_base", "value_current", "entry"]].sum().tolist() == [400, 900, 0]


def test_a_zero_stands_only_in_the_trade_system_that_was_asked(made_up, held):
    made_up("UN Comtrade", ["2023-01,270900,900"])
    held("202201", "202301", system="special")
    assert "2022-01 not stored" in refusal(codes="270900", **MONTHS)
    held("202201", "202301")
    assert ask(codes="270900", **MONTHS).range("entry") == (900, 900)


def test_annual_rows_get_no_monthly_zeros(made_up, held):
    held(*(f"{year}{month:02d}" for year in (2022, 2023) for month in range(1, 13)))
    made_up("UN Comtrade", ["2023-01,270900,900"], freq="A")
    assert "annual): 2022 not stored" in refusal(codes="270900", base="2022", current="2023")


def test_the_page_does_every_step_of_the_answer_again(shown):
    page = shown(pages.FOLDER / f"{PAGE}.ipynb")
    answer = page["found"]
    assert page.cell("first-screen").text.count(str(answer.sentence())) >= 1
    pd.testing.assert_frame_equal(
        page.values["by_method"].reset_index(),  # noqa: PD011 - the names of a page
        answer.by_method[["method", "path", *BARS, "change"]],
    )
    assert set(page.figures) == {"own-question-bridge", "own-question-methods"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"CODES": '["72-83"]', "BASE": '"2022"', "CURRENT": '"2023"'}, "comes without weights"),
        ({"BASE": '"2022"', "CURRENT": '"2023"'}, "Not in it: coal"),
        ({"CODES": '"coal"', "CURRENT": '"2022-01/2022-06"'}, "averages per month are compared"),
    ],
)
def test_the_page_answers_other_questions(changed, said):
    page = pages.run(PAGE, **changed)
    words = " ".join(cell.text for cell in page.cells)
    assert said in words
    assert "nan" not in words


def test_the_page_refuses_in_words():
    with pytest.raises(TradeflowsError, match="--codes 854231 "):
        pages.run(PAGE, PARTNER='"KAZ"', FLOW='"X"', CODES='["854231"]')


def test_the_page_takes_a_table_of_your_own():
    file = pages.FOLDER.parent / "docs" / "your-own.csv"
    page = pages.run(PAGE, OWN=repr(str(file)), CODES='["27"]')
    mine = pd.read_csv(file, dtype={"code": str}, parse_dates=["period"])
    price = tf.bridge(mine, "2021", "2022").price
    least, most = page["found"].range("price")
    assert least <= price <= most
    assert str(page["found"].sentence()) in page.cell("first-screen").text


# a table of one's own in place of what is stored


def own():
    rows = tf.load(
        "trade", source="UN Comtrade", reporter="TUR", partner="RUS", flow="M", code="coal"
    )
    return rows.assign(code="270112", code_system="HS2017", level=6)


def test_a_table_of_ones_own_is_answered_as_what_is_stored(coal):
    columns = ["code", "period", "value_usd", "net_weight_kg"]
    bare = own()[columns].assign(period=own()["period"].dt.strftime("%Y-%m"))  # as a CSV gives it
    few = tf.ask("IND", "RUS", "27", "2021", "2022", rows=bare)  # the pair is what is asked for
    assert few.range("price") == pytest.approx(coal.range("price"))
    assert few.subject.startswith("Imports of India from Russia")


def annual(code, system, value, weight, status="reported", **more):
    """Return a year of own trade for each value: 2021, 2022."""
    many = len(value)
    frame = pd.DataFrame({
        "period": ["2021", "2022"] if many == 2 else ["2021", "2021", "2022", "2022"],
        "code": code, "code_system": system, "value_usd": value, "net_weight_kg": weight,
        "weight_status": status,
    })  # fmt: skip
    return tf.tidy(frame.assign(**more))


def test_what_has_no_price_is_not_said_to_be_zero():
    mine = annual("440711", "HS2017", [100.0, 150.0], [10.0, 11.0], "estimated", partner="Russia")
    question = ("Türkiye", "russia", "4407", "2021", "2022")
    refused, taken = (
        tf.ask(*question, rows=mine),
        tf.ask(*question, rows=mine, estimated="accepted"),
    )
    assert refused.subject.startswith("Imports of Turkey from Russia")
    assert set(refused.rows["partner"]) == {"RUS"}
    assert "price and volume cannot be told apart, goods without" in refused.sentence()
    assert "price accounts for" not in refused.sentence()
    assert "estimated='accepted'" in notes(refused)
    assert "change of +50 USD; no price for want of weights" in tf.plot.show(refused).title
    same = bridge(mine, "2021", "2022", estimated="accepted")
    assert taken.range("price")[0] <= same.price <= taken.range("price")[1]
    assert "price accounts for" in taken.sentence()
    with pytest.raises(ValueError, match="estimated='maybe'"):
        tf.ask(*question, rows=mine, estimated="maybe")


@pytest.mark.parametrize(
    ("values", "weights", "word"),
    [
        ([100.0, 200.0], [10.0, 19.0], "mainly volume; "),
        ([200.0, 100.0], [20.0, 19.0], "mainly price; "),
        ([100.0, 200.0], [10.0, 14.0], ""),
        ([100.0, 105.0], [10.0, 5.0], ""),
    ],
)
def test_a_sentence_says_what_is_most_of_it_by_every_method(values, weights, word):
    mine = annual("270112", "HS2017", values, weights)
    found = tf.ask("TUR", "RUS", "2701", "2021", "2022", rows=mine)
    assert f": {word}price accounts for" in found.sentence()


def test_tariff_lines_are_summed_to_six_digits():
    """Lines that are renumbered are no exit and entry; a code beside its lines stands once."""
    lines = ["2710194300", "27101944", "2710194400", "27101944"]
    mine = annual(lines[:1] + lines[2:3], "HS2022", [100.0, 200.0], [10.0, 19.0])
    six = annual("271019", "HS2022", [100.0, 200.0], [10.0, 19.0])
    question = ("TUR", "RUS", ["271019"], "2021", "2022")
    found = tf.ask(*question, rows=mine)
    assert set(found.rows["code"]) == {"271019"}
    assert found.range("price") == tf.ask(*question, rows=six).range("price")
    assert found.range("entry") == (0.0, 0.0)
    both = tf.ask(*question, rows=pd.concat([mine, six], ignore_index=True))
    assert both.table["value_current"].sum() == 200.0
    assert tf.ask(*question[:2], "27", *question[3:], rows=mine).range("entry") == (0.0, 0.0)


def test_a_heading_of_two_revisions_is_answered_or_refused_for_what_it_is():
    systems = ["HS2017", "HS2022"]
    question = ("DEU", "POL", "4407", "2021", "2022")
    found = tf.ask(*question, rows=annual("4407", systems, [100.0, 200.0], [10.0, 19.0]))
    assert found.table["value_current"].sum() == 200.0
    moved = annual("2403", systems, [100.0, 200.0], [10.0, 19.0])
    both = pd.concat([moved, annual("270112", "HS2022", [1.0, 2.0], [1.0, 1.0])])
    for codes, rows in (("2403", moved), (["2403", "270112"], both)):
        with pytest.raises(TradeflowsError, match="code systems HS2017, HS20"):
            tf.ask("DEU", "POL", codes, "2021", "2022", rows=rows)


def test_what_a_table_of_ones_own_lacks_is_named():
    with pytest.raises(UnknownCode, match="no rows of TUR KAZ M in your table") as refused:
        tf.ask("TUR", "KAZ", "27", "2021", "2022", rows=own())
    assert "TUR RUS M" in refused.value.expected
    with pytest.raises(SourceUnavailable, match="Not in your table: 27") as refused:
        tf.ask("TUR", "RUS", "27", "2021", "2022", rows=own()[own()["period"] < "2022-06"])
    assert "refresh" not in refused.value.todo
    with pytest.raises(SchemaMismatch, match=r"a frame without code[\s\S]*tf.tidy"):
        tf.ask("TUR", "RUS", "27", "2021", "2022", rows=pd.DataFrame({"HS": ["2701"]}))


def test_what_is_catalogued_can_be_loaded():
    held = tf.catalogue("trade")
    assert len(held) > 50
    for row in held.sample(4, random_state=1).to_dict("records"):
        names = ("source", "trade_system", "reporter", "partner", "flow", "freq", "code_system")
        found = tf.load("trade", **{n: [row[n]] for n in names})
        assert len(found) == row["rows"]
        assert f"{found['period'].min():%Y-%m}" == row["first"]
        assert found["period"].nunique() == row["periods"]
    assert set(tf.catalogue("prices")["table"]) == {"prices"}
    few = tf.catalogue(reporter="TUR", source=["TÜİK", "UN Comtrade"])
    assert set(few["reporter"]) == {"TUR"}
    assert len(few) < len(tf.catalogue())
    with pytest.raises(SourceUnavailable, match="nothing is stored of reporter Atlantis"):
        tf.catalogue(reporter="Atlantis")
    with pytest.raises(UnknownCode, match="no columns"):
        tf.catalogue(exporter="TUR")


def test_results_go_to_spreadsheets_with_nothing_that_is_run(tmp_path, coal):
    found = coal
    found.to_csv(tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["price"].sum() == pytest.approx(found.table["price"].sum())
    found.to_excel(tmp_path / "a.xlsx")
    book = pd.read_excel(tmp_path / "a.xlsx", sheet_name=None)
    assert list(book) == ["answer", "table", "methods", "rows"]
    assert book["answer"]["answer"].iloc[0] == found.sentence()
    assert len(book["rows"]) == len(found.rows)
    assert book["methods"]["price (USD)"].max() == pytest.approx(found.range("price")[1])
    assert book["answer"]["answer"].iloc[-1] == f"tradeflows {tf.__version__}"
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["table"]
    heads = [cell.value for cell in sheet[1]]
    assert sheet[2][heads.index("price (USD)")].number_format == "#,##0"
    hostile = tf.bridge(own().assign(code="=cmd()"), "2021", "2022")
    hostile.to_excel(tmp_path / "b.xlsx")
    assert pd.read_excel(tmp_path / "b.xlsx", sheet_name="table")["code"].tolist() == ["'=cmd()"]
