"""What people hold: every form of the same rows is one table; two readings are refused."""

import gzip
import io
import json
import warnings
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import tradeflows as tf
from standin import others
from tradeflows.errors import SchemaMismatch, TruncatedReply, UnknownCode, UnknownColumnWarning
from tradeflows.readers import read

FIXTURES = Path(__file__).parents[2] / "shared" / "fixtures"
ROWS = pd.DataFrame(
    {
        "typeCode": "C", "freqCode": "M", "period": ["202101", "202201", "202201", "202201"],
        "reporterCode": 792, "reporterDesc": "Türkiye", "flowCode": "X", "partnerCode": 643,
        "partnerDesc": "Russian Federation", "partner2Code": 0, "classificationCode": "H5",
        "cmdCode": ["010121", "010121", "854231", "854231"], "customsCode": "C00",
        "mosCode": "0", "motCode": [0, 0, 0, 1000], "qtyUnitCode": -1, "qty": None,
        "isQtyEstimated": False, "netWgt": [10.5, 12.0, 0.0, 1.0],
        "isNetWgtEstimated": [False, True, False, False], "cifvalue": None,
        "fobvalue": [1000.0, 1500.25, 70.0, 7.0], "primaryValue": [1000.0, 1500.25, 70.0, 7.0],
        "legacyEstimationFlag": 0,
    }
)  # fmt: skip


def written(how: str, folder: Path) -> str | Path | pd.DataFrame:
    """Return the rows in one of the forms in which people hold them."""
    file = folder / f"{how}.csv"
    if how == "comtradeapicall":
        return ROWS
    if how == "website":  # headings in other letters, a comma more in every row, cp1252
        heads = [c[0].upper() + c[1:] for c in ROWS]
        lines = ROWS.to_csv(index=False, header=False).splitlines()
        file.write_bytes("\n".join([",".join(heads), *(f"{n}," for n in lines)]).encode("latin-1"))
    elif how == "comtradr":
        names = {c: "".join(f"_{x.lower()}" if x.isupper() else x for x in c) for c in ROWS}
        flags = [c for c in ROWS if ROWS[c].dtype == bool]
        words = ROWS.assign(**{c: ROWS[c].map({True: "TRUE", False: "FALSE"}) for c in flags})
        words.rename(columns=names).to_csv(file, index=False, na_rep="NA")
    elif how == "bulk":
        names = {
            "cifvalue": "CIFValue",
            "fobvalue": "FOBValue",
            "isNetWgtEstimated": "isnetWgtEstimated",
        }
        text = ROWS.astype({"isNetWgtEstimated": int}).rename(columns=names)
        file.write_bytes(gzip.compress(text.to_csv(index=False, sep="\t").encode()))
    else:
        rows = json.loads(ROWS.to_json(orient="records"))
        file.write_text(json.dumps({"data": rows} if how == "json" else rows))
    return file


@pytest.mark.parametrize(
    "how", ["website", "comtradr", "bulk", "json", "records", "comtradeapicall"]
)
def test_every_form_of_comtrade_says_the_same(how, tmp_path):
    table = tf.read_comtrade(written(how, tmp_path))
    said = table.iloc[0][["reporter", "partner", "flow", "freq", "code_system"]]
    assert said.tolist() == ["TUR", "RUS", "X", "M", "HS2017"]
    assert table["code"].tolist() == ["010121", "010121", "854231"]  # a mode of transport is a part
    assert table["value_usd"].tolist() == [1000.0, 1500.25, 70.0]
    assert table["weight_status"].tolist() == ["reported", "estimated", "missing"]


def test_a_column_nobody_knows_is_kept_and_named_once():
    own = ROWS.assign(note=["a", "b", "c", "d"], checked=True)
    with pytest.warns(UnknownColumnWarning, match="note, checked") as told:
        table = tf.read_comtrade(own)
    assert len(told) == 1
    assert table["note"].tolist() == ["a", "b", "c"]
    with pytest.warns(UnknownColumnWarning, match="mark"):
        tidied = tf.tidy(mine(mark=["late", "early"])[::-1])
    assert tidied["mark"].tolist() == ["late", "early"]


