"""Live files together: one row per key, the newest, marked where made up."""

from pathlib import Path

import pytest

from standin.harness import QUICK, asked, live, small
from tradeflows import store
from tradeflows.sources import refresh
from tradeflows.sources import stored as rooms
from tradeflows.sources.revisions import revisions

USUAL = {"start": "2022-01", "end": "2022-06", "manners": QUICK}


def test_everything_refreshed_is_read_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with asked(monkeypatch, tmp_path / "data") as site:
        assert rooms.refreshed("trade").empty
        assert revisions("2016-10-31", "2027-10-31").table.empty
        assert not rooms.is_generated()
        outcome = refresh.run(small(), sources=("worldbank", "eurostat", "comtrade"), **USUAL)
        assert set(outcome.calls) == {"worldbank", "eurostat", "comtrade"}
        assert "comtrade" in outcome.sentence()
        assert sum(sum(kinds.values()) for kinds in outcome.calls.values()) == len(site.asked)
        assert sum(len(rooms.table(raw)) for raw in live()) > 0
        trade = rooms.refreshed("trade")
        assert set(trade["source"]) == {"UN Comtrade", "Eurostat"}
        assert set(rooms.refreshed("prices")["source"]) == {"World Bank"}
        assert set(rooms.refreshed("volumes")["source"]) == {"Eurostat"}
        assert rooms.is_generated()
        few = rooms.refreshed("trade", keep={"source": ["Eurostat"]})
        assert set(few["source"]) == {"Eurostat"}
        assert rooms.refreshed("trade", as_of="2016-12-31").empty
        site.comtrade.revised[792, "202203"] = 1
        refresh.run(small(), sources=("comtrade",), **USUAL)
        revised = rooms.refreshed("trade")
        assert len(revised) == len(trade)
        changes = revisions("2022-10-31", "2027-10-31").table
        march = changes[changes["kind"] == "revised"]
        assert set(march["period"].astype(str).str[:7]) == {"2022-03"}
        assert ((march["after"] / march["before"]).round(6) == 1.001).all()
        before = rooms.refreshed("trade", as_of="2022-10-31")
        march = (revised["period"] == "2022-03-01") & (revised["source"] == "UN Comtrade")
        assert (revised[march]["vintage"] == "2022-11-11").all()
        assert "2022-03-01" in set(before["period"].astype(str).str[:10])
        assert (before["vintage"] <= "2022-10-31").all()
        assert store.verify() == []
