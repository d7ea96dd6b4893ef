"""The page of both sides on generated trade: what does not arrive is found, silence is said."""

import sys

import numpy as np
import pandas as pd
import pytest

import pages
from tradeflows.codes.groups import high_priority
from tradeflows.errors import UnknownCode
from tradeflows.periods import span
from tradeflows.report import runner

PAGE = "04-both-sides-in-the-panel"
LOST = 0.6  # of what goes to Kazakhstan from March 2022 on
NEIGHBOURS = ("KAZ", "KGZ", "GEO")


def made(seed=0):
    """Draw what Turkey sent to three neighbours, what they got, and what one sent to Russia."""
    rng = np.random.default_rng(seed)
    listed = high_priority("2024-02").query("comparability == 'good'")
    codes = sorted(set(listed["hs2017"]))[:20]
    days = pd.date_range("2020-12-01", "2022-12-01", freq="MS")
    rows = []
    for place in NEIGHBOURS:
        for code in codes:
            kg = rng.lognormal(8, 0.5) * rng.lognormal(0, 0.3, len(days))
            price = rng.lognormal(4, 0.5)
            there = kg * rng.lognormal(0, 0.01, len(days))
            if place == "KAZ":
                there = np.where(days >= "2022-03-01", (1 - LOST) * there, there)
            error = rng.lognormal(0, 0.01, len(days))
            rows += [("TUR", place, "X", d, code, k * price, k)
                     for d, k in zip(days, kg, strict=True)]  # fmt: skip
            rows += [(place, "TUR", "M", d, code, 1.06 * k * price * e, k)
                     for d, k, e in zip(days, there, error, strict=True)]  # fmt: skip
            if place == "GEO":
                rows += [(place, "RUS", "X", d, code, k * price / 9, k / 9)
                         for d, k in zip(days, kg, strict=True)]  # fmt: skip
    names = ["reporter", "partner", "flow", "period", "code", "value_usd", "net_weight_kg"]
    return pd.DataFrame(rows, columns=names).assign(
        origin="generated", source="UN Comtrade", trade_system="general", freq="M", level=6,
        code_system="HS2017", weight_status="reported", confidential=False,
    )  # fmt: skip


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """Run the page on rows."""

    def run(rows, **changed):
        def load(table, **asked):
            assert table == "trade"
            kept = rows
            for name, value in asked.items():
                if name == "months":
                    kept = kept[kept["period"].isin(span(value))]
                else:
                    kept = kept[kept[name].isin(value if isinstance(value, list) else [value])]
            if kept.empty:
                raise UnknownCode("no such rows", "a refresh", "refresh")
            return kept

        (tmp_path / "raw").mkdir(exist_ok=True)
        monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
        for module in (runner, sys.modules["tradeflows.series"]):
            monkeypatch.setattr(module, "load", load)
        return pages.run(PAGE, **changed)

    return run


@pytest.fixture(scope="module")
def rows():
    return made()


def test_what_does_not_arrive_stands_in_other_weights(shown, rows):
    page = shown(rows)
    sent = rows[(rows["partner"] == "KAZ") & (rows["period"] >= "2022-03-01")]["value_usd"].sum()
    missing = -1.06 * LOST * sent
    before, now = (page["found"][year].table.set_index(["importer", "cause"]).loc["KAZ", "quantity"]
                   for year in ("2021", "2022"))  # fmt: skip
    assert now["low"] < missing < now["high"]
    assert now["high"] < 0.8 * missing  # it is told from nothing
    assert before["low"] <= 0 <= before["high"] or abs(before["value"]) < 0.02 * abs(missing)
    arrived = page.figures["arrived"].table.set_index("importer")
    assert arrived.loc["Kazakhstan", "2022"] < 70 < 100 < arrived.loc["Georgia", "2022"]
    assert "Not counted, for want of months: Uzbekistan" in page.cell("first-screen").text


def test_who_lacks_a_month_is_named_and_no_bound_is_drawn_where_exports_are_not_there(shown, rows):
    gone = rows[~((rows["reporter"] == "KGZ") & (rows["period"] == "2022-05-01"))]
    page = shown(gone, without=("sensitivity",))
    assert page["both"] == ["KAZ", "GEO"]
    assert "Kyrgyzstan" in page.cell("first-screen").text
    assert list(page["passed"]) == ["GEO"]
    words = page.cell("onward-words").text
    assert "Kazakhstan; `tradeflows refresh` brings" in words
    assert "no month reported by Russia is stored here" in page.cell("silence").text


def test_without_the_panel_the_page_says_what_it_needs():
    assert "tradeflows refresh" in runner.lacking(pages.FOLDER / f"{PAGE}.ipynb")
    assert pages.run(PAGE).cells == []
