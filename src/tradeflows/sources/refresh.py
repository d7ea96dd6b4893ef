"""A refresh: plan, fetch what is missing or revised, and say what came.

It may be stopped at any moment. What is stored is whole; the next run goes on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd

from tradeflows import store
from tradeflows.codes.groups import asked as listed_codes
from tradeflows.errors import TradeflowsError, UnknownCode
from tradeflows.periods import Window
from tradeflows.progress import Told
from tradeflows.sources import baci, eurostat, tuik, worldbank
from tradeflows.sources.comtrade import pull as comtrade
from tradeflows.sources.comtrade.question import START, Part, pair, standard
from tradeflows.sources.http import Manners
from tradeflows.sources.work import Plan, Work, locked, raise_first

__all__ = [
    "SOURCES",
    "Source",
    "pair",
    "parts",
    "plan",
    "probe",
    "run",
    "work_of",
]

_NONE: Mapping[str, Any] = {}
_log = logging.getLogger(__name__)
_ADDRESS = re.compile(r"https?://\S+|'[\w.-]+\.\w+(:\d+)?'")


class Source(NamedTuple):
    """What a publisher's module does for a refresh: fetch, say before what it would ask, try.

    ``probe`` asks for the smallest true thing, and returns its rows and what it says.
    """

    pull: Callable[[Work], None]
    probe: Callable[[Work], tuple[int, str]]
    plan: Callable[[Work], Plan] | None = None


SOURCES = {
    "tuik": Source(tuik.pull, tuik.probe, tuik.plan),
    "worldbank": Source(worldbank.pull, worldbank.probe),
    "eurostat": Source(eurostat.pull, eurostat.probe),
    "comtrade": Source(comtrade.pull, comtrade.probe, comtrade.plan),
    "baci": Source(baci.pull, baci.probe),
}


def _known(sources: Sequence[str]) -> Sequence[str]:
    if odd := sorted(set(sources) - set(SOURCES)):
        raise UnknownCode(f"no source {odd}", f"some of {sorted(SOURCES)}", "correct the name")
    return sources


def parts() -> tuple[Part, ...]:
    """Return the standard pull of the package's high-priority codes."""
    return standard(listed_codes())


def work_of(
    asked: Sequence[Part] | None, start: str, end: str | None, manners: Manners | None = None,
    options: Mapping[str, Any] = _NONE,
) -> Work:  # fmt: skip
    """Return the work; a year begins in January and ends in December."""
    this_month = f"{datetime.now(UTC):%Y-%m}"
    window = Window.parse(f"{start}/{end or this_month}")
    span = f"{window.month(0):%Y-%m}", f"{window.month(-1):%Y-%m}"
    wanted = parts() if asked is None else tuple(asked)
    return Work(wanted, asked is None, span, end, manners, options=options)


def plan(
    asked: Sequence[Part] | None = None, *, start: str = START, end: str | None = None,
    manners: Manners | None = None, source: str = "comtrade", options: Mapping[str, Any] = _NONE,
) -> Plan:  # fmt: skip
    """Say what a refresh of a source would ask, of the standard pull or of parts (see `pair`)."""
    draw = SOURCES[_known([source])[0]].plan
    if draw is None:
        raise UnknownCode(f"no plan of {source!r}", "comtrade or tuik", "name one")
    return draw(work_of(asked, start, end, manners, options))


def probe(sources: Sequence[str] = (), manners: Manners | None = None) -> pd.DataFrame:
    """Ask every publisher for the smallest true thing: rows, what it said or what failed.

    No address stands in it: the table may be passed on.
    """
    found = []
    for source in _known(sources) or SOURCES:
        work, began = work_of(None, START, None, manners), datetime.now(UTC)
        rows, ok = 0, True
        try:
            rows, said = SOURCES[source].probe(work)
        except TradeflowsError as error:
            ok, said = False, _ADDRESS.sub("another address", error.found)
        took = (datetime.now(UTC) - began).total_seconds()
        found.append((source, ok, rows, round(took, 1), said))
    return pd.DataFrame(found, columns=["source", "works", "rows", "seconds", "said"])


def run(
    asked: Sequence[Part] | None = None,
    *,
    sources: Sequence[str] = ("worldbank", "eurostat", "comtrade"),
    start: str = START,
    end: str | None = None,
    manners: Manners | None = None,
    told: Told = lambda _source, _done, _left: None,
    options: Mapping[str, Any] = _NONE,
) -> Work:
    """Fetch what is published and not stored, of the standard pull or of parts of UN Comtrade.

    ``sources`` are names of `SOURCES`, in order; ``start`` and ``end`` months or years; ``options``
    are those of `Work`. The first error is raised after every source was tried; what was stored
    stays.
    """
    _known(sources)
    work = work_of(asked, start, end, manners, options)
    work.told = told
    errors: list[TradeflowsError] = []
    with locked():
        store.sweep()
        for source in sources:
            try:
                SOURCES[source].pull(work)
            except TradeflowsError as error:
                _log.error("%s: %s", source, error.found)
                errors.append(error)
    raise_first(errors)
    return work
