"""What a pull will ask, how often and for how long: drawn before anything is fetched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tradeflows.sources.comtrade.client import DAILY, Client, Release
from tradeflows.sources.comtrade.holding import held, leaves
from tradeflows.sources.comtrade.question import Box, Call, Part, remaining

__all__ = ["Plan", "draw", "months", "wanted"]

DECISIVE = ("202101", "202312")  # months that decide the claims; they come first without a key
FILL = 0.8  # of a reply's rows that a call is sized for


@dataclass(frozen=True)
class Plan:
    """The calls of a pull, in order, and what they rest on.

    ``not_yet`` counts months the publisher has not published, ``held`` those stored already.
    """

    calls: tuple[Call, ...]
    parts: tuple[Part, ...]
    not_yet: int
    held: int
    keyed: bool
    interval: float
    cap: int
    known: bool
    used: int = 0

    @property
    def table(self) -> pd.DataFrame:
        """One row per part: calls, rows expected, span, minutes."""
        guesses = {p.name: p.guess for p in self.parts}
        made = [(c, self._replies(c, guesses)) for c in self.calls]
        rows = []
        for part in self.parts:
            mine = [(c, n) for c, n in made if c.part == part.name]
            months = sorted({p for c, _ in mine for p in c.periods})
            data = sum(n for _, n in mine)
            rows.append(
                {
                    "part": part.name,
                    "reporters": len(part.reporters),
                    "from": months[0] if months else "",
                    "to": months[-1] if months else "",
                    "data_calls": data,
                    "count_calls": data,
                    "rows_expected": sum(len(c.releases) * guesses[c.part] for c, _ in mine),
                    "minutes": round(2 * data * max(self.interval, 1.0) / 60, 1),
                }
            )
        return pd.DataFrame(rows)

    def _replies(self, call: Call, guesses: Mapping[str, int]) -> int:
        wide = "AG6" in call.box.codes or call.box.partners == ("ALL",)
        rows = len(call.releases) * (guesses[call.part] if wide else 200)
        return max(1, math.ceil(rows / (self.cap * FILL)))

    @property
    def naive(self) -> int:
        """Calls that asking month by month, reporter by reporter and flow by flow would take."""
        return sum(len(c.releases) * len(c.box.flows) for c in self.calls)

    def sentence(self) -> str:
        """Say what will be asked."""
        if not self.calls:
            return (
                f"Nothing to fetch: {self.held} months are stored as published,"
                f" {self.not_yet} are not published yet."
            )
        table = self.table
        data, minutes = int(table["data_calls"].sum()), float(table["minutes"].sum())
        mode = "with a key" if self.keyed else "without a key (one month and 500 rows a call)"
        saved = (
            f"; month by month and flow by flow it would be {self.naive} data calls"
            if self.naive > data
            else ""
        )
        quota = f"; {self.used} of {DAILY} calls of today are used" if self.keyed else ""
        asked = "" if self.known else " Availability was not asked: this is the most it can be."
        return (
            f"{data} data calls and about as many counts {mode}, about {max(1, round(minutes))}"
            f" minutes{quota}{saved}."
            f" Counted by reporter, {self.held} months are stored already,"
            f" {self.not_yet} are not published yet.{asked}"
        )


def months(start: str, end: str) -> list[str]:
    """Return the months of a span as the publisher writes them.

    Examples
    --------
    >>> months("2021-11", "2022-01")
    ['202111', '202112', '202201']
    """
    return [d.strftime("%Y%m") for d in pd.period_range(start, end, freq="M")]


def draw(
    client: Client,
    parts: Sequence[Part],
    releases: Mapping[str, Release],
    span: tuple[str, str],
    under_way: Iterable[Call] = (),
    *,
    known: bool = True,
    used: int = 0,
) -> Plan:
    """Draw a plan: what is published and not stored, packed into as few calls as may be.

    Parameters
    ----------
    client : Client
        Decides how much fits a call.
    parts : sequence of Part
        In order of importance.
    releases : mapping
        What the publisher shows, by ``reporter-period``.
    span : tuple of str
        First and last month.
    under_way : iterable of Call
        What an interrupted pull left; it goes on as planned there.
    """
    checksums = {pair: r.checksum for pair, r in releases.items()}
    stored = {freq: held(leaves(), checksums, freq) for freq in {p.freq for p in parts}}
    # What a run with a key left may name more periods than a call without one may.
    kept = [c for c in under_way if len(c.periods) <= client.most_periods]
    calls = _under_way(kept, parts, checksums, span, stored)
    boxes = _boxes(calls, stored)
    not_yet = have = 0
    # Without a key listed codes are asked before, not within, the long lists of HS6.
    in_turn = parts if client.keyed else sorted(parts, key=lambda p: not p.codes[0].isdigit())
    for part in in_turn:
        box, missing = part.box(), dict[tuple[int, tuple[Box, ...]], list[str]]()
        for pair in wanted(part, span):
            if pair not in releases:
                not_yet += 1
                continue
            have += not remaining(box, stored[part.freq].get(pair, []))
            rest = remaining(box, boxes.get((part.freq, pair), []))
            for order, piece in enumerate(_pieces(rest, client.keyed)):
                missing.setdefault((order, piece), []).append(pair)
        for (_, pieces), pairs in missing.items():
            more = _packed(client, part, pieces, pairs, checksums)
            calls += more
            for place, added in _boxes(more, {}).items():
                boxes.setdefault(place, []).extend(added)
    ordered = _ordered(calls, parts, client.keyed)
    return Plan(
        tuple(ordered), tuple(parts), not_yet, have, client.keyed,
        client.session.manners.interval, client.cap, known, used,
    )  # fmt: skip


def _under_way(
    calls: Iterable[Call], parts: Sequence[Part], checksums: Mapping[str, str],
    span: tuple[str, str], stored: Mapping[str, Mapping[str, list[Box]]],
) -> list[Call]:  # fmt: skip
    """Return the calls of an interrupted pull that are still asked for and not yet answered."""
    asked = {p.name: set(wanted(p, span)) for p in parts}
    return [
        call
        for call in calls
        if all(checksums.get(pair) == told for pair, told in call.releases)
        and {pair for pair, _ in call.releases} <= asked.get(call.part, set())
        and any(
            remaining(call.box, stored.get(call.freq, {}).get(pair, []))
            for pair, _ in call.releases
        )
    ]


def _boxes(
    calls: Iterable[Call], stored: Mapping[str, Mapping[str, list[Box]]]
) -> dict[tuple[str, str], list[Box]]:
    """Return by frequency, reporter and period what is stored or about to be."""
    boxes = {(f, pair): list(b) for f, pairs in stored.items() for pair, b in pairs.items()}
    for call in calls:
        for pair, _ in call.releases:
            boxes.setdefault((call.freq, pair), []).append(call.box)
    return boxes


def wanted(part: Part, span: tuple[str, str]) -> list[str]:
    """Return the reporters and periods that a part asks for, as ``792-202201``."""
    periods = months(*span)
    if part.freq == "A":
        periods = sorted({p[:4] for p in periods})
    return [f"{r}-{p}" for r in part.numbers() for p in periods]


def _pieces(boxes: list[Box], keyed: bool) -> list[tuple[Box, ...]]:
    """Return boxes to be asked together; without a key totals and chapters come before HS6."""
    if keyed or not boxes:
        return [tuple(boxes)] if boxes else []
    small: list[Box] = []
    large: list[Box] = []
    for box in boxes:
        fine = tuple(c for c in box.codes if c.startswith(("AG4", "AG6")))
        coarse = tuple(c for c in box.codes if c not in fine)
        small += [Box(box.flows, box.partners, coarse)] if coarse else []
        large += [Box(box.flows, box.partners, fine)] if fine else []
    return [tuple(b) for b in (small, large) if b]


def _packed(
    client: Client, part: Part, boxes: Sequence[Box], pairs: Sequence[str],
    checksums: Mapping[str, str],
) -> list[Call]:  # fmt: skip
    """Join reporters and months into calls that are expected to stay below the cap."""
    by_period: dict[str, list[int]] = {}
    for pair in pairs:
        number, period = pair.split("-")
        by_period.setdefault(period, []).append(int(number))
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for period, reporters in sorted(by_period.items()):
        who = tuple(sorted(reporters))
        size = _block(client, part.guess * len(who))
        groups.setdefault((_aligned(period, size), who), []).append(period)
    calls = []
    for (_, who), periods in groups.items():
        released = tuple(sorted((f"{r}-{p}", checksums[f"{r}-{p}"]) for r in who for p in periods))
        calls += [
            Call(part.name, part.freq, who, tuple(periods), box, released, part.box())
            for box in boxes
        ]
    return calls


def _block(client: Client, rows: int) -> int:
    fits = int(client.cap * FILL // max(rows, 1))
    return max(n for n in (1, 2, 3, 4, 6, 12) if n <= max(1, min(fits, client.most_periods)))


def _aligned(period: str, size: int) -> str:
    """Name the block of months (or years) a period falls in, the same whatever else is missing."""
    year, month = int(period[:4]), int(period[4:] or 0)
    return f"{year}-{(month - 1) // size}" if month else f"{year // size}"


def _ordered(calls: list[Call], parts: Sequence[Part], keyed: bool) -> list[Call]:
    rank = {p.name: n for n, p in enumerate(parts)}

    def place(call: Call) -> tuple[int, int, int, str]:
        coarse = not any(c.startswith(("AG4", "AG6")) for c in call.box.codes)
        late = not keyed and not DECISIVE[0] <= call.periods[0].ljust(6, "0") <= DECISIVE[1]
        return (int(not keyed and not coarse), rank[call.part], int(late), call.periods[0])

    return sorted(calls, key=place)
