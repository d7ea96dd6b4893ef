"""BACI: streamed, bounded, flagged as estimated."""

import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standin import others, server
from standin.harness import QUICK, asked
from tradeflows import store
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError
from tradeflows.sources import baci, refresh

ABOUT = {"origin": "x", "vintage": "2026-01-01"}
NAME = "BACI_HS17_Y2022_V202601.csv"


def zipped(text: str, name: str = NAME) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return out.getvalue()


def test_rows_keep_their_units() -> None:
    data = zipped("t,i,j,k,v,q\n2022,792,643,10121,   1.500,   0.250\n2022,842,490,854231,2,NA\n")
    table = baci.parse(data, ABOUT).sort_values("code")
    assert table["code"].tolist() == ["010121", "854231"]
    assert table["value_usd"].tolist() == [1500.0, 2000.0]
    assert table["net_weight_kg"].fillna(-1).tolist() == [250.0, -1.0]
    assert table["weight_status"].tolist() == ["estimated", "missing"]
    assert table["reporter"].tolist() == ["TUR", "USA"]
    assert table["partner"].tolist() == ["RUS", "TWN"]


def test_a_refresh_streams_to_parquet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(baci, "STEP", 64)
    with asked(monkeypatch, tmp_path / "data") as site:
        outcome = refresh.run(sources=("baci",), manners=QUICK)
        assert outcome.calls["baci"] == {"data": 1}
        assert refresh.run(sources=("baci",), manners=QUICK).calls["baci"] == {}
        raw = store.describe(outcome.stored[0])
        target = tmp_path / "baci.parquet"
        about = {"origin": raw.id, "vintage": raw.vintage}
        rows = baci.to_parquet(raw.path, target, about)
        assert rows == 2000
        order = ["period", "reporter", "partner", "code"]
        pd.testing.assert_frame_equal(
            pd.read_parquet(target).sort_values(order, ignore_index=True),
            baci.parse(raw.path, {"origin": raw.id, "vintage": raw.vintage}).sort_values(
                order, ignore_index=True
            ),
            check_dtype=False,
        )
        site.others["/DATA_DOWNLOAD/"] = others.zipped(b"<html>")
        (tmp_path / "other" / "raw").mkdir(parents=True)
        monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path / "other"))
        with pytest.raises(SchemaMismatch):
            refresh.run(sources=("baci",), manners=QUICK)
        site.others["/DATA_DOWNLOAD/"] = lambda _path, _asked: None
        with pytest.raises(SourceUnavailable, match="404"):
            refresh.run(sources=("baci",), manners=QUICK)
        assert store.verify() == []
        assert not [p for p in (tmp_path / "other" / "raw").rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        zipped("x"),
        zipped("t,i,j,k,v\n"),
        zipped("t,i,j,k,v,q\n2022,792\n"),
        zipped("t,i,j,k,v,q\n2022,792,643,10121,many,1\n"),
        zipped("t,i,j,k,v,q\n2022,792,643,1,5,1\n"),
        zipped("t,i,j,k,v,q\n2022,792,643,10121,-5,1\n"),
        zipped("t,i,j,k,v,q\n2022,792,643,10121,5,1\n" * 2),
        zipped("t,i,j,k,v,q\n2022,792,643,10121,5,1\n")[:-30],
        zipped("t,i,j,k,v,q\n" + "0" * 60_000_000),
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(SchemaMismatch):
        baci.parse(data, ABOUT)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_no_bytes_escape_the_errors(data: bytes) -> None:
    with pytest.raises(TradeflowsError):
        baci.parse(data, ABOUT)
    with pytest.raises(TradeflowsError):
        baci.parse(zipped(data.decode("latin-1")), ABOUT)


def test_a_claim_of_many_gigabytes_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with asked(monkeypatch, tmp_path / "data") as site:
        site.faults.append(server.Fault("claim", 9, "DATA_DOWNLOAD"))
        with pytest.raises(SchemaMismatch, match="claims"):
            refresh.run(sources=("baci",), manners=QUICK)
        assert store.verify() == []


def test_numbers_that_changed_are_one_country_in_a_year() -> None:
    rows = "t,i,j,k,v,q\n1998,792,58,854231,9,1\n1999,792,56,854231,6,1\n1999,792,442,854231,3,1\n"
    rows += "2005,891,792,854231,5,1\n2006,688,792,854231,4,1\n2011,792,736,854231,3,1\n"
    rows += "2012,792,729,854231,2,1\n2012,792,728,854231,1,1\n"
    table = baci.parse(zipped(rows), ABOUT)
    partner = table.groupby("partner")["value_usd"].sum().to_dict()
    assert partner == {
        "Belgium-Luxembourg (...1998)": 9000, "BEL": 6000, "LUX": 3000, "TUR": 9000,
        "Sudan (...2011)": 3000, "SDN": 2000, "SSD": 1000,
    }  # fmt: skip
    assert set(table["reporter"]) == {"TUR", "SCG", "SRB"}


def test_two_numbers_of_one_country_are_refused() -> None:
    rows = "t,i,j,k,v,q\n2022,792,251,854231,9,1\n2022,792,250,854231,8,1\n"
    with pytest.raises(SchemaMismatch, match="2 rows share a key"):
        baci.parse(zipped(rows), ABOUT)


@pytest.mark.parametrize("code", ["8105", "8105000", "00854231", "x"])
def test_codes_that_are_not_of_six_digits_are_refused(code: str) -> None:
    with pytest.raises(SchemaMismatch):
        baci.parse(zipped(f"t,i,j,k,v,q\n2022,792,643,{code},1,1\n"), ABOUT)
