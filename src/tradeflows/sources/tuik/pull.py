"""Bring months of TÜİK's database: what is missing, what may have changed, each with its proof.

One question is a partner (or all), its goods, a level and a trade system. Its totals by month come
first, without codes: they say what is published, what changed, and what the codes must sum to.
Every month is a file of its own, stored whole or not at all, so a run may be stopped anywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from importlib import resources
from typing import TYPE_CHECKING

import pandas as pd

from tradeflows import store
from tradeflows.codes.countries import SPECIAL, countries, plain
from tradeflows.codes.groups import asked as asked_codes
from tradeflows.errors import SchemaMismatch, SourceUnavailable, UnknownCode
from tradeflows.periods import Window, span
from tradeflows.sources.tuik import files
from tradeflows.sources.tuik.engine import (
    BREAKDOWNS,
    LEVELS,
    MEASURES,
    Engine,
    NoSuchApp,
    Plain,
    sum_of,
)
from tradeflows.sources.work import Manners, Plan, Work

if TYPE_CHECKING:
    from tradeflows.sources.comtrade.question import Part

ALL = "ALL"
FOLDER = "tuik/live"
LAST = 2  # published months that are fetched again: they are revised in the weeks after
APPS = {
    "general": "bd4b4757-a3c9-45ba-b4fb-5c8d7e2d2c42",
    "special": "8db826a9-59f2-4a33-a91e-88ca417dddf9",
}
SECONDS = 20  # of the engine for a month of Turkey and Russia at twelve digits, as clients report
_NEEDED = {"YIL", "AY", "ULKE_KODU", "ULKE_ADI", "OLCU_ADI", *MEASURES}
Told = Callable[[int, int], None]
Totals = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Question:
    """What is asked: a partner or ``ALL``, flows, beginnings of codes (all goods without), digits.

    ``by`` divides it by ``currency`` of the invoice, ``customs`` office or ``transport``.
    """

    partner: str
    flows: tuple[str, ...] = ("M", "X")
    codes: tuple[str, ...] = ()
    digits: int = 12
    by: str = ""
    system: str = "general"

    def __post_init__(self) -> None:
        """Refuse what the database cannot answer."""
        known = self.by in ("", *(BREAKDOWNS if self.system == "general" else ()))
        fits = self.digits in LEVELS and all(len(c) <= self.digits for c in self.codes)
        if not (fits and known and self.system in APPS):
            raise UnknownCode(
                f"{self.system} trade by {self.by or 'nothing'}, {self.digits} digits, codes"
                f" {', '.join(self.codes) or 'of all goods'}",
                f"{' or '.join(APPS)} trade; general trade by {', '.join(BREAKDOWNS)}, or nothing;"
                " 2, 4, 6, 8 or 12 digits, and no code longer than that",
                "correct what differs",
            )

    @property
    def name(self) -> str:
        """A name for files: the same question, the same name."""
        known = [self.system, self.partner.lower().replace(" ", "-").replace(":", "")]
        known += [str(self.digits), *([self.by] if self.by else [])]
        known += ["".join(self.flows).lower()] if set(self.flows) != {"M", "X"} else []
        text = ",".join(self.codes)
        known += [hashlib.sha256(text.encode()).hexdigest()[:8]] if text else []
        return "-".join(known)


def answers(part: Part) -> bool:
    """Tell whether a part is of what Turkey's statistics say: its trade with countries by month."""
    own = part.reporters == ("TUR",) and part.freq == "M" and {"M", "X"} >= set(part.flows)
    return own and not set(part.partners) & set(SPECIAL.values())


def questions(work: Work) -> tuple[Question, ...]:
    """Return the questions of a refresh: what the claims need, or the parts that were named."""
    if work.usual:
        return standard(asked_codes())
    found = []
    for part in work.parts:
        if not answers(part):
            raise UnknownCode(
                f"{part.name} of TÜİK", "imports and exports of Turkey, by country and month",
                "ask --source comtrade",
            )  # fmt: skip
        whole = {"TOTAL", "AG2", "AG4", "AG6"} & set(part.codes)
        codes = () if whole else tuple(sorted({c.rpartition("/")[2] for c in part.codes}))
        wishes = {k: v for k, v in work.options.items() if k != "browser"}
        found += [Question(p, part.flows, codes, **wishes) for p in part.partners]
    return tuple(found)