def test_what_comtrade_cut_or_lost_is_refused(tmp_path):
    many = pd.concat([ROWS.iloc[[0]].assign(partnerCode=n) for n in range(500)])
    with pytest.raises(TruncatedReply, match="a row cap"):
        tf.read_comtrade(many)
    with pytest.raises(SchemaMismatch, match=r"no columns \['isNetWgtEstimated'\]"):
        tf.read_comtrade(ROWS.drop(columns="isNetWgtEstimated"))
    with pytest.raises(SchemaMismatch, match="10121"):
        tf.read_comtrade(ROWS.assign(cmdCode=[10121, 10121, 854231, 854231]))
    with pytest.raises(SchemaMismatch, match="netWgt holds"):
        tf.read_comtrade(ROWS.assign(netWgt="1,5"))
    (tmp_path / "cut.csv").write_text("cmdCode,primaryValue\n0101,1\n01")
    with pytest.raises(SchemaMismatch, match="line 3 has 1 fields"):
        tf.read_comtrade(tmp_path / "cut.csv")
    with pytest.raises(SchemaMismatch, match="no such file"):
        tf.read_comtrade(tmp_path / "gone.csv")


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="recorded files are not here")
def test_files_that_others_downloaded_are_read_whole():
    files = sorted((FIXTURES / "api/comtradr/vignette_results").glob("*.csv"))
    assert len(files) >= 7
    for file in files:
        table, found = tf.read_comtrade(file), pd.read_csv(file)
        assert len(table) == len(found), file.name
        assert table["value_usd"].sum() == pytest.approx(found["primaryValue"].sum())


def mine(**more):
    frame = {"code": ["270900", "270900"], "value_usd": [3.0, 9.0], "net_weight_kg": [1.0, 2.0],
             "period": ["2021-01", "2022-01"]}  # fmt: skip
    return pd.DataFrame({**frame, **more})


@pytest.mark.parametrize(
    ("before", "after", "freq"),
    [
        (202101, 202201, "M"), ("202101", "202201", "M"), (202101.0, 202201.0, "M"),
        ("2021-01", "2022-01", "M"), ("2021M01", "2022M01", "M"), ("01/2021", "1.2022", "M"),
        (2021, 2022, "A"), ("2021", "2022", "A"),
        (pd.Period("2021-01", "M"), pd.Period("2022-01", "M"), "M"), ("Jan-21", "Jan-22", "M"),
        ("January 2021", "Jan 2022", "M"), ("2021 Ocak", "2022-Jan", "M"),
    ],
)  # fmt: skip
def test_periods_as_people_write_them(before, after, freq):
    table = tf.tidy(mine(period=[before, after]))
    assert table["period"].dt.strftime("%Y-%m").tolist() == ["2021-01", "2022-01"]
    assert set(table["freq"]) == {freq}


def test_days_are_of_their_month_and_years_of_dates_are_asked_for():
    days = pd.to_datetime(["2021-01-31", "2022-02-28"])
    assert tf.tidy(mine(period=days))["period"].dt.day.tolist() == [1, 1]
    for written in (
        ("31.01.2021", "01.02.2022"),
        ("31/01/2021", "28/02/2022"),
        ("1/31/2021", "2/28/2022"),
    ):
        assert tf.tidy(mine(period=written))["period"].dt.month.tolist() == [1, 2]
    januaries = pd.to_datetime(["2021-01-01", "2022-01-01"])
    with pytest.raises(SchemaMismatch, match="dates of January alone"):
        tf.tidy(mine(period=januaries))
    for freq in "AM":
        assert set(tf.tidy(mine(period=januaries), freq=freq)["freq"]) == {freq}


@pytest.mark.parametrize("years", [("2010-11", "2011-12"), ("2021-22", "2021-22")])
def test_fiscal_years_are_no_months(years):
    with pytest.raises(SchemaMismatch, match="holds fiscal years"):
        tf.tidy(mine(period=years, code=["270900", "270112"]))
    assert set(tf.tidy(mine(period=["2010-11", "2011-11"]))["freq"]) == {"M"}


def test_numbers_in_the_grouping_of_india_are_read_where_all_fit():
    table = tf.tidy(mine(value_usd=["14,36,31,809", "1,234"]))
    assert table["value_usd"].tolist() == [143631809, 1234]
    with pytest.raises(SchemaMismatch, match="written in one way"):
        tf.tidy(mine(value_usd=["14,36,31,809", "1,234,567"]))


@pytest.mark.parametrize(
    "part", [{"motCode": 2100}, {"partner2Code": 784}, {"customsCode": "C01"}, {"mosCode": 1}]
)
def test_a_file_of_parts_alone_is_refused(part):
    with pytest.raises(SchemaMismatch, match="none of them a total"):
        tf.read_comtrade(ROWS.assign(**part))


