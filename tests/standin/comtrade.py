"""What UN Comtrade answers: rows, counts, availability, metadata, lists, caps and refusals."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from . import trade

FREE, KEYED = 500, 100_000
NOTE = "GENERATED DATA: no country reported these numbers"


@dataclass
class Comtrade:
    """The publisher: a world, how often each month was revised, and the caps."""

    world: trade.World
    caps: tuple[int, int] = (FREE, KEYED)
    revised: dict[tuple[int, str], int] = field(default_factory=dict)

    def checksum(self, reporter: int, period: str) -> int:
        """Return a number that changes when a month is revised."""
        text = f"{self.world}-{reporter}-{period}-{self.revised.get((reporter, period), 0)}"
        return zlib.crc32(text.encode()) - 2**31

    def availability(self, asked: dict[str, str]) -> dict[str, object]:
        """Answer getDA."""
        data = []
        for reporter in _numbers(asked.get("reportercode")) or list(self.world.reporters):
            for period in self._published(reporter, asked):
                again = self.revised.get((reporter, period), 0)
                month = pd.Period(f"{period[:4]}-{period[4:] or '12'}", freq="M") + 7
                data.append(
                    {
                        "datasetCode": int(f"20{reporter:03d}{period}2100"),
                        "typeCode": "C",
                        "freqCode": asked.get("freq", "M"),
                        "period": int(period),
                        "reporterCode": reporter,
                        "reporterISO": str(reporter),
                        "reporterDesc": str(reporter),
                        "classificationCode": self.world.revision(reporter, period),
                        "classificationSearchCode": "HS",
                        "isOriginalClassification": True,
                        "isExtendedPartner2Code": True,
                        "totalRecords": 1000,
                        "datasetChecksum": self.checksum(reporter, period),
                        "firstReleased": f"{month}-11T09:00:00",
                        "lastReleased": f"{month + again}-11T09:00:00",
                    }
                )
        return _envelope(data)

    def _published(self, reporter: int, asked: dict[str, str]) -> list[str]:
        """Return the months, or whole years, that a reporter published in a nomenclature."""
        if reporter not in self.world.reporters:
            return []
        known = self.world.months
        if asked.get("freq") == "A":
            known = [p[:4] for p in known if p.endswith("12")]
        wanted, system = asked.get("period"), asked.get("system", "HS")
        return [
            p for p in known
            if (not wanted or p in wanted.split(","))
            and system in ("HS", self.world.revision(reporter, p.ljust(5, "1").ljust(6, "2")))
        ]  # fmt: skip

    def metadata(self, asked: dict[str, str]) -> dict[str, object]:
        """Answer getMetadata."""
        data = []
        for reporter in _numbers(asked.get("reportercode")):
            for period in self._published(reporter, asked):
                system = "General" if reporter == trade.TURKEY else "Special"
                note = {
                    "reporterCode": reporter,
                    "period": int(period),
                    "tradeSystem": system,
                    "importValuation": "CIF",
                    "exportValuation": "FOB",
                    "publicationNote": NOTE,
                    "publicationDate": "2026-01-01T00:00:00",
                    "isLatestPublication": True,
                }
                data.append({"reporterCode": reporter, "period": int(period), "notes": [note]})
        return _envelope(data)

    def answer(self, asked: dict[str, str], keyed: bool) -> tuple[int, dict[str, object] | bytes]:
        """Answer get or preview: a reply at the cap is cut, as the publisher does."""
        wrong = _wrong(asked, keyed)
        if wrong:
            return 400, wrong
        if asked.get("countonly", "false").lower() == "true":  # one object, not a list
            return 200, _envelope([], self.count(asked)) | {"data": nothing()}
        cap = self.caps[keyed]
        lines: list[str] = []
        for frame in self._frames(asked):
            lines += _lines(frame.head(cap - len(lines)))
            if len(lines) >= cap:
                break
        head = f'{{"elapsedTime":"0.1 secs","count":{len(lines)},"generated":true,"data":['
        return 200, (head + ",".join(lines) + '],"error":""}').encode()

    def count(self, asked: dict[str, str]) -> int:
        """Return how many rows there are, cap or not."""
        return sum(len(frame) for frame in self._frames(asked))

    def _frames(self, asked: dict[str, str]) -> list[pd.DataFrame]:
        partners = asked.get("partnercode")
        codes = tuple(asked.get("cmdcode", "TOTAL").split(","))
        doubled = not {"partner2code", "customscode", "motcode"} <= set(asked)
        frames = []
        for period in sorted(asked["period"].split(",")):
            for reporter in _numbers(asked.get("reportercode")) or list(self.world.reporters):
                if period not in self._published(reporter, asked):
                    continue
                for flow in asked["flowcode"].split(","):
                    rows = _chosen(published(self.world, reporter, flow, period, partners), codes)
                    rows = _bumped(rows, self.revised.get((reporter, period), 0))
                    if not any(c.startswith("AG") for c in codes):  # listed codes come one by one
                        rows = rows.sort_values(["code", "partner"], kind="stable")
                    frames.append(_described(rows, self.world, reporter, flow, period, doubled))
        return frames


def _bumped(rows: pd.DataFrame, times: int) -> pd.DataFrame:
    """Return revised rows: every revision adds one per mille to the values."""
    return rows.assign(value=(rows["value"] * 1.001**times).round(3)) if times else rows


@lru_cache(maxsize=500)
def published(
    world: trade.World, reporter: int, flow: str, period: str, partners: str | None
) -> pd.DataFrame:
    """Return rows of every level: HS6, headings, chapters, total, and the world as a partner."""
    fine = _fine(world, reporter, flow, period).assign(level=6)
    bases = []
    if partners is None or 0 in _numbers(partners):
        bases.append(_sums(fine.assign(partner=0), fine["code"]).assign(level=6))
    bases.append(fine if partners is None else fine[fine["partner"].isin(_numbers(partners))])
    levels = []
    for base in (b for b in bases if not b.empty):
        home = base["code"].where(base["code"] != trade.HIDDEN, "27")  # the chapter knows
        levels.append(base)
        levels.append(_sums(base, base["code"].str[:4]).assign(level=4))
        levels.append(_sums(base, home.str[:2]).assign(level=2, kg=0.0, flag="missing"))
        levels.append(_sums(base, "TOTAL").assign(level=0, kg=0.0, flag="missing"))
    if not levels:
        return fine.head(0)
    every = pd.concat(levels, ignore_index=True)
    return every.sort_values(["partner", "level", "code"], kind="stable", ignore_index=True)


def _fine(world: trade.World, reporter: int, flow: str, period: str) -> pd.DataFrame:
    """Return the HS6 rows of a month, or of a year: the sums of its months."""
    if len(period) == 6:
        return trade.month(world, reporter, flow, period)
    system = world.revision(reporter, f"{period}12")
    months = [f"{period}{n:02d}" for n in range(1, 13)]
    whole = pd.concat(trade.month(world, reporter, flow, m, system) for m in months)
    return _sums(whole, whole["code"]) if len(whole) else whole


def _sums(rows: pd.DataFrame, code: object) -> pd.DataFrame:
    rows = rows.assign(code=code)
    ranked = rows["flag"].map({"reported": 0, "estimated": 1, "missing": 2})
    summed = rows.assign(rank=ranked).groupby(["partner", "code"], as_index=False).agg(
        value=("value", "sum"), kg=("kg", "sum"), rank=("rank", "max"),
        unit=("unit", "first"), qty=("qty", "sum"),
    )  # fmt: skip
    summed["flag"] = np.where(summed["rank"] == 2, "missing", "reported")
    return summed.drop(columns="rank")


def _chosen(rows: pd.DataFrame, codes: tuple[str, ...]) -> pd.DataFrame:
    keep = pd.Series(False, index=rows.index)
    plain = [c for c in codes if not c.endswith("*") and not c.startswith("AG")]
    keep |= rows["code"].isin(plain)
    for code in codes:
        if code.startswith("AG"):
            keep |= rows["level"] == int(code[2:])
        elif code.endswith("*"):
            keep |= rows["code"].str.startswith(code[:-1])
    return rows[keep]


def _described(
    rows: pd.DataFrame, world: trade.World, reporter: int, flow: str, period: str, doubled: bool
) -> pd.DataFrame:
    rows = rows.assign(
        period=period, reporter=reporter, flow=flow, partner2=0,
        revision=world.revision(reporter, period.ljust(5, "1").ljust(6, "2")),
    )  # fmt: skip
    return pd.concat([rows, rows.assign(partner2=276)]) if doubled else rows


def _lines(rows: pd.DataFrame) -> list[str]:
    """Return records as JSON text, 47 columns each."""
    columns = ("period", "reporter", "flow", "partner", "partner2", "revision", "code", "level",
               "unit", "qty", "kg", "flag", "value")  # fmt: skip
    return [_line(n, *row) for n, row in enumerate(zip(*(rows[c] for c in columns), strict=True))]


def _line(
    n: int, period: str, reporter: int, flow: str, partner: int, partner2: int, revision: str,
    code: str, level: int, unit: int, qty: float, kg: float, flag: str, value: float,
) -> str:  # fmt: skip
    weight = ("0", "null")[n % 2] if flag == "missing" else repr(kg)
    estimated = "true" if flag == "estimated" or (level == 2 and n % 3) else "false"
    cif, fob = (repr(value), ("0", "null")[n % 2])[:: 1 if flow == "M" else -1]
    name = "null"
    return (
        f'{{"typeCode":"C","freqCode":"{"MA"[len(period) == 4]}",'
        f'"refPeriodId":{(period + "01")[:6]}01,"refYear":{period[:4]},'
        f'"refMonth":{int(period[4:] or 52)},"period":"{period}","reporterCode":{reporter},'
        f'"reporterISO":{name},"reporterDesc":{name},"flowCode":"{flow}","flowDesc":{name},'
        f'"partnerCode":{partner},"partnerISO":{name},"partnerDesc":{name},'
        f'"partner2Code":{partner2},"partner2ISO":{name},"partner2Desc":{name},'
        f'"classificationCode":"{revision}","classificationSearchCode":"HS",'
        f'"isOriginalClassification":true,"cmdCode":"{code}","cmdDesc":{name},"aggrLevel":{level},'
        f'"isLeaf":{"true" if level == 6 else "false"},"customsCode":"C00","customsDesc":{name},'
        f'"mosCode":"0","motCode":0,"motDesc":{name},"qtyUnitCode":{unit},"qtyUnitAbbr":{name},'
        f'"qty":{qty!r},"isQtyEstimated":{estimated},"altQtyUnitCode":-1,"altQtyUnitAbbr":{name},'
        f'"altQty":null,"isAltQtyEstimated":false,"netWgt":{weight},'
        f'"isNetWgtEstimated":{estimated},"grossWgt":0,"isGrossWgtEstimated":false,'
        f'"cifvalue":{cif},"fobvalue":{fob},"primaryValue":{value!r},'
        f'"legacyEstimationFlag":0,"isReported":false,"isAggregate":true}}'
    )


@lru_cache
def nothing() -> dict[str, object]:
    """Return what a count reply carries as `data`, at the publisher too."""
    named = json.loads(_line(0, "202201", 0, "M", 0, 0, "H6", "", 6, -1, 0.0, 0.0, "missing", 0.0))
    whole = ("refPeriodId", "refYear", "refMonth", "reporterCode", "partnerCode", "partner2Code",
             "motCode")  # fmt: skip
    flags = ("isOriginalClassification", "isQtyEstimated", "isAltQtyEstimated",
             "isNetWgtEstimated", "isGrossWgtEstimated")  # fmt: skip
    plain = dict.fromkeys(named) | dict.fromkeys(whole, 0) | dict.fromkeys(flags, False)
    return plain | {"primaryValue": 0.0}


def _wrong(asked: dict[str, str], keyed: bool) -> dict[str, object] | None:
    periods = asked.get("period", "").split(",")
    name = "period" if not all(p.isdigit() for p in periods) else ""
    name = (
        "flowCode"
        if not set(asked.get("flowcode", "?").split(",")) <= {"M", "X", "RM", "RX"}
        else name
    )
    name = "period" if keyed and len(periods) > 12 else name
    if not name and not keyed and len(periods) > 1:
        return _envelope([], -1) | {"error": "Maximum number of periods for preview is 1"}
    if not name:
        return None
    return _envelope([], -1) | {
        "error": "Invalid parameter value",
        "errorObject": [{"MemberNames": [name], "ErrorMessage": f"The field {name} is invalid"}],
    }


def _envelope(data: list[dict[str, object]], count: int | None = None) -> dict[str, object]:
    count = len(data) if count is None else count
    return {"elapsedTime": "0.1 secs", "count": count, "generated": True, "data": data, "error": ""}


def _numbers(text: str | None) -> list[int]:
    return [int(n) for n in text.split(",")] if text else []


def reference(name: str, world: trade.World) -> dict[str, object] | None:
    """Answer the code lists that clients ask for."""
    goods = sorted({c for revision in ("H4", "H5", "H6") for c in world.goods[revision]})
    lists = {
        "HS.json": [
            {
                "id": c,
                "text": c,
                "parent": c[:4],
                "isLeaf": "1",
                "aggrLevel": 6,
                "standardUnitAbbr": "kg",
            }
            for c in goods
        ],
        "Reporters.json": [{"id": r, "text": str(r), "reporterCode": r} for r in world.reporters],
        "partnerAreas.json": [{"id": p, "text": str(p)} for p in (0, *world.partners)],
    }
    if name not in lists:
        return None
    return {"more": False, "classCode": name.removesuffix(".json"), "results": lists[name]}


def dumped(body: object) -> bytes:
    """Return JSON bytes."""
    return json.dumps(body, separators=(",", ":")).encode()
