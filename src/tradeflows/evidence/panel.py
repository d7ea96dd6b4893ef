"""The panel: monthly HS6 trade that a refresh brought, on codes that can be compared over time.

Where nothing was refreshed the panel says so in its ``reason``. It is never empty in silence, and a
month that is not published is missing, not zero.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import store
from tradeflows.codes.groups import high_priority, is_essential
from tradeflows.errors import DoubleCountedTotals, UnknownCode
from tradeflows.load import load, refuse_generated
from tradeflows.periods import month, span
from tradeflows.quality.concordance import concord
from tradeflows.sources import live
from tradeflows.sources.comtrade.reply import PUBLISHER
from tradeflows.sources.comtrade.standard import SUPPLIERS, TRANSIT

__all__ = [
    "ABSENT",
    "MARK",
    "Panel",
    "Section",
    "event_after",
    "generated",
    "goods",
    "non_essential_codes",
    "panel",
]

ABSENT = "the panel is missing; `tradeflows refresh` brings it"
MARK = "GENERATED TRADE: made up to test this software. No country reported these numbers."
_SOURCE = "un-comtrade/live/"
_SYSTEMS = "HS2012,HS2017,HS2022"
_TRADE_SYSTEMS = ("general", "special", "unknown")  # of equal ones the first
_PARTS = ("exports", "imports", "totals", "mirror")
_STYLE = "border:.4em solid #b00020;color:#b00020;padding:.6em;font-size:1.3em;font-weight:bold"


@dataclass(frozen=True, eq=False)
class Panel:
    """Monthly trade of Turkey as refreshed from UN Comtrade, each flow on one trade system.

    The system is the one in which the newest month stands. Months that are stored as another only
    are left out: ``attrs["trade_system"]`` of exports and imports says how many.

    Parameters
    ----------
    exports : pandas.DataFrame
        HS6 exports: every good to Russia, chapters 84, 85, 88 and 90 to every destination.
    imports : pandas.DataFrame
        HS6 imports from Russia.
    totals : pandas.DataFrame
        Totals and chapters of both flows with Russia.
    mirror : pandas.DataFrame
        Listed goods as Turkey's suppliers and Russia's neighbours report them.
    generated : bool
        Whether the numbers are made up.
    reason : str
        Why there is no panel, else empty.
    """

    exports: pd.DataFrame = field(repr=False)
    imports: pd.DataFrame = field(repr=False)
    totals: pd.DataFrame = field(repr=False)
    mirror: pd.DataFrame = field(repr=False)
    generated: bool = False
    reason: str = ""

    def months(self, flow: str = "X") -> pd.DatetimeIndex:
        """Return the months that are published."""
        frame = self.exports if flow == "X" else self.imports
        return pd.DatetimeIndex(sorted(frame["period"].unique()))

    def unpublished(self, window: str, flow: str = "X") -> list[str]:
        """List the months of a window that are not published."""
        return [f"{m:%Y-%m}" for m in span(window).difference(self.months(flow))]

    def to_russia(self, codes: Collection[str] | None = None) -> pd.DataFrame:
        """Return exports to Russia, of some codes or of all."""
        rows = self.exports[self.exports["partner"] == "RUS"]
        return rows if codes is None else rows[rows["code"].isin(list(codes))]

    def series(self, rows: pd.DataFrame, name: str) -> pd.Series:
        """Return the monthly value of some exports; a published month without rows is zero."""
        sums = rows.groupby("period")["value_usd"].sum()
        series = sums.reindex(self.months(), fill_value=0.0).rename(name)
        series.attrs |= self.exports.attrs
        return series

    def origins(self, frame: pd.DataFrame | None = None) -> tuple[str, ...]:
        """Return the raw files under some rows, by default under all exports."""
        return tuple(sorted((self.exports if frame is None else frame)["origin"].unique()))

    def mark(self) -> Section:
        """Return the mark of generated trade, or nothing for real trade."""
        return Section((), self.generated)


@dataclass(frozen=True, eq=False)
class Section:
    """Parts that a notebook shows one below the other, marked where the trade is made up.

    Examples
    --------
    >>> from tradeflows.words import Sentence
    >>> Section((Sentence("Exports rose."),), generated=False)._repr_html_()
    '<p>Exports rose.</p>'
    >>> "GENERATED" in Section((), generated=True)._repr_html_()
    True
    """

    parts: tuple[Any, ...]
    generated: bool = False

    def _repr_html_(self) -> str:
        mark = f'<p role="alert" style="{_STYLE}">{escape(MARK)}</p>' if self.generated else ""
        return mark + "".join(
            p._repr_html_() if hasattr(p, "_repr_html_") else f"<p>{escape(str(p))}</p>"
            for p in self.parts
        )


def generated() -> bool:
    """Tell whether refreshed data are made up: pages built on them never land in ``reports/``.

    Examples
    --------
    >>> generated()
    False
    """
    return live.is_generated()


def panel() -> Panel:
    """Return the panel of the data folder, as of ``AS_OF`` if that is set.

    Returns
    -------
    Panel
        With a ``reason`` and no rows where nothing was refreshed.

    Raises
    ------
    SourceUnavailable
        Generated trade in a data folder that ``TRADEFLOWS_DATA`` does not name.

    Examples
    --------
    >>> panel().reason in ("", ABSENT) or panel().reason.startswith("the panel")
    True
    """
    files = [r for r in live.files("trade") if r.id.startswith(_SOURCE)]
    refuse_generated(files)
    ids = tuple(r.id + r.sha256 for r in files)
    return _panel(store.folder(), os.environ.get("AS_OF", ""), ids)


def goods(version: str = "2023-09") -> tuple[str, ...]:
    """Return the listed goods that can be compared across HS revisions, as the panel names them.

    Parameters
    ----------
    version : str
        As in `tradeflows.codes.groups.high_priority`.

    Examples
    --------
    >>> len(goods("2023-05")), "854890" in goods("2023-05"), "901380" in goods()
    (9, True, False)
    """
    listed = high_priority(version)
    same = listed[listed["comparability"] != "break"]
    return tuple(sorted(set(same["group"])))


def broken() -> tuple[str, ...]:
    """Return the listed goods that cannot be compared: neither listed nor control.

    Examples
    --------
    >>> broken()
    ('854140', '901380')
    """
    listed = high_priority()
    gone = listed[listed["comparability"] == "break"]
    return tuple(sorted(set(gone["group"])))


def non_essential_codes(codes: Iterable[str]) -> list[str]:
    """Keep the codes that are neither food, fuel, medicine nor medical.

    Examples
    --------
    >>> non_essential_codes(["080510", "854231", "300490"])
    ['854231']
    """
    return [c for c in codes if not is_essential(c)]


def event_after(fit_until: str) -> str:
    """Return the first month that is not fitted.

    Examples
    --------
    >>> event_after("2022-01")
    '2022-02'
    """
    return f"{month(fit_until) + pd.DateOffset(months=1):%Y-%m}"


@lru_cache(maxsize=2)
def _panel(folder: Path, as_of: str, ids: tuple[str, ...]) -> Panel:
    if not ids:
        return _absent(ABSENT)
    key = hashlib.sha256("\n".join([_code(), as_of, *ids]).encode()).hexdigest()[:16]
    built = folder.parent / "processed" / "panel" / key if folder.name == "raw" else None
    try:
        frames = _kept(built) or _frames()
    except UnknownCode as error:
        return _absent(f"the panel cannot be built: {error.found}")
    if not frames:
        return _absent("the panel holds no exports of Turkey; `tradeflows refresh` brings them")
    if built is not None:
        _keep(built, frames)
    return Panel(
        frames["exports"], frames["imports"], frames["totals"], frames["mirror"],
        generated=live.is_generated(),
    )  # fmt: skip


@lru_cache
def _code() -> str:
    """Return the hash of the package: other code may make other frames of the same files."""
    package = Path(__file__).parents[1]
    whole = hashlib.sha256()
    for file in sorted(package.rglob("*.*")):
        if file.suffix in (".py", ".yml", ".csv", ".gz"):
            whole.update(file.read_bytes())
    return whole.hexdigest()


def _absent(reason: str) -> Panel:
    columns = ["origin", "reporter", "partner", "flow", "period", "code", "value_usd"]
    empty = pd.DataFrame({c: pd.Series(dtype="str") for c in columns})
    empty = empty.astype({"value_usd": "float64", "period": "datetime64[us]"})
    return Panel(empty, empty, empty, empty, reason=reason)


def _kept(built: Path | None) -> dict[str, pd.DataFrame]:
    """Return the frames built before from the same files, or nothing."""
    if built is None or not all((built / f"{part}.parquet").is_file() for part in _PARTS):
        return {}
    return {part: pd.read_parquet(built / f"{part}.parquet") for part in _PARTS}


def _keep(built: Path, frames: dict[str, pd.DataFrame]) -> None:
    built.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        place = built / f"{name}.parquet"
        if not place.is_file():
            part = place.with_name(f"{place.name}.{os.getpid()}.part")
            frame.to_parquet(part)
            part.replace(place)


def _frames() -> dict[str, pd.DataFrame]:
    every = _rows(reporter="TUR")
    if every.empty:
        return {}
    turkey = _on_one_system(every)
    fine, flow = turkey["level"] == 6, turkey["flow"]
    whole = turkey[turkey["level"].isin([0, 2]) & (turkey["partner"] == "RUS")]
    mirror = _rows(reporter=",".join([*TRANSIT, *SUPPLIERS]), partner="TUR")
    frames = {
        "exports": _comparable(turkey[fine & (flow == "X")]),
        "imports": _comparable(turkey[fine & (flow == "M") & (turkey["partner"] == "RUS")]),
        "totals": whole.reset_index(drop=True),
        "mirror": _comparable(_on_one_system(mirror)),
    }
    for name, of in (("exports", "X"), ("imports", "M")):
        told = _trade_system(every[every["flow"] == of], turkey[flow == of])
        frames[name].attrs["trade_system"] = told
    return frames


def _rows(**columns: str) -> pd.DataFrame:
    """Return live rows of UN Comtrade, of every trade system."""
    asked = {"source": PUBLISHER, "freq": "M", "code_system": _SYSTEMS, **columns}
    try:
        found = load("trade", **asked)
    except UnknownCode:
        return _absent("").exports
    except DoubleCountedTotals:
        found = pd.concat([_one(asked, system) for system in _TRADE_SYSTEMS], ignore_index=True)
    return found[found["origin"].str.startswith(_SOURCE)].reset_index(drop=True)


def _one(asked: dict[str, str], system: str) -> pd.DataFrame:
    try:
        return load("trade", **{**asked, "trade_system": system})
    except UnknownCode:
        return pd.DataFrame()


def _on_one_system(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the system in which a reporter's newest month of a flow stands: two are never mixed."""
    if rows.empty:
        return rows
    keys = ["reporter", "flow", "trade_system"]
    months = rows.groupby(keys)["period"].agg(["max", "nunique"]).reset_index()
    months["rank"] = months["trade_system"].map(_TRADE_SYSTEMS.index)
    order = {"max": False, "nunique": False, "rank": True}
    months = months.sort_values(list(order), ascending=list(order.values()))
    chosen = months.drop_duplicates(["reporter", "flow"])
    kept = pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(chosen[keys]))
    return rows[kept].reset_index(drop=True)


def _trade_system(every: pd.DataFrame, kept: pd.DataFrame) -> str:
    """Name the trade system of a flow, and the months that are stored as another only."""
    here = ", ".join(sorted(kept["trade_system"].unique()))
    other = every[~every["period"].isin(kept["period"])].groupby("trade_system")["period"]
    left = [f"; {n} more months are of {name} trade" for name, n in other.nunique().items()]
    return f"{here} trade{''.join(left)}"


def _comparable(rows: pd.DataFrame) -> pd.DataFrame:
    """Bring codes to families that hold the same goods in every revision of the panel."""
    if rows.empty:
        return rows
    return concord(rows, to="HS2012-HS2022").frame