def test_a_group_of_sitc_keeps_its_weight():
    rows = ROWS.iloc[[0]].assign(classificationCode="S4", cmdCode="333")
    assert tf.read_comtrade(rows)["net_weight_kg"].tolist() == [10.5]


@pytest.mark.parametrize("quarter", ["2021Q1", "2021-Q1", "Q1 2021", "1. quarter 2021"])
def test_quarters_are_refused_by_name(quarter):
    with pytest.raises(SchemaMismatch, match=r"period '[^']*[Qq]") as refused:
        tf.tidy(mine(period=[quarter, "2022-01"]))
    assert "sum quarters to years" in refused.value.todo


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"code": [10121, 270900]}, "10121"),  # a zero was lost
        ({"value_usd": ["1.200", "3.400"]}, "decimal"),  # thousands, or three decimals
        ({"period": ["202113", "2022-01"]}, "period '202113'"),
        ({"period": ["01/02/2021", "01/03/2021"]}, "period '01/02/2021'"),
        ({"period": [44197, 44562]}, "as Excel counts"),
        ({"period": [1.2021, 2.2021]}, "read months as text, dtype=str"),  # 1.2020 would be 1.202
        ({"period": [1, 2]}, "frame.'year'..astype.int. . 100"),  # years stand in another column
        (
            {"period": ["2021-01", "2021-01"]},
            "share a key; they differ in value_usd, net_weight_kg",
        ),
        ({"flow": ["X", "sideways"]}, "flow 'sideways'"),
        ({"flow": "M/X"}, "flow 'M/X'"),
        ({"code": ["Total", "270900"]}, "'Total': row 0 is a sum"),
        ({"partner": ["RUS", "Atlantis"]}, "Atlantis"),
    ],
)
def test_two_readings_are_refused(changed, said):
    with pytest.raises((SchemaMismatch, UnknownCode), match=said):
        tf.tidy(mine(**changed))


def test_columns_are_named_or_missed_by_name():
    frame = mine().rename(columns={"code": "HS", "value_usd": "USD", "net_weight_kg": "kg"})
    table = tf.tidy(frame, code="HS", value="USD", weight="kg", reporter="Türkiye", partner="RUS",
                    flow="exports")  # fmt: skip
    assert table.iloc[0][["reporter", "partner", "flow"]].tolist() == ["TUR", "RUS", "X"]
    with pytest.raises(SchemaMismatch, match=r"without code[\s\S]*HS, USD, kg, period"):
        tf.tidy(frame)
    with pytest.warns(UnknownColumnWarning, match="kg"):
        bare = tf.tidy(frame, code="HS", value="USD", weight=None)
    assert set(bare["weight_status"]) == {"missing"}
    assert "reporter" not in bare  # nothing is said of it
    guessed = tf.tidy(mine(guess=["yes", "no"]).replace({"yes": True, "no": False}),
                      estimated="guess")  # fmt: skip
    assert guessed["weight_status"].tolist() == ["estimated", "reported"]


@pytest.mark.parametrize(
    ("name", "factor", "unit"),
    [("Ton", 1000, "t"), ("net_weight_t", 1000, "t"), ("netWeightTonnes", 1000, "t"),
     ("Weight (lb)", 0.45359237, "lb"), ("grams", 0.001, "g")],
)  # fmt: skip
def test_a_weight_is_in_the_unit_that_its_name_or_the_user_says(name, factor, unit):
    frame = mine().rename(columns={"net_weight_kg": name})
    for said, times in (("", factor), (unit, factor), ("kg", 1)):
        table = tf.tidy(frame, weight=name, weight_unit=said)
        assert table["net_weight_kg"].tolist() == pytest.approx([times, 2 * times])
    with pytest.raises(SchemaMismatch, match=r"unit barrel is not known[\s\S]*kg, t, kt, Mt"):
        tf.tidy(frame, weight=name, weight_unit="barrel")


