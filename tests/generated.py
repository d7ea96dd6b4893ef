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
from standin.harness import QUICK, SNAPSHOT, asked
from tradeflows.claims.verdict import Verdict
from tradeflows.codes.countries import from_comtrade
from tradeflows.counterfactual import statespace
from tradeflows.counterfactual.months import Cut
from tradeflows.errors import UnknownCode
from tradeflows.periods import span
from tradeflows.quality.concordance import concord
from tradeflows.report import runner
from tradeflows.sources import refresh

FIRST, LAST = "2019-02", "2023-02"
CHAPTERS = ("84", "85", "88", "90")
UNITS = {5: "u", 8: "kg", -1: None}
# As few goods and partners as leave 40 destinations to compare Russia with.
SMALL = {"chapters": (39, 62, 84, 85, 87, 88, 90), "others": 27, "last": LAST.replace("-", "")}
TURKEY = ("turkey-russia", "turkey-controls")
MIRRORS = ("transit-priority", "supply-priority")
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
        months = [p.strftime("%Y%m") for p in pd.period_range(start, end, freq="M")]
        rows = rows_of(replace(self.world, scenario="nothing"), flow, months)
        return concord(rows, to="HS2012-HS2022").frame


def judged(folder: Path, world: trade.World) -> Judged:
    """Refresh from the stand-in, build the panel, and run its pages, which judge every claim."""
    parts = {p.name: p for p in refresh.parts()}
    pull = partial(refresh.run, sources=["comtrade"], manners=QUICK)
    with pytest.MonkeyPatch.context() as patch, asked(patch, folder, world):
        patch.setattr(statespace, "PATHS", 200)
        patch.setattr(statespace, "_fit", _fitted)
        pull([parts[name] for name in TURKEY], start=FIRST, end=LAST)
        if world.scenario == "rerouting":
            pull([parts[name] for name in MIRRORS], start="2021-01", end="2022-12")
        shown = [pages.run(name) for name in PAGES]
        verdicts = {v.rule.claim: v for page in shown for v in page.passed_on}
        values = {name: page[name] for page in shown for name in KEPT if name in page}
        reasons = {"a": shown[1]["why_a"], "c": shown[1]["why_c"]}
        return Judged(world, dict(sorted(verdicts.items())), reasons, values)


def held(patch: pytest.MonkeyPatch, folder: Path, found: Judged, **changed: pd.DataFrame) -> None:
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
    patch.setattr(statespace, "PATHS", 200)
    if statespace._fit is _FIT:
        patch.setattr(statespace, "_fit", _fitted)
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


def rows_of(world: trade.World, flow: str, months: list[str]) -> pd.DataFrame:
    """Return rows as the loaders would: weights missing, estimated or reported."""
    frames = []
    for month in months:
        rows = trade.month(world, trade.TURKEY, flow, month)
        machines = rows["code"].str[:2].isin(CHAPTERS) if flow == "X" else False
        rows = rows[(rows["partner"] == trade.RUSSIA) | machines]
        system = {"H5": "HS2017", "H6": "HS2022"}[world.revision(trade.TURKEY, month)]
        frames.append(rows.assign(period=pd.Timestamp(f"{month[:4]}-{month[4:]}-01"), of=system))
    rows = pd.concat(frames, ignore_index=True)
    names = {number: from_comtrade(number) for number in rows["partner"].unique()}
    return pd.DataFrame(
        {
            "origin": "generated",
            "reporter": "TUR",
            "partner": rows["partner"].map(names),
            "flow": flow,
            "freq": "M",
            "period": rows["period"],
            "code_system": rows["of"],
            "code": rows["code"],
            "level": 6,
            "value_usd": rows["value"],
            "net_weight_kg": rows["kg"].mask(rows["flag"] == "missing"),
            "weight_status": rows["flag"],
            "quantity": rows["qty"].mask(rows["unit"] == -1),
            "quantity_unit": rows["unit"].map(UNITS),
            "quantity_status": (rows["unit"] == -1).map({True: "missing", False: "reported"}),
            "confidential": rows["code"] == trade.HIDDEN,
        }
    )
