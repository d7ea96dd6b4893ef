"""One table, one statistic, nothing in silence."""

import re
import shlex
import shutil

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import tradeflows as tf
from standin import harness
from tradeflows import cli, store
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch, UnknownCode
from tradeflows.load import rows
from tradeflows.quality import corrections

RUSSIA = {"reporter": "TUR", "partner": "RUS", "flow": "M", "code": "TOTAL"}


def test_annual_imports_from_russia():
    total = tf.load("trade", source="TÜİK", trade_system="general", **RUSSIA)
    bn = total.groupby(total["period"].dt.year)["value_usd"].sum() / 1e9
    expected = {2019: 23.12, 2020: 17.83, 2021: 28.96, 2022: 58.85, 2023: 45.60, 2024: 44.02}
    assert {year: round(float(bn[year]), 2) for year in expected} == expected


def test_two_statistics_of_one_trade_are_not_mixed():
    with pytest.raises(DoubleCountedTotals, match=r"TÜİK.*WITS"):
        tf.load("trade", **RUSSIA)


def test_no_rows_is_an_error_that_lists_what_there_is():
    with pytest.raises(UnknownCode, match=r"(?s)series=frankincense.*one of brent"):
        tf.load("prices", series="frankincense")
    with pytest.raises(UnknownCode, match=r"(?s)flow=imports.*one of M, X"):
        tf.load("trade", reporter="TUR", flow="imports")
    with pytest.raises(UnknownCode, match=r"(?s)source=TUIK.*TÜİK"):
        tf.load("trade", source="TUIK")
    with pytest.raises(UnknownCode, match=r"(?s)partner=Ruritania.*more"):
        tf.load("trade", partner="Ruritania")
    with pytest.raises(UnknownCode, match=r"(?s)months=1990.*months from 20"):
        tf.load("prices", series="brent", months="1990")
    with pytest.raises(UnknownCode, match="stand in one row"):
        tf.load("trade", code="coal", partner="KAZ")


def test_unknown_table_and_column_are_named():
    with pytest.raises(UnknownCode, match="weather"):
        tf.load("weather")
    with pytest.raises(UnknownCode, match="colour"):
        tf.load("trade", colour="red")


@pytest.mark.parametrize("months", ["Jan 2021", "2022-13", "2023/2022", "soon", "2022-3-1/x"])
def test_a_window_that_is_none_is_refused(months):
    for asked in (("prices", {"series": "brent"}), ("trade", {"partner": "RUS"})):
        with pytest.raises(UnknownCode, match="window"):
            tf.load(asked[0], months=months, **asked[1])


def test_a_window_keeps_its_months():
    brent = tf.load("prices", series="brent", months="2021-11/2022-02")
    assert brent["period"].dt.strftime("%Y-%m").tolist() == [
        "2021-11",
        "2021-12",
        "2022-01",
        "2022-02",
    ]


def test_euro_values_become_dollars_at_the_rate_of_the_month():
    sold = tf.load("trade", reporter="EU27", partner="RUS", code="847150", months="2020-01")
    rate = tf.load("prices", series="usd_per_eur", months="2020-01")["value"].iloc[0]
    text = store.read(sold["origin"].iloc[0]).decode()
    euro = float(
        next(line for line in text.splitlines() if line.startswith("2020-01,RUS,847150")).split(
            ","
        )[-1]
    )
    assert sold["value_usd"].iloc[0] == pytest.approx(euro * rate, rel=1e-12)


def test_corrections_drop_what_they_say_and_keep_the_rest():
    raw = "un-comtrade/fuel_imports_from_russia_monthly.csv"
    dropped = [c for c in corrections.corrections() if c.file == raw]
    fuels = tf.load("trade", source="UN Comtrade", code_system="groups", flow="M", partner="RUS")
    assert len(fuels) == store.describe(raw).rows - len(dropped)


def test_a_correction_stops_once_the_source_repaired_itself():
    correction = corrections.corrections()[0]
    row = pd.DataFrame(
        {
            "code": [correction.where["code"]],
            "period": [pd.Timestamp(correction.where["period"])],
            "value_usd": [1.0],
        }
    )
    with pytest.raises(SchemaMismatch, match="repaired"):
        corrections.corrected(row, correction.file)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2022-01,TOTAL,0,1,,missing", "share a key"),
        ("2031-01,TOTAL,0,-1,,missing", "negative"),
        ("2031-01,TOTAL,0,many,,missing", "value_usd"),
        ("2031-01,TOTAL,0,,,missing", "empty"),
        ("2031-01,TOTAL,0,1,5,guessed", "not allowed"),
    ],
)
def test_a_bad_row_in_a_raw_file_is_shown(tmp_path, monkeypatch, line, words):
    shutil.copytree(store.folder(), tmp_path / "raw")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
    raw = store.describe("tuik/imports_from_russia_monthly.csv")
    about = yaml.safe_load((tmp_path / "raw" / f"{raw.id}.yml").read_text())
    own = {k: v for k, v in about.items() if k not in ("bytes", "sha256")}
    text = raw.path.read_bytes() + f"{line}\n".encode()
    store.put("tuik/bad.csv", text, {**own, "rows": raw.rows + 1})
    with pytest.raises(SchemaMismatch, match=words) as error:
        tf.load("trade", source="TÜİK", trade_system="general", **RUSSIA)
    assert "tuik/bad.csv" in str(error.value)
    assert raw.path.read_bytes() + f"{line}\n".encode() == text


