"""Eurostat: cells, delays, refusals, euro and hundreds of kilograms."""

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standin.harness import QUICK, asked, live
from tradeflows import store
from tradeflows.errors import SchemaMismatch, TradeflowsError, TruncatedReply
from tradeflows.sources import eurostat, refresh

HEAD = "DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE\n"
ROW = "ESTAT:DS-045409(1.0),15/09/26,M,AT,AE,7204,2,{},2023-09,{}\n"
TEXT = HEAD + ROW.format("QUANTITY_IN_100KG", "1772.90") + ROW.format("VALUE_IN_EUROS", "204548")
RATES = pd.Series({pd.Timestamp("2023-09-01"): 1.5})
DAYS = pd.Timedelta(days=31)
ABOUT = {"origin": "x", "vintage": "2026-09-15", "rates": RATES}
USUAL = {"sources": ("eurostat",), "manners": QUICK, "start": "2022-01", "end": "2022-12"}


def test_euro_become_dollars_and_hundreds_kilograms() -> None:
    row = eurostat.parse(TEXT.encode(), ABOUT).iloc[0]
    assert row["value_usd"] == 204548 * 1.5
    assert row["net_weight_kg"] == pytest.approx(177290.0)
    assert (row["reporter"], row["partner"], row["flow"]) == ("AUT", "ARE", "X")
    assert (row["valuation"], row["code_system"], row["code"]) == ("FOB", "HS2022", "7204")


def test_gzip_and_zip_say_the_same() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data.csv", TEXT)
    plain = eurostat.parse(TEXT.encode(), ABOUT)
    assert eurostat.parse(out.getvalue(), ABOUT).equals(plain)
    assert eurostat.parse(gzip.compress(TEXT.encode()), ABOUT).equals(plain)


def test_a_month_without_rate_is_named() -> None:
    with pytest.raises(SchemaMismatch, match="2023-09"):
        eurostat.parse(
            TEXT.encode(), ABOUT | {"rates": pd.Series({pd.Timestamp("2023-08-01"): 1.5})}
        )


def test_no_value_is_no_zero_and_no_weight_is_missing() -> None:
    text = HEAD + ROW.format("VALUE_IN_EUROS", "5") + ROW.format("QUANTITY_IN_100KG", ":")
    assert eurostat.parse(text.encode(), ABOUT)["weight_status"].tolist() == ["missing"]
    assert eurostat.parse((HEAD + ROW.format("VALUE_IN_EUROS", ":")).encode(), ABOUT).empty


