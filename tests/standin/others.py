"""The other publishers' formats: Eurostat, World Bank, BACI, TÜİK."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

import numpy as np
import openpyxl
import pandas as pd

from . import trade

Answer = tuple[int, dict[str, str], bytes]
HEADINGS = {
    "plain": ("Crude oil, average", "Crude oil, Brent", "Coal, Australian", "Coal, South African",
              "Natural gas, Europe", "Liquefied natural gas, Japan", "Urea"),
    "drifted": ("Crude oil, average ", "CRUDE OIL, BRENT *", "Coal, Australia **",
                "Coal, South African **", "Natural gas, Europe", "Liquefied natural gas, Japan ",
                "Urea "),
}  # fmt: skip
PROMISE = (
    b"<S:Envelope><S:Body><ns0:syncResponse><queued><id>ticket-1234</id><status>SUBMITTED</status>"
    b"</queued></ns0:syncResponse></S:Body></S:Envelope>"
)
UNITS = ("($/bbl)", "($/bbl)", "($/mt)", "($/mt)", "($/mmbtu)", "($/mmbtu)", "($/mt)")


def workbook(style: str = "plain", updated: str = "June 02, 2026", months: int = 60) -> bytes:
    """Return a monthly price workbook whose headings drift between editions."""
    book = openpyxl.Workbook()
    book.active.title = "AFOSHEET"
    page = book.create_sheet("Monthly Prices")
    page.append(["World Bank Commodity Price Data (The Pink Sheet): GENERATED DATA"])
    page.append(["monthly prices in nominal US dollars, 1960 to present"])
    page.append(["(monthly series are available only in nominal US dollars)"])
    page.append([f"Updated on {updated}"])
    page.append([None, *HEADINGS[style]])
    page.append([None, *UNITS])
    rng = np.random.default_rng(3)
    for n, month in enumerate(pd.period_range("2020-01", periods=months, freq="M")):
        row = [round(float(v), 2) for v in rng.uniform(40, 120, len(UNITS))]
        page.append([f"{month.year}M{month.month:02d}", *row[:-1], "…" if n < 3 else row[-1]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass
class WorldBank:
    """A page that links to a workbook whose address changes."""

    data: bytes = field(default_factory=workbook)
    address: str = "https://thedocs.worldbank.org/en/doc/{hash}/related/{name}"
    hash: str = "74e8be41ceb20fa0da750cda2f6b9e4e-0050012026"

    def __call__(self, path: str, _asked: dict[str, str]) -> Answer | None:
        """Answer the page and the workbook."""
        name = "CMO-Historical-Data-Monthly.xlsx"
        if path == "/en/research/commodity-markets":
            target = self.address.format(hash=self.hash, name=name)
            page = f'<html><body><a href="/x.pdf">Note</a> <a href="{target}">Monthly</a></body>'
            return 200, {"Content-Type": "text/html"}, page.encode()
        if path == f"/en/doc/{self.hash}/related/{name}":
            return 200, {"Content-Type": "application/vnd.ms-excel"}, self.data
        return None


@dataclass
class Eurostat:
    """SDMX-CSV; of more cells than ``at_once`` a promise, of more than ``most`` a refusal."""

    world: trade.World
    at_once: int = 500_000
    most: int = 500_000

    def __call__(self, path: str, asked: dict[str, str]) -> Answer | None:
        """Answer data."""
        parts = unquote(path).strip("/").split("/")
        if "data" not in parts:
            return None
        dataset, key = parts[parts.index("data") + 1 :][:2]
        start, end = asked.get("startperiod", "2017-01"), asked.get("endperiod", "2025-12")
        months = pd.period_range(start, min(end, "2025-12"), freq="M")
        cells = len(months) * int(np.prod([k.count("+") + 1 for k in key.split(".")]))
        if cells > self.most:
            text = "413\nEXTRACTION_TOO_BIG: The requested extraction is too big, estimated"
            text += f" {cells} rows, max authorised is {self.most},"
            return 413, {"Content-Type": "text/plain"}, text.encode()
        if cells > self.at_once:
            return 200, {"Content-Type": "application/xml"}, PROMISE
        table = self._comext(key, months) if dataset.startswith("DS-") else energy(dataset, months)
        return 200, {"Content-Type": "text/csv"}, table.to_csv(index=False).encode()

    def _comext(self, key: str, months: pd.PeriodIndex) -> pd.DataFrame:
        _, reporter, partners, codes, flow, indicators = key.split(".")
        rng = np.random.default_rng(5)
        rows = [
            (month, partner, code, indicator, round(float(rng.lognormal(10, 1)), 2))
            for month in months
            for partner in partners.split("+")
            for code in codes.split("+")[:20]
            for indicator in indicators.split("+")
        ]
        frame = pd.DataFrame(
            rows, columns=["TIME_PERIOD", "partner", "product", "indicators", "OBS_VALUE"]
        ).assign(reporter=reporter, flow=flow, freq="M", DATAFLOW="ESTAT:DS-045409(1.0)")
        frame["LAST UPDATE"] = "15/09/26"
        order = ["DATAFLOW", "LAST UPDATE", "freq", "reporter", "partner", "product", "flow",
                 "indicators", "TIME_PERIOD", "OBS_VALUE"]  # fmt: skip
        return frame[order]


def energy(dataset: str, months: pd.PeriodIndex) -> pd.DataFrame:
    """Return Turkey's energy imports."""
    lines = {"nrg_ti_gasm": [("G3000", "MIO_M3"), ("G3200", "MIO_M3"), ("G3000", "TJ_GCV")],
             "nrg_ti_oilm": [("O4100_TOT", "THS_T"), ("O4600", "THS_T")],
             "nrg_ti_sffm": [("C0100", "THS_T")]}[dataset]  # fmt: skip
    rows = [
        (f"ESTAT:{dataset}(1.0)", "15/09/26 11:00:00", "M", siec, partner, unit, "TR", month,
         ":" if n == 0 else 100 + n)
        for siec, unit in lines for partner in ("RU", "TOTAL") for n, month in enumerate(months)
    ]  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["DATAFLOW", "LAST UPDATE", "freq", "siec", "partner", "unit", "geo",
                 "TIME_PERIOD", "OBS_VALUE"],
    )  # fmt: skip