def test_every_alternative_must_stand_in_the_table():
    with pytest.raises(UnknownCode, match=r"(?s)no rows with code=tOTAL2\n.*one of 01,"):
        tf.load("trade", source="TÜİK", trade_system="general", code="TOTAL,tOTAL2")
    with pytest.raises(UnknownCode, match=r"(?s)series=brant,ural\n.*one of brent"):
        tf.load("prices", series=["brent", "brant", "ural"])
    oil = {"source": "TÜİK", "trade_system": "general", "partner": "RUS", "flow": "M"}
    alone = tf.load("trade", code="TOTAL", **oil)
    assert tf.load("trade", code="TOTAL,coal", **oil).equals(alone)  # coal stands elsewhere
    # A country or a revision that no row has is no misspelling.
    known = {**oil, "partner": "RUS,VUT", "code_system": "groups,HS2012", "flow": ["M", "RM"]}
    assert tf.load("trade", code="TOTAL", **known).equals(alone)


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ({"partner": ["RUS"]}, {"partner": "RUS"}),
        ({"partner": ("RUS", "KAZ")}, {"partner": "RUS, KAZ"}),
        ({"code": 27}, {"code": "27"}),
        ({"code": [27, "2799"]}, {"code": "27,2799"}),
        ({"level": 6}, {"level": "6"}),
        ({"confidential": True}, {"confidential": "True"}),
        ({"months": 2025}, {"months": "2025"}),
        ({"months": pd.Period("2025", "Y")}, {"months": "2025"}),
        ({"months": pd.Period("2025-03", "M")}, {"months": "2025-03"}),
        ({"months": pd.Timestamp("2025-03-01")}, {"months": "2025-03"}),
        ({"months": "2025/2025-03"}, {"months": "2025-01/2025-03"}),
    ],
)
def test_numbers_and_lists_are_asked_as_their_text(asked, same):
    special = {"source": "TÜİK", "trade_system": "special"}
    for read in (tf.load, rows):
        assert read("trade", **special, **asked).equals(read("trade", **special, **same))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"partner": None}, "partner=None"),
        ({"level": 6.0}, "level=6.0"),
        ({"code": {"27": 1}}, "code={'27': 1}"),
        ({"code": []}, r"code=\[\]"),
        ({"code": [None]}, r"code=\[None\]"),
        ({"months": pd.Period("2022Q1", "Q")}, "a quarter by its months"),
        ({"months": "2022-Q4"}, "a quarter by its months"),
        ({"months": "202203"}, "'2022-03'"),
        ({"months": pd.Timestamp("2022-03-15")}, "window"),
        ({"months": ("2022", "2023")}, "window"),
        ({"months": ""}, "window"),
        ({"months": True}, "window"),
        ({"table": ["trade"]}, r"no table \['trade'\]"),
    ],
)
def test_what_cannot_be_asked_is_named(asked, said):
    for read in (tf.load, rows):
        with pytest.raises(UnknownCode, match=said):
            read(**{"table": "trade", "source": "TÜİK", **asked})


def test_figures_in_print_are_kept_by_their_months():
    every = tf.load("published")
    found = tf.load("published", months="2022")
    inside = every["period_start"].dt.year.eq(2022) & every["period_end"].dt.year.eq(2022)
    assert 0 < len(found) == inside.sum() < len(every)
    with pytest.raises(UnknownCode, match=r"(?s)months=1990.*months from 20\d\d-"):
        tf.load("published", months="1990")


def test_annual_rows_are_missed_by_year():
    with pytest.raises(UnknownCode, match="years from 2022 to 2023: the rows are annual"):
        tf.load("trade", source="WITS", partner="RUS", flow="M", months="2022-06")


@pytest.mark.parametrize("day", ["yesterday", "1.12.2026", "2026-02-30", "20261130", "2026-W01-1"])
def test_as_of_is_a_day(monkeypatch, day):
    monkeypatch.setenv("AS_OF", day)
    for read in (tf.load, rows):
        with pytest.raises(UnknownCode, match=f"AS_OF={day} is no day") as error:
            read("prices", series="brent")
        assert "YYYY-MM-DD" in error.value.expected


def test_before_the_first_release_there_is_nothing(monkeypatch):
    monkeypatch.setenv("AS_OF", "2000-01-01")
    with pytest.raises(UnknownCode, match="rows that had been released by 2000-01-01"):
        tf.load("prices", series="brent")
    monkeypatch.setenv("AS_OF", "")
    assert len(tf.load("prices", series="brent"))


def test_the_advice_is_a_command_that_brings_what_is_missing(monkeypatch, tmp_path):
    asked = {"reporter": "TUR", "partner": "KAZ", "flow": "X", "code": "8542"}
    asked |= {"source": "UN Comtrade"}
    with harness.asked(monkeypatch, tmp_path / "data"):
        with pytest.raises(UnknownCode) as error:
            tf.load("trade", **asked)
        (command,) = re.findall(r"`(tradeflows refresh [^`]*)`", error.value.todo)
        words = [*shlex.split(command)[1:], "--start", "2022-01", "--end", "2022-03"]
        words += [
            "--source",
            "comtrade",
        ]  # TÜİK has a server of its own
        assert CliRunner().invoke(cli.app, words).exit_code == 0
        assert len(tf.load("trade", **asked)) == 3
    with pytest.raises(UnknownCode, match=r"`tradeflows refresh --source worldbank`"):
        tf.load("prices", series="frankincense")
