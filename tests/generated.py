"""Panels made from generated trade, without a server: the same rows a refresh would bring."""

from functools import lru_cache

import pandas as pd

from standin import trade
from tradeflows.codes.countries import from_comtrade
from tradeflows.evidence import panel as room

FIRST, LAST = "2019-02", "2023-02"
CHAPTERS = ("84", "85", "88", "90")
UNITS = {5: "u", 8: "kg", -1: None}


@lru_cache(maxsize=8)
def panel_of(scenario: str = "nothing", missing: float = 0.0) -> room.Panel:
    """Return the panel of one world: machines to everybody, everything to and from Russia."""
    world = trade.World(scenario, missing=missing, last=LAST.replace("-", ""))
    months = [p.strftime("%Y%m") for p in pd.period_range(FIRST, LAST, freq="M")]
    sold = rows_of(world, "X", months)
    bought = rows_of(world, "M", months)
    sums = [rows.groupby("period")["value_usd"].sum().reset_index() for rows in (sold, bought)]
    of_russia = sold[sold["partner"] == "RUS"].groupby("period")["value_usd"].sum().reset_index()
    sums = [of_russia.assign(flow="X", code="TOTAL"), sums[1].assign(flow="M", code="TOTAL")]
    fuel = bought[bought["code"].str.startswith("27") | bought["confidential"]]
    fuel = fuel.groupby("period")["value_usd"].sum().reset_index().assign(flow="M", code="27")
    totals = pd.concat([*sums, fuel]).assign(origin="generated", partner="RUS")
    return room.Panel(
        room._comparable(sold), room._comparable(bought), totals, sold.iloc[:0], generated=True
    )


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