@pytest.mark.parametrize(
    ("kind", "name", "times"),
    [
        ("value", "Value (USD '000s)", 1e3), ("value", "US$ K", 1e3), ("value", "kUSD", 1e3),
        ("value", "Value (1,000 USD)", 1e3), ("value", "Değer (Bin USD)", 1e3),
        ("value", "тыс. долл. США", 1e3), ("value", "usd_million", 1e6), ("value", "USD m", 1e6),
        ("value", "млрд долл.", 1e9), ("value", "primaryValue", 1), ("value", "USD lakh", 1e5),
        ("weight", "Quantity (MT)", 1e3), ("weight", "kt", 1e6), ("weight", "Mt", 1e9),
        ("weight", "Ağırlık (bin ton)", 1e6), ("weight", "million metric tons", 1e9),
        ("weight", "Вес нетто, т", 1e3), ("weight", "netWgt", 1),
    ],
)  # fmt: skip
def test_units_and_scales_of_a_heading_are_applied(kind, name, times):
    column = {"value": "value_usd", "weight": "net_weight_kg"}[kind]
    before = mine()[column].tolist()
    table = tf.tidy(mine().rename(columns={column: name}), **{kind: name})
    assert table[column].tolist() == pytest.approx([times * n for n in before])


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("value", "Value (Rs. Lakh)", "unit Rs is"), ("value", "Rs.", "unit Rs is"),
        ("value", "Value in crore", "does not say of what"), ("value", "Value (som)", "unit som"),
        ("value", "value_kusd", "unit kusd"), ("value", "Value (GBP)", "unit GBP"),
        ("value", "£", "unit £"), ("value", "C$", "unit C is"), ("value", "USD EUR", "two units"),
        ("value", "Unit value (USD)", "unit Unit"), ("value", "Değer (₽)", "unit ₽"),
        ("weight", "Quantity (TMT)", "unit TMT"), ("weight", "weight_mt", "unit mt"),
        ("weight", "Volume (m3)", "unit m3"), ("weight", "Short tons", "unit Short"),
        ("weight", "Weight (quintals)", "unit quintals"), ("weight", "桶", "unit 桶"),
        ("weight", "Quantity", "need not be a weight"), ("weight", "Pieces", "unit Pieces"),
    ],
)  # fmt: skip
def test_a_word_of_a_heading_that_is_no_unit_known_is_refused_until_the_user_says(kind, name, said):
    column = {"value": "value_usd", "weight": "net_weight_kg"}[kind]
    option, usual = {"value": ("currency", "USD"), "weight": ("weight_unit", "kg")}[kind]
    frame = mine().rename(columns={column: name})
    with pytest.raises(SchemaMismatch, match=said) as refused:
        tf.tidy(frame, **{kind: name})
    assert f"pass {option}=" in refused.value.todo
    if "Lakh" not in name and "crore" not in name:
        table = tf.tidy(frame, **{kind: name, option: f"thousand {usual}"})
        assert table[column].tolist() == [1000 * n for n in mine()[column]]


def test_a_user_does_not_lose_the_thousands_of_a_heading():
    frame = mine().rename(columns={"value_usd": "Value (USD '000)"})
    with pytest.raises(SchemaMismatch, match=r"heading .* counts in thousands"):
        tf.tidy(frame, value="Value (USD '000)", currency="USD")


@pytest.mark.parametrize(
    ("columns", "weights"),
    [
        ({"weight": [5, 7], "Unit": "TON"}, [5000, 7000]),
        ({"Quantity": [5, 7], "UOM": ["KGS", "NOS"]}, [5, None]),
        ({"Quantity": [5, 7], "EDIZM": ["TON", "BBL"]}, [5000, None]),
        ({"net_weight_kg": [5, 7], "qty_unit": ["NOS", "kg"]}, [None, 7]),
        ({"weight": [5, 7], "Ağırlık birimi": ["g", ""]}, [0.005, 7]),
        ({"net_weight_kg": [5, 7], "quantity": [1, 2], "quantity_unit": "NOS"}, [5, 7]),
    ],
)
def test_a_column_of_units_is_read_and_what_is_no_weight_makes_none(columns, weights):
    frame = mine().drop(columns="net_weight_kg").assign(**columns)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        table = tf.tidy(frame, weight=next(iter(columns)))
    assert (
        table["net_weight_kg"].astype(object).where(table["net_weight_kg"].notna(), None).tolist()
        == weights
    )
    assert table["weight_status"].tolist() == ["reported" if w else "missing" for w in weights]
    if None in weights:
        other = {"UOM": "NOS", "EDIZM": "BBL", "qty_unit": "NOS"}[[*columns][1]]
        assert any(f"says {other}, which is no unit of weight" in str(w.message) for w in told)
        assert other in table["quantity_unit"].tolist()
    pd.testing.assert_frame_equal(tf.tidy(table), table)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"weight_unit": "t"}, "says t, the heading says 'net_weight_kg'"),
        ({"Currency": "EUR"}, "says EUR, the heading says 'value_usd'"),
        ({"Currency": "INR"}, "values in INR"),
        ({"Unit": "kg", "UOM": "kg"}, "both state a unit"),
    ],
)
def test_a_column_of_units_that_contradicts_is_refused(columns, said):
    with pytest.raises(SchemaMismatch, match=said):
        tf.tidy(mine(**columns))


