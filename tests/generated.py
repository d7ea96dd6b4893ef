"""Generated trade as refreshes bring it, and what the rules make of it.

Worlds hand pages their rows: a refresh of all of them costs more than all else. That a refresh
brings these rows, and pages the same verdicts by it, is shown on a smaller world (`refreshed`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pages
from standin import trade
from standin import tuik as office
from standin.comtrade import published
from standin.harness import QUICK, SNAPSHOT, asked
from tradeflows.claims.judge import Verdict
from tradeflows.codes.countries import from_comtrade
from tradeflows.counterfactual import expectation
from tradeflows.counterfactual.expectation import Cut
from tradeflows.errors import UnknownCode
from tradeflows.periods import span
from tradeflows.quality.concordance import concord
from tradeflows.report import runner
from tradeflows.sources import refresh, stored
from tradeflows.sources.comtrade.question import SYSTEMS
from tradeflows.sources.tuik import files

FIRST, LAST = "2019-02", "2023-02"
CHAPTERS = ("84", "85", "88", "90")
UNITS = {5: "u", 8: "kg", -1: None}
# As few goods and partners as leave 40 destinations to compare Russia with.
SMALL = {"chapters": (39, 62, 84, 85, 87, 88, 90), "others": 27, "last": LAST.replace("-", "")}
MIRRORED = ("2021-01", "2022-12")  # both windows of the main comparison
# cells on which no statement rests
BESIDE = ("mix", "control", "quarters", "family", "sensitivity", "fans", "placebos",
          "answer")  # fmt: skip
PAGES = ("05-energy-in-the-panel", "06-electronics-in-the-panel")
HELD = ("rows", "detail", "totals", "mirror")
KEPT = (*HELD, "exports", "imports", "turnover", "split", "priced",
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


def judged(folder: Path, world: trade.World, **asked: Any) -> Judged:
    """Let the panel's pages judge every claim of a world, from its rows (`made`)."""
    with pytest.MonkeyPatch.context() as patch:
        held(patch, folder, made(world, **asked))
        patch.setattr(stored, "is_generated", lambda *_: True)
        return _judged(world)


def refreshed(
    folder: Path, world: trade.World, first: str, chapters: Sequence[str], mirrors: Sequence[str]
) -> Judged:
    """Let the panel's pages judge every claim of a world, from what refreshes of it have stored.

    The standard pull is asked, of machinery some chapters and of mirrors some reporters.
    """
    parts = {p.name: p for p in refresh.parts()}
    machines = replace(parts["turkey-controls"], codes=tuple(f"AG6/{c}" for c in chapters))
    others = [parts[name] for name in ("transit-priority", "supply-priority")]
    others = [replace(p, reporters=tuple(r for r in p.reporters if r in mirrors)) for p in others]
    pull = partial(refresh.run, sources=["comtrade"], manners=QUICK)
    with pytest.MonkeyPatch.context() as patch, asked(patch, folder, world):
        _quick(patch)
        pull([parts["turkey-russia"], machines], start=first, end=_last(world))
        pull(others, start=MIRRORED[0], end=MIRRORED[1])
        return _judged(world)


def _judged(world: trade.World) -> Judged:
    shown = [pages.run(name, without=BESIDE) for name in PAGES]
    verdicts = {v.rule.claim: v for page in shown for v in page.passed_on}
    values = {name: page[name] for page in shown for name in KEPT if name in page}
    reasons = {"a": shown[1]["why_a"], "c": shown[1]["why_c"]}
    return Judged(world, dict(sorted(verdicts.items())), reasons, values)


def _quick(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expectation, "PATHS", 200)
    if expectation._fit is _FIT:
        patch.setattr(expectation, "_fit", _fitted)


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
    kept = {name: changed.get(name, found[name]) for name in HELD}

    def load(table: str, **asked: Any) -> pd.DataFrame:
        assert table == "trade"
        rows = kept["mirror"]
        if asked["reporter"] == "TUR":
            fine = asked.get("level") == 6
            rows = kept["totals" if not fine else "detail" if asked["flow"] == "M" else "rows"]
            rows = rows[rows["flow"] == asked.get("flow", rows["flow"])]
        partner, there = asked.get("partner", ""), {"", "TUR", *kept["rows"]["partner"].unique()}
        stranger = isinstance(partner, str) and partner not in there
        source = asked.get("source")
        if rows.empty or stranger or (source and source != rows["source"].iloc[0]):
            raise UnknownCode("no rows of others", "a refresh", "refresh")
        return rows[rows["period"].isin(span(asked["months"]))] if "months" in asked else rows

    shutil.copytree(SNAPSHOT / "press", folder / "raw" / "press", dirs_exist_ok=True)
    patch.setenv("TRADEFLOWS_DATA", str(folder))  # pages run anew
    _quick(patch)
    for module in (runner, sys.modules["tradeflows.series"]):
        patch.setattr(module, "load", load)


def judged_by_tuik(folder: Path, found: Judged, first: str) -> Judged:
    """Let the panel's pages judge a world from the tariff lines of TÜİK's database."""
    with pytest.MonkeyPatch.context() as patch:
        held(patch, folder, found, **of_tuik(found.world, first))
        patch.setattr(stored, "is_generated", lambda *_: True)
        return _judged(found.world)


