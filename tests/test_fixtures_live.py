"""Recorded replies of the real publishers, where the folder with them is at hand."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from standin.harness import QUICK, asked, live, small
from tradeflows import tables
from tradeflows.errors import TruncatedReply
from tradeflows.sources import comtrade, eurostat, refresh, tuik, worldbank
from tradeflows.sources.work import Reply, Session

SHARED = Path(os.environ.get("TRADEFLOWS_SHARED", Path(__file__).parents[2] / "shared"))
FIXTURES = SHARED / "fixtures"
pytestmark = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the recorded replies are not part of the clone"
)
ABOUT = {"origin": "recorded", "vintage": "2026-01-01"}


def body(path: str) -> bytes:
    return (FIXTURES / path).read_bytes()


def records(file: Path) -> list[dict[str, Any]]:
    frame = pd.read_csv(file, dtype={"cmdCode": "str", "period": "str", "mosCode": "str"})
    return [
        {k: None if isinstance(v, float) and v != v else v for k, v in row.items()}
        for row in frame.to_dict("records")
    ]


def test_weights_of_6750_recorded_rows() -> None:
    files = sorted((FIXTURES / "api/comtradr/vignette_results").glob("*.csv"))
    parts = []
    for file in files:
        data = records(file)
        reply = json.dumps({"count": len(data), "data": data, "error": ""}).encode()
        parts.append(comtrade.parse(reply, {"origin": file.name}))
    whole = pd.concat(parts)
    assert len(whole) == 6750
    by_level = whole.assign(missing=whole["weight_status"] == "missing").groupby("level")["missing"]
    assert by_level.sum().to_dict() == {0: 154, 2: 270, 4: 356, 6: 45}
    assert by_level.count().to_dict() == {0: 154, 2: 270, 4: 3577, 6: 2749}
    assert whole["code"].str.startswith("0").any()  # leading zeros are kept


def test_china_from_angola_is_not_counted_twice() -> None:
    told = json.loads(body("api/cipf-comtrade/china_angola_2017_partner2_double_count.json"))
    common = {
        "freqCode": "A", "cmdCode": "TOTAL", "classificationCode": "H4", "motCode": 0,
        "mosCode": "0", "qty": None, "qtyUnitCode": -1, "netWgt": None, "isQtyEstimated": False,
        "isNetWgtEstimated": False,
    }  # fmt: skip
    data = [common | row for row in told["rows"]]
    assert sum(row["primaryValue"] for row in data) == 2 * 20_698_709_467
    table = comtrade.parse(json.dumps({"count": len(data), "data": data}).encode(), ABOUT)
    assert table["value_usd"].tolist() == [20_698_709_467]
    assert (table["reporter"].item(), table["partner"].item()) == ("CHN", "AGO")


def test_the_cut_india_reply_is_refused_whole() -> None:
    cut = body("api/un-comtrade-sdk/india_exports_2022_monthly_truncated_excerpt.json")
    with pytest.raises(TruncatedReply, match="500"):
        comtrade.parse(cut, ABOUT)
    whole = json.loads(cut) | {"count": 15}
    table = comtrade.parse(json.dumps(whole).encode(), ABOUT)
    assert set(table["code_system"]) == {"HS2017", "HS2022"}


def test_a_server_that_gives_the_cut_reply_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cut = body("api/un-comtrade-sdk/india_exports_2022_monthly_truncated_excerpt.json")
    with asked(monkeypatch, tmp_path / "data") as site:
        site.others["/data/v1/get"] = lambda _path, _asked: (200, {}, cut)
        with pytest.raises(TruncatedReply):
            refresh.run(small(), sources=("comtrade",), start="2022-01", manners=QUICK)
        assert live() == []


def test_other_recorded_replies() -> None:
    china = comtrade.parse(body("api/comtradr/get_C_A_HS_CHN_2010_TOTAL.json"), ABOUT)
    assert china.groupby("flow")["valuation"].unique().map(list).to_dict() == {
        "M": ["CIF"],
        "X": ["FOB"],
    }
    assert len(china) == 4
    india = comtrade.parse(body("api/un-comtrade-sdk/india_exports_2022_world_total.json"), ABOUT)
    assert india[["partner", "code", "level"]].iloc[0].tolist() == ["World", "TOTAL", 0]
    empty = comtrade.parse(body("api/comtradr/get_S_A_EB_empty.json"), ABOUT)
    assert empty.empty
    assert empty.columns.tolist() == list(tables.TABLES["trade"].names)


def test_quoted_error_bodies_become_their_errors() -> None:
    told = json.loads(body("api/un-comtrade-sdk/error_bodies_quoted.json"))["cases"]
    expected = {
        "rate_limited": "_Broken", "missing_key": "SourceUnavailable", "no_data": "",
        "invalid_key": "SourceUnavailable", "quota_exhausted": "QuotaExhausted",
        "unknown_path": "SourceUnavailable", "bad_parameter": "UnknownCode",
    }  # fmt: skip
    session = Session("x", "http://localhost", key="missing")
    for case in told:
        if case["status"] is None or case["status"] == 200:
            continue
        data = json.dumps(case["body"]).encode()
        headers = {k.lower(): v for k, v in case.get("headers", {}).items()}
        failure = session._failure(Reply("http://localhost", case["status"], headers, data, ""))
        assert type(failure).__name__ == expected[case["case"]]
        assert "missing" not in str(failure)


def test_recorded_eurostat_replies() -> None:
    table = eurostat.parse(body("api/eurostat/comext_DS-045409_sample.csv"), ABOUT)
    assert table["net_weight_kg"].tolist() == [177290.0]
    assert eurostat.is_put_off(body("api/eurostat/extraction_too_big.txt"))
    for name in ("footer.xml", "footer2.xml"):
        assert eurostat.is_put_off(body(f"api/eurostat/{name}"))


def test_tuik_2025_loads_whole() -> None:
    table = tuik.parse(body("tuik/turkey_russia_hs8_monthly_2025.csv.gz"), ABOUT)
    assert len(table) == 45_573
    assert table["code"].nunique() == 5_369
    flows = table.groupby("flow")["value_usd"].sum() / 1e9
    assert flows.round(3).to_dict() == {"M": 41.772, "X": 5.978}
    hidden = table[table["confidential"]]
    assert set(hidden["code"]) == {"27999999"}
    assert round(hidden["value_usd"].sum() / 1e9, 3) == 16.355
    assert set(hidden["weight_status"]) == {"missing"}
    fine = tuik.parse(
        body("tuik/turkey_russia_2710_hs10_monthly_2024_2025.csv"),
        ABOUT | {"constants": {"partner": "RUS"}},
    )
    assert set(fine["level"]) == {10}


def test_both_price_editions_have_the_same_names() -> None:
    names = {}
    for edition in ("2024-02", "2026-06"):
        data = body(f"worldbank/CMO-Historical-Data-Monthly_{edition}.xlsx")
        table = worldbank.parse(data, ABOUT)
        names[edition] = set(table["series"])
        rows = worldbank.sheet(data, "x", worldbank.SHEET)
        assert worldbank.edition(rows, "") == f"{edition}-02"
    assert names["2024-02"] == names["2026-06"]
    assert len(names["2026-06"]) == 71
    ours = SHARED / "figures" / "benchmark_prices_monthly.csv"
    if ours.is_file():
        printed = pd.read_csv(ours, parse_dates=["period"])
        both = printed.merge(table, left_on=["series_id", "period"], right_on=["series", "period"])
        assert len(both) == len(printed)
        assert (both["value_x"] - both["value_y"]).abs().max() < 1e-9