def _visits(work: Work) -> Iterator[tuple[Office, list[Question]]]:
    """Give an office for each trade system that is asked about, with its questions."""
    pace, asked = work.manners or Manners(), questions(work)
    for system in dict.fromkeys(q.system for q in asked):
        office = Office(pace.interval, pause=pace.backoff, system=system,
                        browser=bool(work.options.get("browser")))  # fmt: skip
        yield office, [q for q in asked if q.system == system]


def pull(work: Work) -> None:
    """Store what is due of TÜİK, one visit a trade system."""
    months, done = Window.parse("/".join(work.span)), Counter[str]()
    work.calls["tuik"] = done
    for office, asked in _visits(work):
        try:
            for question in asked:
                work.stored += office.pull(question, months, partial(work.told, "tuik"))
        finally:
            office.close()
            done["questions"] += office.asked


def probe(work: Work) -> tuple[int, str]:
    """Ask which months are published."""
    for office, _ in _visits(replace(work, usual=True)):
        with closing(office):
            months = list(office.published)
    return len(months), f"{len(months)} months are published, from {months[0]} to {months[-1]}"


def plan(work: Work) -> Plan:
    """Say what a pull would ask of TÜİK, after asking for totals alone."""
    months, rows = Window.parse("/".join(work.span)), []
    for office, asked in _visits(work):
        with closing(office):
            for question in asked:
                totals, due, _ = office.due(question, months)
                rows.append((question.name, len(totals), len(due), len(due) * SECONDS / 60))
    table = pd.DataFrame(rows, columns=["question", "published", "data_calls", "minutes"])
    return Plan(
        f"TÜİK: {table['data_calls'].sum()} months are not stored or may have changed, about"
        f" {table['minutes'].sum():.0f} minutes in one session.",
        table,
    )


def standard(listed: Sequence[str]) -> tuple[Question, ...]:
    """Return what the claims about Turkey and Russia need.

    Examples
    --------
    >>> [q.name for q in standard(["854231"])]
    ['general-rus-12', 'general-all-6-x-3571e960', 'general-rus-2-currency']
    """
    chapters = ("84", "85", "88", "90")
    codes = (*chapters, *sorted({c for c in listed if not c.startswith(chapters)}))
    return (
        Question("RUS"),
        Question(ALL, ("X",), codes, 6),
        Question("RUS", digits=2, by="currency"),
    )


def by_hand(question: Question, months: Window) -> str:
    """Return the script for the console of a browser that has TÜİK's page open."""
    if question.partner == ALL or question.by or set(question.flows) != {"M", "X"}:
        raise UnknownCode(
            f"{question.name} by hand", "one partner, both flows, undivided", "ask for less"
        )
    alike = (c for c in countries() if c.code == question.partner)
    names = {question.partner, *(n for c in alike for n in (c.name, *c.others))}
    sets = sum_of("", {}, question.codes)[len("Sum({<") : -len(">} )")].split(">+<")
    asked = {
        "first": files.FIRST, "columns": files.COLUMNS, "app": APPS[question.system],
        "system": question.system, "partner": question.partner, "codes": question.codes,
        "digits": question.digits, "code": LEVELS[question.digits], "sets": sets,
        "names": sorted({plain(n) for n in names}), "start": f"{months.month(0):%Y-%m}",
        "end": f"{months.month(-1):%Y-%m}", "file": f"tuik-{question.name}.csv",
    }  # fmt: skip
    text = resources.files("tradeflows.sources.tuik").joinpath("by_hand.js").read_text("utf-8")
    return text.replace("QUESTION", json.dumps(asked, ensure_ascii=False), 1)


