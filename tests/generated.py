"""Generated trade as refreshes bring it, and what the rules make of it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pages
from standin import trade
from standin.comtrade import published
from standin.harness import QUICK, SNAPSHOT, asked
from tradeflows.claims.verdict import Verdict
from tradeflows.codes.countries import from_comtrade
from tradeflows.counterfactual import statespace
from tradeflows.counterfactual.months import Cut
from tradeflows.errors import UnknownCode
from tradeflows.periods import span
from tradeflows.quality.concordance import concord
from tradeflows.report import runner
from tradeflows.sources import refresh, stored

FIRST, LAST = "2019-02", "2023-02"
CHAPTERS = ("84", "85", "88", "90")
UNITS = {5: "u", 8: "kg", -1: None}
# As few goods and partners as leave 40 destinations to compare Russia with.
SMALL = {"chapters": (39, 62, 84, 85, 87, 88, 90), "others": 27, "last": LAST.replace("-", "")}
TURKEY = ("turkey-russia", "turkey-controls")
MIRRORS = ("transit-priority", "supply-priority")
REFRESHED = "rerouting"  # has what others report too
# cells on which no statement rests
BESIDE = ("mix", "control", "quarters", "family", "mirror-words", "sensitivity")
PAGES = ("05-energy-in-the-panel", "06-electronics-in-the-panel")
KEPT = ("rows", "exports", "detail", "imports", "totals", "turnover", "split", "priced",
        "of_change", "measured", "neighbours", "supply")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Judged:
    """A world, and the verdict of the panel's pages on each claim.

    ``reasons`` say of a claim's numbers why they are not determined; ``values`` are what names of
    the panel's pages stand for.
    """

    world: trade.World
    verdicts: dict[str, Verdict]
    reasons: dict[str, dict[str, str]]
    values: dict[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def calm(self, flow: str, start: str = FIRST, end: str = LAST) -> pd.DataFrame:
        """Return what the panel would hold had nothing happened, made without a refresh."""
        rows = rows_of(replace(self.world, scenario="nothing"), flow, months_of(start, end))
        return concord(rows, to="HS2012-HS2022").frame


def judged(folder: Path, world: trade.World) -> Judged:
    """Let the panel's pages judge every claim of a world.

    One scenario is refreshed from the stand-in and read from what was stored. The others hand pages
    the same rows without that way, which costs more than all else.
    """
    with pytest.MonkeyPatch.context() as patch:
        if world.scenario != REFRESHED:
            held(patch, folder, made(world))
            patch.setattr(stored, "is_generated", lambda *_: True)
            return _judged(world, without=BESIDE)
        parts = {p.name: p for p in refresh.parts()}
        pull = partial(refresh.run, sources=["comtrade"], manners=QUICK)
        _quick(patch)
        with asked(patch, folder, world):
            pull([parts[name] for name in TURKEY], start=FIRST, end=LAST)
            pull([parts[name] for name in MIRRORS], start="2021-01", end="2022-12")
            return _judged(world)


def _judged(world: trade.World, without: tuple[str, ...] = ()) -> Judged:
    shown = [pages.run(name, without=without) for name in PAGES]
    verdicts = {v.rule.claim: v for page in shown for v in page.passed_on}
    values = {name: page[name] for page in shown for name in KEPT if name in page}
    reasons = {"a": shown[1]["why_a"], "c": shown[1]["why_c"]}
    return Judged(world, dict(sorted(verdicts.items())), reasons, values)


def _quick(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(statespace, "PATHS", 200)
    if statespace._fit is _FIT:
        patch.setattr(statespace, "_fit", _fitted)


def held(
    patch: pytest.MonkeyPatch,
    folder: Path,
    found: Judged | dict[str, pd.DataFrame],
    **changed: pd.DataFrame,
) -> None:
    """Let pages load the rows of a world, some of them changed, without a refresh.

    Parameters
    ----------
    **changed : DataFrame
        ``rows`` (exports), ``detail`` (imports) or ``totals``, as the pages call them.
    """
    kept = {name: changed.get(name, found[name]) for name in ("rows", "detail", "totals")}

    def load(table: str, **asked: Any) -> pd.DataFrame:
        assert table == "trade"
        if asked["reporter"] != "TUR" or asked.get("source") == "TÜİK":
            raise UnknownCode("no rows of others", "a refresh", "refresh")
        fine = asked.get("level") == 6
        rows = kept["totals" if not fine else "detail" if asked["flow"] == "M" else "rows"]
        rows = rows[rows["flow"] == asked.get("flow", rows["flow"])]
        return rows[rows["period"].isin(span(asked["months"]))] if "months" in asked else rows

    shutil.copytree(SNAPSHOT / "press", folder / "raw" / "press", dirs_exist_ok=True)
    patch.setenv("TRADEFLOWS_DATA", str(folder))  # pages run anew
    _quick(patch)
    for module in (runner, sys.modules["tradeflows.series"]):
        patch.setattr(module, "load", load)


def _fitted(data: Cut, model: str) -> Any:
    """Fit once what worlds share: until the event their months are the same."""
    key = (model, data.season, data.logs.tobytes(), data.exog[: data.before].tobytes())
    if key not in _FITS:
        _FITS[key] = _FIT(data, model)
    return _FITS[key]


_FIT = statespace._fit
_FITS: dict[tuple[object, ...], Any] = {}


def months_of(start: str = FIRST, end: str = LAST) -> list[str]:
    """Return months as UN Comtrade writes them."""
    return [p.strftime("%Y%m") for p in pd.period_range(start, end, freq="M")]


def made(world: trade.World) -> dict[str, pd.DataFrame]:
    """Return what a refresh brings of Turkey's trade: exports, imports from Russia, totals."""
    totals = []
    for flow in "XM":
        for month in months_of():
            rows = published(world, trade.TURKEY, flow, month, str(trade.RUSSIA))
            totals.append(_rows(world, rows[rows["level"] < 4], flow, month))
    return {
        "rows": rows_of(world, "X", months_of()),
        "detail": rows_of(world, "M", months_of()),
        "totals": pd.concat(totals, ignore_index=True),
    }