@pytest.mark.parametrize(
    "text",
    [
        "<html>",
        "DATAFLOW\n",
        HEAD + ROW.format("VALUE_IN_EUROS", "many"),
        HEAD + ROW.format("VALUE_IN_EUROS", "-1"),
        HEAD + ROW.format("VALUE_IN_EUROS", "-"),
        HEAD + ROW.format("VALUE_IN_EUROS", "5") * 2,
        HEAD + ROW.format("VALUE_IN_EUROS", "5").replace(",2,", ",3,"),
        HEAD + ROW.format("VALUE_IN_EUROS", "5").replace("2023-09", "2023-W09"),
    ],
)
def test_wrong_tables_are_refused(text: str) -> None:
    with pytest.raises(SchemaMismatch):
        eurostat.parse(text.encode(), ABOUT)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_no_bytes_escape_the_errors(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\x1f\x8b", HEAD.encode()):
        try:
            eurostat.parse(start + data, ABOUT)
        except TradeflowsError:
            continue


def test_replies_are_told_apart() -> None:
    assert not eurostat.is_put_off(TEXT.encode())
    for said in (
        b"413\nEXTRACTION_TOO_BIG: The requested",
        b'{"warning":{"status":413,"label":"x"}}',
        b'<footer:Message code="413" severity="Infomation">',
        b"<queued><id>a1b2</id><status>SUBMITTED</status>",
    ):
        assert eurostat.is_put_off(said)


def test_the_standard_pull_is_stored_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with asked(monkeypatch, tmp_path / "data") as site:
        first = refresh.run(**USUAL)
        assert len(first.stored) == first.calls["eurostat"]["data"] == 4
        assert refresh.run(**USUAL).stored == []
        whole = {raw.table: eurostat.read(store.read(raw.id), raw) for raw in live()}
        assert set(whole["trade"]["reporter"]) == {"EU27"}
        assert (live()[0].vintage, live()[0].query["generated"]) == ("2026-09-15", True)
        gas = eurostat.read(store.read(live()[1].id), live()[1])
        assert set(gas["series"]) == {"gas", "lng"}
        assert set(gas["unit"]) == {"m3", "TJ"}
        assert (gas["period"] > "2022-01-01").all()  # the first month is not there, not zero
        site.others["/eurostat/"].most = 5000
        refresh.run(**USUAL)
        spans = {raw.query["span"][0] for raw in live() if raw.table == "trade"}
        assert len(spans) > 1
        assert store.verify() == []


def test_what_is_promised_for_later_is_asked_in_parts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with asked(monkeypatch, tmp_path / "data") as site:
        site.others["/eurostat/"].at_once = 5000
        refresh.run(**USUAL)
        trade = pd.concat(eurostat.read(store.read(r.id), r) for r in live() if r.table == "trade")
        assert trade["period"].nunique() == 12
        site.others["/eurostat/"].at_once = 0
        with pytest.raises(TruncatedReply, match="too large for a reply"):
            refresh.run(**USUAL)


LINE = "ESTAT:DS-045409(1.0),15/09/26 11:00:00,M,{},{},854231,2,{},{},{}\n"
EVEN = pd.Series(1.0, index=pd.date_range("1988-01-01", "2026-12-01", freq="MS"))


def comext(*rows: tuple[str, str, float], kind: str = "VALUE_IN_EUROS") -> pd.DataFrame:
    lines = [LINE.format("DE", partner, kind, month, value) for partner, month, value in rows]
    text = HEAD + "".join(lines)
    return eurostat.parse(text.encode(), ABOUT | {"rates": EVEN})


def values(table: pd.DataFrame) -> dict[tuple[str, str], float]:
    months = table["period"].dt.strftime("%Y-%m")
    return dict(zip(zip(table["partner"], months, strict=True), table["value_usd"], strict=True))


def test_two_letters_of_one_country_are_refused() -> None:
    with pytest.raises(SchemaMismatch, match="share a key"):  # letters of 1990 and of today
        comext(("GB", "2021-01", 1.0), ("UK", "2021-01", 1.0))


def test_letters_follow_the_country_and_the_year() -> None:
    table = comext(
        ("XS", "2021-01", 7), ("CS", "1991-01", 1), ("CS", "2004-01", 2),
        ("YU", "1990-01", 3), ("QX", "2021-01", 4), ("EU27_2020", "2021-01", 5),
    )  # fmt: skip
    assert values(table) == {
        ("SRB", "2021-01"): 7, ("CSK", "1991-01"): 1, ("SCG", "2004-01"): 2,
        ("YUG", "1990-01"): 3, ("Confidential country", "2021-01"): 4, ("EU27", "2021-01"): 5,
    }  # fmt: skip


def test_what_was_not_asked_for_is_named() -> None:
    row = "ESTAT:DS-045409(1.0),15/06/26,M,DE,CO,090111,1,{},2026-01,{}\n"
    text = HEAD + row.format("VALUE_IN_EUROS", 1000) + row.format("QUANTITY_IN_100KG", 1)
    about = ABOUT | {"rates": EVEN}
    table = eurostat.parse(text.encode(), about)
    assert (table["value_usd"].item(), table["net_weight_kg"].item()) == (1000.0, 100.0)
    for odd, words in (
        (text.replace("VALUE_IN_EUROS", "VALUE_NAC"), "VALUE_NAC"),
        (HEAD + row.format("QUANTITY_IN_100KG", 100), "no VALUE_IN_EUROS"),
        (text.replace("DS-045409", "DS-018995"), "DS-018995"),  # SITC
        (text.replace("freq", "transport_mode"), "transport_mode"),
        (text.replace("090111", "90111"), "90111"),
    ):
        with pytest.raises(SchemaMismatch, match=words):
            eurostat.parse(odd.encode(), about)
    energy = "DATAFLOW,LAST UPDATE,freq,siec,partner,unit,geo,TIME_PERIOD,OBS_VALUE\n"
    energy += "ESTAT:nrg_{}_gasm(1.0),15/09/26,M,G3000,RU,MIO_M3,TR,2022-01,5\n"
    assert eurostat.parse(energy.format("ti").encode(), about)["value"].tolist() == [5e6]
    with pytest.raises(SchemaMismatch, match="nrg_te_gasm"):  # exports
        eurostat.parse(energy.format("te").encode(), about)


def test_secret_goods_stay_rows_and_are_marked() -> None:
    text = HEAD + LINE.format("DE", "TR", "VALUE_IN_EUROS", "2021-01", 9).replace(
        "854231", "85SSSSSS"
    )
    row = eurostat.parse(text.encode(), ABOUT | {"rates": EVEN}).iloc[0]
    assert (row["code"], row["confidential"], row["value_usd"]) == ("85SSSSSS", True, 9.0)