@dataclass
class Office(Engine):
    """One visit to TÜİK's database for one trade system."""

    def __post_init__(self) -> None:
        for app in self._apps():
            try:
                fields = self.open(app)
            except NoSuchApp:
                continue
            # Only general trade knows currencies.
            general = BREAKDOWNS["currency"] in fields
            if fields >= _NEEDED and general == (self.system == "general"):
                return
        self.close()
        raise SourceUnavailable(
            f"TÜİK's application for {self.system} trade has moved or changed, and its page names"
            " none that holds quantities",
            "an application under a known number",
            "look for a newer tradeflows; by hand (--by-hand) it works as before",
        )

    def _apps(self) -> Iterator[str]:
        """Give its known number, then those in the page's bundle: they change every few months."""
        yield APPS[self.system]
        if not self.browser:
            yield from Plain(self.system).apps(self.system)

    @property
    def flow(self) -> str:
        """The field of flows, in no language where there is one."""
        return "IHRITH_FLAG" if "IHRITH_FLAG" in self.fields else "IHRITH"

    @cached_property
    def published(self) -> dict[str, str]:
        """Every month that is published, and the day of its publication where that is known."""
        day = "YAYIN_TARIHI" in self.fields
        measures = [sum_of("DOLAR", {}), *(["Alt(Max(YAYIN_TARIHI),0)"] if day else [])]
        found: dict[str, str] = {}
        for year, month, value, *days in self.cube(["YIL", "AY"], measures):
            if year is not None and month is not None and value:
                known = date(1899, 12, 30) + timedelta(days=float(days[0] or 0) if days else 0)
                sane = date(2000, 1, 1) < known <= datetime.now(UTC).date()
                found[f"{year:.0f}-{month:02.0f}"] = known.isoformat() if sane else ""
        return dict(sorted(found.items()))

    @cached_property
    def flows(self) -> dict[str, str]:
        """How each flow is written here."""
        rows = self.cube([self.flow], [sum_of("DOLAR", {})])
        return {files.flow_of(word): str(word) for word, _ in rows if word is not None}

    @cached_property
    def countries(self) -> dict[str, str]:
        """Number and name of each partner, by the office's own list."""
        rows = self.cube(["ULKE_KODU", "ULKE_ADI"], [sum_of("DOLAR", {})])
        return {str(n): str(name) for n, name, _ in rows if n is not None}

    def partners(self, partner: str) -> dict[str, str]:
        """Return numbers and names of a country, or of an area that is none."""
        found = {n: k for n, k in self.countries.items() if files.place_of(k) == partner}
        if not found:
            few = ", ".join(sorted(self.countries.values())[:10])
            raise UnknownCode(f"no partner {partner!r} at TÜİK", f"such as {few}", "correct it")
        return found

    def filters(self, question: Question) -> dict[str, Sequence[str | int]]:
        """Return a question's filters, months aside."""
        found: dict[str, Sequence[str | int]] = {}
        if question.partner != ALL:
            found["ULKE_KODU"] = list(self.partners(question.partner))
        if set(question.flows) != {"M", "X"}:
            found[self.flow] = [self.flows[f] for f in question.flows]
        return found

    def totals(self, question: Question, months: Window) -> Totals:
        """Return USD and kilograms by month and flow, asked without codes."""
        named = question.partner != ALL
        asked = ["YIL", "AY", self.flow, *(["ULKE_KODU"] if named else [])]
        years = sorted({m.year for m in span(months)})
        filters: dict[str, Sequence[str | int]] = {"YIL": years, **self.filters(question)}
        sums = [sum_of(m, filters, question.codes) for m in ("DOLAR", "MIKTAR_1")]
        wanted = {f"{m:%Y-%m}" for m in span(months)}
        found: Totals = {m: {} for m in self.published if m in wanted}
        if not found:
            raise SourceUnavailable(
                f"TÜİK has published nothing of {months}; its newest month is"
                f" {max(self.published, default='none')}",
                "months that are published", "ask for other months",
            )  # fmt: skip
        for year, month, word, *rest in self.cube(asked, sums):
            flow = files.flow_of(word)
            odd = flow not in question.flows or int(float(year or 0)) not in years
            if odd or (named and rest[0] not in filters["ULKE_KODU"]):
                raise SchemaMismatch(
                    f"TÜİK answers {question.name} with flow {flow}, {year}, partner {rest[0]}",
                    "what was asked for: a filter was ignored", "nothing is stored; try later",
                )  # fmt: skip
            if (key := f"{year:.0f}-{month:02.0f}") in found:
                usd, kg = (float(v or 0) for v in rest[-2:])
                old = found[key].get(flow, [0.0, 0.0])
                found[key][flow] = [old[0] + usd, old[1] + kg]
        return found

    def due(
        self, question: Question, months: Window
    ) -> tuple[Totals, list[str], dict[str, store.Raw]]:
        """Return the totals, the months not stored or perhaps changed since, and what is stored."""
        totals, held = self.totals(question, months), _held(question)
        again = list(self.published)[-LAST:]
        same = {m for m, raw in held.items() if raw.query["totals"][m] == totals.get(m)}
        return totals, [m for m in totals if m not in same or m in again], held

    def pull(
        self, question: Question, months: Window, told: Told = lambda _done, _left: None
    ) -> Iterator[str]:
        """Store what is due of a question, month by month; give each new file."""
        totals, due, held = self.due(question, months)
        told(0, len(due))
        for n, month in enumerate(due, 1):
            data, rows = self.month(question, month, totals[month])
            digest = hashlib.sha256(data).hexdigest()
            if month not in held or held[month].sha256 != digest:
                now = datetime.now(UTC)
                vintage = self.published[month] or now.date().isoformat()
                file = f"{FOLDER}/{question.name}-{month}@{vintage}-{digest[:8]}.csv.gz"
                goods = f"codes {', '.join(question.codes)}" if question.codes else "all goods"
                yield store.put(file, data, {
                    **files.TERMS, "vintage": vintage, "rows": rows, "coverage": month,
                    "accessed": now.isoformat(timespec="seconds"),
                    "title": f"Foreign trade of Turkey, {question.partner}, {goods}, {month}",
                    "url": "https://bi.tuik.gov.tr",
                    "obtained": "asked of the publisher's database",
                    "table": "breakdowns" if question.by else "trade",
                    "constants": {
                        "reporter": "TUR", "freq": "M", "trade_system": question.system,
                        **({} if question.partner == ALL else {"partner": question.partner}),
                    },
                    "query": {
                        "question": question.name, "month": month, "app": self.app,
                        "proof": {"rows": rows, "count": rows},
                        "totals": {month: dict(totals[month])},
                        "generated": self.generated,
                    },
                }).id  # fmt: skip
            told(n, len(due) - n)

    def month(
        self, question: Question, month: str, totals: Mapping[str, list[float]]
    ) -> tuple[bytes, int]:
        """Return the file of a month, proven, and its rows."""
        year, number = map(int, month.split("-"))
        named = question.partner != ALL
        filters: dict[str, Sequence[str | int]] = {"YIL": [year], "AY": [number]}
        filters |= self.filters(question)
        asked = {"IHRITH": self.flow, "KOD": LEVELS[question.digits], "OLCU_ADI": "OLCU_ADI"}
        asked |= {} if named else {"ULKE_KODU": "ULKE_KODU", "ULKE_ADI": "ULKE_ADI"}
        asked |= {"KIRILIM": BREAKDOWNS[question.by]} if question.by else {}
        sums = [sum_of(m, filters, question.codes) for m in MEASURES]
        rows = self.cube(list(asked.values()), sums)
        known = {"YIL": str(year), "AY": f"{number:02d}"}
        if named:
            several = self.partners(question.partner)
            known["ULKE_KODU"] = ",".join(sorted(several))
            known["ULKE_ADI"] = next(iter(several.values()))
        lines = [
            [{**known, **dict(zip((*asked, *MEASURES), row, strict=True))}.get(c)
             for c in files.COLUMNS]
            for row in rows
        ]  # fmt: skip
        head = {
            "system": question.system, "partner": question.partner, "digits": question.digits,
            "codes": list(question.codes), "by": question.by, "months": [month],
            "counted": len(rows), "totals": {month: dict(totals)},
        }  # fmt: skip
        data = files.written(head, lines)
        _, table = files.checked(data, {"origin": f"TÜİK, {question.name}, {month}"})
        strange = [c for c in set(table["code"]) if not c.startswith(question.codes or "")]
        if strange:
            raise SchemaMismatch(
                f"TÜİK answers {question.name} with code {strange[0]}",
                f"codes of {', '.join(question.codes)}: a filter was ignored",
                "nothing of this month is stored; try later",
            )
        return data, len(rows)


def _held(question: Question) -> dict[str, store.Raw]:
    """Return the newest stored file of each month of a question."""
    mine = [r for r in store.catalogue() if r.query.get("question") == question.name and r.live]
    return {str(r.query["month"]): r for r in newest(mine)}


def newest(raws: Sequence[store.Raw]) -> list[store.Raw]:
    """Return of each month of each question the newest file: an older one has lines since gone."""
    found: dict[str, store.Raw] = {}
    for raw in sorted(raws, key=lambda r: (r.vintage, r.accessed)):
        found[raw.id.split("@")[0] if "question" in raw.query else raw.id] = raw
    return list(found.values())