def test_a_column_of_currencies_is_applied_row_by_row():
    frame = mine(Currency=["USD", "EUR"]).rename(columns={"value_usd": "Value"})
    table = tf.tidy(frame, value="Value")
    assert table["value_usd"].tolist() == pytest.approx([3, 9 * 1.1314], rel=1e-3)
    pd.testing.assert_frame_equal(tf.tidy(table), table)


def book(folder, **sheets):
    file = folder / "book.xlsx"
    with pd.ExcelWriter(file) as writer:
        for name, (frame, *titles) in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False, startrow=len(titles))
            for row, title in enumerate(titles, 1):
                writer.sheets[name].cell(row, 1, title)
    return file


@pytest.mark.parametrize(
    "title",
    ["Imports, thousand USD", "bin ABD doları", "(тыс. долл.)", "in '000", "Weights in tonnes",
     "EUR", "Rs. crore"],
)  # fmt: skip
def test_a_unit_in_a_title_is_no_unit_until_the_user_agrees(title, tmp_path):
    named = mine().rename(columns={"value_usd": "value", "net_weight_kg": "weight"})
    file = book(tmp_path, a=(named, "Turkey", title))
    names = {"value": "value", "weight": "weight"}
    with pytest.raises(SchemaMismatch) as refused:
        tf.tidy(file, **names)
    assert f"the title {title!r} says" in str(refused.value)
    table = tf.tidy(file, **names, currency="thousand USD", weight_unit="t")
    assert table["value_usd"].tolist() == [3000, 9000]
    assert table["net_weight_kg"].tolist() == [1000, 2000]


def test_a_title_that_its_headings_repeat_is_read(tmp_path):
    frame = mine().rename(columns={"value_usd": "thousand USD", "net_weight_kg": "t"})
    file = book(tmp_path, a=(frame, "Trade of 2021, thousand US dollars, tonnes", "in USD"))
    table = tf.tidy(file, value="thousand USD", weight="t")
    assert table.iloc[0][["value_usd", "net_weight_kg"]].tolist() == [3000, 1000]


def test_a_workbook_of_several_tables_is_asked_which(tmp_path):
    note = pd.DataFrame({"read me": ["of customs", "final"]})
    file = book(tmp_path, about=(note,), goods=(mine(),), more=(mine(value_usd=[1.0, 2.0]),))
    with pytest.raises(SchemaMismatch, match="sheets 'goods', 'more'"):
        tf.tidy(file)
    assert tf.tidy(file, sheet="more")["value_usd"].tolist() == [1, 2]
    with pytest.raises(SchemaMismatch, match="sheets 'about', 'goods', 'more'"):
        tf.tidy(file, sheet="nothing")
    one = book(tmp_path, about=(note,), goods=(mine(),))
    assert len(tf.tidy(one)) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Excel 97"),
     (b"<html><table><tr><td>1</td></tr></table></html>", "web page")],
)  # fmt: skip
def test_what_only_looks_like_a_workbook_is_named(data, said, tmp_path):
    (tmp_path / "x.xls").write_bytes(data)
    with pytest.raises(SchemaMismatch, match=said) as refused:
        tf.tidy(tmp_path / "x.xls")
    assert "save it as .xlsx" in refused.value.todo


def test_a_value_in_a_currency_of_the_ecb_becomes_dollars():
    rates = {"EUR": 1.1314, "TRY": 0.07375}
    for name, code in (("Value (EUR)", "EUR"), ("Değer (TL)", "TRY"), ("€", "EUR")):
        frame = mine().rename(columns={"value_usd": name})
        assert tf.tidy(frame, value=name)["value_usd"].iloc[1] == pytest.approx(
            9 * rates[code], rel=1e-3
        )
        as_dollars = tf.tidy(frame, value=name, currency="USD")
        assert as_dollars["value_usd"].iloc[1] == 9
    assert tf.tidy(mine(), currency="euro")["value_usd"].iloc[1] == pytest.approx(10.18, rel=1e-3)
    with pytest.raises(SchemaMismatch, match="'doubloon'"):
        tf.tidy(mine(), currency="doubloon")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_is_made_tidy_by_its_path(kind, tmp_path):
    frame = mine(code=["010121", "270900"]).rename(columns={"code": "HS"})
    file = tmp_path / f"mine.{kind}"
    (frame.to_csv if kind == "csv" else frame.to_excel)(file, index=False)
    pd.testing.assert_frame_equal(tf.tidy(file, code="HS"), tf.tidy(frame, code="HS"))
    with pytest.raises(SchemaMismatch, match="no such file"):
        tf.tidy(str(tmp_path / "gone.csv"))
    with pytest.raises(SchemaMismatch, match="object of type int"):
        tf.tidy(5)