def baci(rows: int = 1000, years: tuple[int, ...] = (2021, 2022), version: str = "202601") -> bytes:
    """Return a zip of BACI."""
    rng = np.random.default_rng(9)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Readme.txt", "GENERATED DATA")
        for year in years:
            pairs = [(792, 643), (643, 792), (792, 398), (842, 792), (251, 490)]
            lines = ["t,i,j,k,v,q"]
            for n in range(rows):
                i, j = pairs[n % len(pairs)]
                q = "NA" if n % 50 == 0 else f"{rng.lognormal(2, 1):.3f}"
                lines.append(
                    f"{year},{i},{j},{10110 + n // len(pairs)},{rng.lognormal(4, 1):.3f},{q}"
                )
            archive.writestr(f"BACI_HS17_Y{year}_V{version}.csv", "\n".join(lines) + "\n")
        archive.writestr(f"country_codes_V{version}.csv", "country_code,country_name\n792,Turkey\n")
    return out.getvalue()


def zipped(data: bytes) -> Callable[[str, dict[str, str]], Answer | None]:
    """Return an answer that is always the same file."""
    return lambda _path, _asked: (200, {"Content-Type": "application/zip"}, data)


def tuik(
    language: str = "tr", encoding: str = "utf-8", comma: bool = True, rows: int = 40
) -> tuple[bytes, pd.DataFrame]:
    """Return a file as TÜİK's web pages give it, and what it says."""
    rng = np.random.default_rng(11)
    goods = ["270900", "271012", "852580", "010121", "999900"]
    frame = pd.DataFrame(
        {
            "year": 2025,
            "month": np.arange(rows) % 12 + 1,
            "flow": np.where(np.arange(rows) % 2, "X", "M"),
            "code": [f"{goods[n % 5]}{n // 24:02d}" for n in range(rows)],
            "value": rng.lognormal(12, 1, rows).round(2),
            "kg": rng.lognormal(10, 1, rows).round(2),
        }
    )
    frame.loc[len(frame)] = [2025, 1, "M", "27999999", 1894617765.0, 0.0]
    heads = {
        "tr": ("Yıl", "Ay", "Akım", "Ülke Adı", "GTİP", "Değer (USD)", "Net Ağırlık (KG)"),
        "en": ("Year", "Month", "Flow", "Country name", "HS8", "Value (USD)", "Net weight (kg)"),
    }[language]
    words = {"tr": ("İhracat", "İthalat", "Rusya Federasyonu"),
             "en": ("Export", "Import", "Russian Federation")}[language]  # fmt: skip

    def number(value: float) -> str:
        text = f"{value:,.2f}"
        return text.translate(str.maketrans(",.", ".,")) if comma else f"{value:.2f}"

    lines = [";".join(heads)]
    for r in frame.itertuples():
        flow = words[0] if r.flow == "X" else words[1]
        lines.append(";".join([str(r.year), str(r.month), flow, words[2], str(r.code),
                               number(float(r.value)), number(float(r.kg))]))  # fmt: skip
    return ("\n".join(lines) + "\n").encode(encoding), frame