def rows_of(world: trade.World, flow: str, months: list[str]) -> pd.DataFrame:
    """Return rows as the loaders would: weights missing, estimated or reported."""
    frames = []
    for month in months:
        rows = trade.month(world, trade.TURKEY, flow, month)
        machines = rows["code"].str[:2].isin(CHAPTERS) if flow == "X" else False
        rows = rows[(rows["partner"] == trade.RUSSIA) | machines]
        frames.append(_rows(world, rows.assign(level=6), flow, month))
    return pd.concat(frames, ignore_index=True)


def _rows(world: trade.World, rows: pd.DataFrame, flow: str, month: str) -> pd.DataFrame:
    names = {number: from_comtrade(number) for number in rows["partner"].unique()}
    return pd.DataFrame(
        {
            "origin": "generated",
            "source": "UN Comtrade",
            "trade_system": "general",
            "reporter": "TUR",
            "partner": rows["partner"].map(names),
            "flow": flow,
            "freq": "M",
            "period": pd.Timestamp(f"{month[:4]}-{month[4:]}-01"),
            "code_system": {"H5": "HS2017", "H6": "HS2022"}[world.revision(trade.TURKEY, month)],
            "code": rows["code"],
            "level": rows["level"],
            "value_usd": rows["value"],
            "net_weight_kg": rows["kg"].mask(rows["flag"] == "missing"),
            "weight_status": rows["flag"],
            "quantity": rows["qty"].mask(rows["unit"] == -1),
            "quantity_unit": rows["unit"].map(UNITS),
            "quantity_status": (rows["unit"] == -1).map({True: "missing", False: "reported"}),
            "confidential": rows["code"] == trade.HIDDEN,
        }
    )
