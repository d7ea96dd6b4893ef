"""UN Comtrade at full reach: years, the world, groups, nomenclatures, re-exports; and the probe."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import tradeflows as tf
from standin import harness, server, trade
from standin.harness import KEY, QUICK, live
from tradeflows import cli, store
from tradeflows.errors import DoubleCountedTotals, SourceUnavailable, UnknownCode
from tradeflows.sources import refresh
from tradeflows.sources.comtrade.question import pair

YEAR = {"start": "2022", "end": "2022", "manners": QUICK, "sources": ("comtrade",)}
ASKED = [name for name in refresh.SOURCES if name != "tuik"]  # that one has a server of its own
TOTALS = {"source": "UN Comtrade", "reporter": "TUR", "code": "TOTAL"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data", trade.World(breadth=0, others=0)) as found:
        yield found


def total(**asked: str) -> float:
    return float(tf.load("trade", **TOTALS | asked)["value_usd"].sum())


def test_years_are_asked_beside_months_and_are_their_sum(site: server.Site) -> None:
    years = pair("TUR", "RUS", codes=["TOTAL"], freq="A")
    refresh.run([years], **YEAR | {"start": "2020"})
    assert site.counts()["data"] == 1
    assert "/C/A/HS?" in next(path for kind, path in site.asked if kind == "data")
    found = tf.load("trade", **TOTALS, flow="X")
    assert set(found["freq"]) == {"A"}
    assert found["period"].dt.year.tolist() == [2020, 2021, 2022]
    refresh.run([pair("TUR", "RUS", codes=["TOTAL"])], **YEAR)
    for flow in "MX":
        months = total(flow=flow, freq="M", months="2022")
        assert total(flow=flow, freq="A", months="2022") == pytest.approx(months, rel=1e-9)
    site.asked.clear()
    refresh.run([years], **YEAR)
    assert site.counts() == {"availability": 1}
    with pytest.raises(UnknownCode, match="frequency"):
        pair("TUR", "RUS", freq="Q")


@pytest.mark.usefixtures("site")
def test_the_world_is_the_sum_of_every_partner_and_groups_are_their_members() -> None:
    for text in ("EU27", "World", "ALL"):
        refresh.run([pair("TUR", text, ["X"], ["TOTAL"])], **YEAR | {"end": "2022-02"})
    found = tf.load("trade", **TOTALS, flow="X")
    world = found["partner"] == "World"
    assert found.loc[world, "value_usd"].sum() == pytest.approx(
        found.loc[~world, "value_usd"].sum(), rel=1e-9
    )
    assert not found.duplicated(["partner", "period"]).any()
    group = [leaf for leaf in live() if "tur-eu27" in leaf.id]
    assert {len(raw.query["box"]["partners"]) for raw in group} == {27}
    refresh.run([pair("KAZ,KGZ", "TUR", ["M"], ["TOTAL"])], **YEAR | {"end": "2022-02"})
    several = tf.load("trade", **TOTALS | {"reporter": "KAZ,KGZ"})
    assert set(several["reporter"]) == {"KAZ", "KGZ"}
    assert pair("TUR", "EAEU").partners == ("ARM", "BLR", "KAZ", "KGZ", "RUS")


def test_a_nomenclature_is_chosen_beside_what_was_reported(site: server.Site) -> None:
    asked = pair("TUR", "RUS", ["X"], ["AG6"], system="HS2017")
    assert asked.system == "H5"
    words = refresh.run([asked], **YEAR).sentence()
    assert "Turkey has not published 2022-07, 2022-08" in words
    assert "in H5; its newest is 2022-06" in words
    assert all("/H5?" in path for kind, path in site.asked if kind in ("count", "data"))
    found = tf.load("trade", source="UN Comtrade", reporter="TUR")
    assert set(found["code_system"]) == {"HS2017"}
    refresh.run([pair("TUR", "RUS", ["X"], ["AG6"])], **YEAR)
    both = tf.load("trade", source="UN Comtrade", reporter="TUR")
    assert not both.duplicated(["partner", "code", "period", "code_system"]).any()
    assert both["period"].nunique() == 12
    with pytest.raises(SourceUnavailable, match=r"not published.*in H6; its newest"):
        refresh.run([pair("TUR", "RUS", system="H6")], **YEAR | {"end": "2022-03"})
    for wrong in ("H7", "SITC", "S4"):
        with pytest.raises(UnknownCode, match="nomenclature"):
            pair("TUR", "RUS", system=wrong)


@pytest.mark.usefixtures("site")
def test_one_trade_in_two_nomenclatures_is_not_added_up() -> None:
    words = dict.fromkeys(("title", "url", "licence", "terms", "coverage", "obtained"), "x")
    for system, code in (("HS2012", "854231"), ("HS2017", "854232")):
        constants = {
            "reporter": "TUR", "partner": "RUS", "flow": "X", "freq": "M", "valuation": "FOB",
            "trade_system": "general", "code_system": system, "quantity": "", "quantity_unit": "",
            "quantity_status": "missing", "confidential": False, "level": 6,
        }  # fmt: skip
        rows = f"period,code,value_usd,net_weight_kg,weight_status\n2022-01,{code},5,1,reported\n"
        store.put(f"made-up/{system}.csv", rows.encode(), words | {
            "publisher": "Made up", "accessed": "2026-01-01", "vintage": "2026-01-01",
            "table": "trade", "rows": 1, "constants": constants,
        })  # fmt: skip
    with pytest.raises(DoubleCountedTotals, match="nomenclatures: HS2012, HS2017"):
        tf.load("trade", source="Made up")
    assert len(tf.load("trade", source="Made up", code_system="HS2017")) == 1


@pytest.mark.parametrize("asked", [{"codes": ["S"]}, {"codes": ["SA"]}, {"system": "EB10"}])
def test_services_are_refused_by_name(asked: dict[str, object]) -> None:
    with pytest.raises(UnknownCode, match="services are not read") as error:
        pair("TUR", "RUS", **asked)  # type: ignore[arg-type]
    assert "no weights" in error.value.todo


@pytest.mark.usefixtures("site")
def test_re_exports_stand_beside_the_exports_that_hold_them() -> None:
    flows = ["X", "RX", "M", "RM"]
    refresh.run([pair("TUR", "RUS", flows, ["TOTAL"])], **YEAR)
    sums = {flow: total(flow=flow) for flow in flows}
    assert 0 < sums["RX"] < sums["X"]
    assert 0 < sums["RM"] < sums["M"]


def test_a_plan_without_a_key_says_how_long_and_asks_first_what_the_claims_need(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMTRADE_API_KEY")
    drawn = refresh.plan(manners=QUICK, end="2025-12")
    assert {len(call.periods) for call in drawn.calls} == {1}
    assert "one period and 500 rows a call" in drawn.words
    data = int(drawn.table["data_calls"].sum())
    assert f"{-(-2 * data // 500)} days at 500 calls a day" in drawn.words
    order = [(call.part, call.periods[0][:4], call.box.codes[0]) for call in drawn.calls]
    assert order[0] == ("turkey-russia", "2021", "TOTAL")
    long = [codes.startswith("AG") for _, _, codes in order]
    assert long == sorted(long)  # every long list of codes after all that is short
    short = [part for part, _, codes in order if not codes.startswith("AG")]
    assert list(dict.fromkeys(short)) == [
        "turkey-russia", "russia-priority", "turkey-priority", "transit-priority",
        "supply-priority", "transit-onward",
    ]  # fmt: skip
    few = refresh.plan([pair("TUR", "RUS", codes=["TOTAL"])], manners=QUICK, start="2025-06")
    assert "days" not in few.words
    assert site.counts() == {"availability": 2}


def test_the_probe_says_of_each_publisher_what_it_answered(
    site: server.Site,
) -> None:
    tried = refresh.probe(ASKED, manners=QUICK).set_index("source")
    assert tried["works"].all()
    assert tried.loc["comtrade", "rows"] == 2
    assert "108 months of Turkey, the newest 2025-12" in tried.loc["comtrade", "said"]
    assert live() == []
    site.faults.append(server.Fault("401", 9, "count"))
    site.others["/en/"].address = "https://example.org/elsewhere.pdf"  # type: ignore[attr-defined]
    site.others["/eurostat/"] = lambda *_: (302, {"Location": "https://other.example/x"}, b"")
    site.others["/DATA_DOWNLOAD/"] = lambda *_: None
    words = CliRunner().invoke(
        cli.app, ["refresh", "--probe", "--source", ",".join(ASKED), "--json"]
    )
    found = pd.DataFrame(json.loads(words.output)).set_index("source")
    assert words.exit_code == 1
    assert not found["works"].any()
    assert "status 404" in found.loc["baci", "said"]
    assert "invalid subscription key" in found.loc["comtrade", "said"]
    assert not any(w in words.output for w in ("http", "127.0.0.1", "example", KEY))
    with pytest.raises(UnknownCode, match="wto"):
        refresh.probe(["wto"])