def of_tuik(world: trade.World, first: str) -> dict[str, pd.DataFrame]:
    """Return the rows of a world as read from files of TÜİK's database."""
    lines, months = office.of_world(world), months_of(first, _last(world))
    every = pd.concat(
        lines(month, flow).assign(YIL=month[:4], AY=month[4:], IHRITH=office.FLOWS[flow])
        for flow in "XM" for month in months
    )  # fmt: skip
    every = every.rename(columns={"ISTPOZ": "KOD"}).assign(KIRILIM="", EURO=0.0, TL=0.0)
    russia = every["ULKE_KODU"] == "75"
    machines = every["KOD"].str[:2].isin(CHAPTERS) & (every["IHRITH"] == office.FLOWS["X"])
    own, others = _read(every[russia], []), _read(every[machines & ~russia], CHAPTERS)
    six = pd.concat([table[table["level"] == 6] for table in (own, others)])
    return {
        "rows": six[six["flow"] == "X"],
        "detail": six[six["flow"] == "M"],
        "totals": own[own["level"] < 4],
    }


def _read(lines: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """Write lines into a file of TÜİK's database, with its proof, and read it."""
    month, flow = lines["YIL"] + "-" + lines["AY"], lines["IHRITH"].map(files.flow_of)
    sums = lines[["DOLAR", "MIKTAR_1"]].groupby([month, flow]).sum()
    totals: dict[str, dict[str, list[float]]] = {}
    for (at, way), amounts in zip(sums.index, sums.to_numpy().tolist(), strict=True):
        totals.setdefault(at, {})[way] = amounts
    head = {"system": "general", "digits": 12, "codes": [*codes], "by": "", "counted": len(lines),
            "months": sorted(totals), "totals": totals}  # fmt: skip
    data = files.written(head, lines[[*files.COLUMNS]].to_numpy().tolist())
    return files.parse(data, {"origin": "generated", "vintage": "2026-01-01"})


def months_of(start: str = FIRST, end: str = LAST) -> list[str]:
    """Return months as UN Comtrade writes them."""
    return [p.strftime("%Y%m") for p in pd.period_range(start, end, freq="M")]


def _last(world: trade.World) -> str:
    return f"{world.last[:4]}-{world.last[4:]}"


def _fitted(data: Cut, model: str, *told: Any) -> Any:
    """Fit once what worlds share: until the event their months are the same."""
    key = (model, data.season, data.logs.tobytes(), data.exog[: data.before].tobytes())
    if key not in _FITS:
        _FITS[key] = _FIT(data, model, *told)
    return _FITS[key]


_FIT = expectation._fit
_FITS: dict[tuple[object, ...], Any] = {}


def made(
    world: trade.World,
    first: str = FIRST,
    chapters: Sequence[str] = CHAPTERS,
    mirrors: Collection[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return what a refresh brings of a world, the last three as in `refreshed`.

    Exports to Russia and those of machinery to all, imports from Russia, totals, and what others
    report, in the world where it matters.
    """
    months = months_of(first, _last(world))
    elsewhere = _mirrors(world, mirrors) if world.scenario == "rerouting" else []
    return {
        "rows": rows_of(world, "X", months, tuple(chapters)),
        "detail": rows_of(world, "M", months),
        "totals": pd.concat([_totals(world, f, m) for f in "XM" for m in months]),
        "mirror": pd.concat([rows_of(world, "X", months[:1])[:0], *elsewhere]),
    }


def rows_of(
    world: trade.World, flow: str, months: list[str], chapters: tuple[str, ...] = CHAPTERS
) -> pd.DataFrame:
    """Return rows as the loaders would: weights missing, estimated or reported."""
    made = [_rows_of(trade.alike(world, flow, month), flow, month, chapters) for month in months]
    return pd.concat(made, ignore_index=True)


@lru_cache(maxsize=200)
def _rows_of(world: trade.World, flow: str, month: str, chapters: tuple[str, ...]) -> pd.DataFrame:
    rows = trade.month(world, trade.TURKEY, flow, month)
    machines = rows["code"].str[:2].isin(chapters) if flow == "X" else False
    rows = rows[(rows["partner"] == trade.RUSSIA) | machines]
    return _rows(world, rows.assign(level=6, month=month), trade.TURKEY, flow)


def _totals(world: trade.World, flow: str, month: str) -> pd.DataFrame:
    return _totals_of(trade.alike(world, flow, month), flow, month)


@lru_cache(maxsize=200)
def _totals_of(world: trade.World, flow: str, month: str) -> pd.DataFrame:
    rows = published(world, trade.TURKEY, flow, month, str(trade.RUSSIA))
    return _rows(world, rows[rows["level"] < 4].assign(month=month), trade.TURKEY, flow)


def _mirrors(world: trade.World, of: Collection[str] | None) -> Iterator[pd.DataFrame]:
    """Return what Russia's neighbours bought from Turkey and suppliers sold to it, listed goods."""
    goods = {code for each in trade.listed() for code in each}
    ways = [(r, "M") for r in trade.TRANSIT] + [(r, "X") for r in trade.SUPPLIERS]
    ways = [way for way in ways if of is None or from_comtrade(way[0]) in of]
    for reporter, flow in ways:
        months = [trade.month(world, reporter, flow, m).assign(month=m)
                  for m in months_of(*MIRRORED)]  # fmt: skip
        rows = pd.concat(months, ignore_index=True)
        yield _rows(world, rows[rows["code"].isin(goods)].assign(level=6), reporter, flow)


def _rows(world: trade.World, rows: pd.DataFrame, reporter: int, flow: str) -> pd.DataFrame:
    names = {number: from_comtrade(number) for number in rows["partner"].unique()}
    systems = {m: SYSTEMS[world.revision(reporter, m)] for m in rows["month"].unique()}
    return pd.DataFrame(
        {
            "origin": "generated",
            "source": "UN Comtrade",
            "trade_system": "general" if reporter == trade.TURKEY else "special",
            "reporter": from_comtrade(reporter),
            "partner": rows["partner"].map(names),
            "flow": flow,
            "freq": "M",
            "period": pd.to_datetime(rows["month"], format="%Y%m"),
            "code_system": rows["month"].map(systems),
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