def test_a_frame_made_tidy_gives_the_numbers_of_the_frame():
    rows = tf.load("trade", source="UN Comtrade", reporter="TUR", partner="RUS", flow="M",
                   code="coal")  # fmt: skip
    odd = pd.DataFrame({"what": "270100", "when": rows["period"].dt.strftime("%Y%m").astype(int),
                        "usd": rows["value_usd"], "kg": rows["net_weight_kg"]})  # fmt: skip
    table = tf.tidy(odd, code="what", value="usd", weight="kg", period="when")
    found, known = (tf.bridge(t, "2021", "2022") for t in (table, rows))
    assert (found.price, found.volume) == pytest.approx((known.price, known.volume))


def test_what_is_tidy_stays_as_it_is():
    loose = mine(freq=["A", "A"], period=pd.to_datetime(["2021-01-01", "2022-01-01"]),
                 weight_status=["estimated", "missing"], confidential=[False, True])  # fmt: skip
    once = tf.tidy(loose)
    assert once["weight_status"].tolist() == ["estimated", "missing"]
    assert once["freq"].tolist() == ["A", "A"]
    assert once["confidential"].tolist() == [False, True]
    pd.testing.assert_frame_equal(tf.tidy(once), once)
    stored = tf.load("trade", source="Eurostat", partner="RUS", code_system="HS2022")
    pd.testing.assert_frame_equal(tf.tidy(stored), stored, check_like=True)


def test_a_year_of_baci_is_read_from_its_zip_and_from_the_file_in_it(tmp_path):
    data = others.baci(rows=50, years=(2021,))
    whole = tmp_path / "BACI_HS17_V202601.zip"
    whole.write_bytes(data)
    table = tf.read_baci(whole)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = next(n for n in archive.namelist() if "_Y2021_" in n)
        archive.extract(name, tmp_path)
    one = tf.read_baci(tmp_path / name)
    assert len(one) == len(table) > 0
    assert one["value_usd"].sum() == pytest.approx(table["value_usd"].sum())
    few = tf.read_baci(whole, codes=[table["code"].iloc[0]])
    assert set(few["code"]) == {table["code"].iloc[0]}
    assert len(read(whole)) == len(table)


def test_a_file_is_known_by_its_headings(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read(written("website", tmp_path))) == 3
        assert len(read(written("json", tmp_path))) == 3
        data, frame = others.tuik()
        (tmp_path / "tuik.csv").write_bytes(data)
        assert len(read(tmp_path / "tuik.csv")) == len(frame)
        mine().to_csv(tmp_path / "own.csv", index=False)
        assert read(tmp_path / "own.csv")["value_usd"].tolist() == [3.0, 9.0]
        mine().to_excel(tmp_path / "own.xlsx", index=False)
        assert read(tmp_path / "own.xlsx")["code"].tolist() == ["270900", "270900"]
        (tmp_path / "odd.csv").write_text("hs,when,usd\n270900,2021-01,3\n")
        with pytest.raises(SchemaMismatch) as refused:
            read(tmp_path / "odd.csv")
        assert "needs columns code, period, value_usd" in refused.value.__notes__[0]


def test_a_table_of_tuik_may_have_a_title_and_columns_of_its_own(tmp_path):
    data, frame = others.tuik()
    head, *lines = data.decode().splitlines()
    text = "\n".join(["Dış ticaret;;;;;;;", f"{head};Not", *(f"{n};x" for n in lines)])
    (tmp_path / "titled.csv").write_text(text, encoding="utf-8")
    with pytest.warns(UnknownColumnWarning, match="titled.csv: kept as they are: Not"):
        table = tf.read_tuik(tmp_path / "titled.csv")
    assert table["value_usd"].sum() == pytest.approx(frame["value"].sum())
    assert set(table["Not"]) == {"x"}
    (tmp_path / "odd.csv").write_text("a;b;c;d\n1;2;3;4")
    with pytest.raises(SchemaMismatch, match="code: hs12, gtip") as refused:
        tf.read_tuik(tmp_path / "odd.csv")
    assert "Değer (USD)" in refused.value.expected
