"""A refresh: plan, fetch what is missing or revised, and say what came.

It may be stopped at any moment. What is stored is whole; the next run goes on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pandas as pd

from tradeflows import store
from tradeflows.codes.groups import asked as listed_codes
from tradeflows.errors import TradeflowsError, UnknownCode
from tradeflows.periods import Window
from tradeflows.sources import baci, eurostat, tuik, worldbank
from tradeflows.sources.comtrade import pull as comtrade
from tradeflows.sources.comtrade.question import START, Part, standard
from tradeflows.sources.work import Manners, Plan, Work, locked, raise_first

_log = logging.getLogger(__name__)
_ADDRESS = re.compile(r"https?://\S+|'[\w.-]+\.\w+(:\d+)?'")
# Each has `pull(work)`, which fetches; `probe(work)`, which asks for the smallest true thing and
# returns its rows and what it says; some `plan(work)`, which says before what would be asked.
SOURCES: dict[str, ModuleType] = {
    "tuik": tuik, "worldbank": worldbank, "eurostat": eurostat, "comtrade": comtrade, "baci": baci,
}  # fmt: skip


def _known(sources: Sequence[str]) -> Sequence[str]:
    if odd := sorted(set(sources) - set(SOURCES)):
        raise UnknownCode(f"no source {odd}", f"some of {sorted(SOURCES)}", "correct the name")
    return sources


def parts() -> tuple[Part, ...]:
    """Return the standard pull of the package's high-priority codes."""
    return standard(listed_codes())


def work_of(
    asked: Sequence[Part] | None = None, start: str = START, end: str | None = None,
    manners: Manners | None = None, **more: Any,
) -> Work:  # fmt: skip
    """Return the work: the standard pull, or parts of UN Comtrade (see `pair`).

    ``start`` and ``end`` are months or years, which begin in January and end in December; ``more``
    is ``told`` and ``options`` of `Work`.
    """
    window = Window.parse(f"{start}/{end or f'{datetime.now(UTC):%Y-%m}'}")
    span = f"{window.month(0):%Y-%m}", f"{window.month(-1):%Y-%m}"
    wanted = parts() if asked is None else tuple(asked)
    return Work(wanted, asked is None, span, end, manners, **more)


def plan(asked: Sequence[Part] | None = None, *, source: str = "comtrade", **named: Any) -> Plan:
    """Say what a refresh of a source would ask; ``named`` is as in `work_of`."""
    module = SOURCES[_known([source])[0]]
    if not hasattr(module, "plan"):
        raise UnknownCode(f"no plan of {source!r}", "comtrade or tuik", "name one")
    drawn: Plan = module.plan(work_of(asked, **named))
    return drawn


def probe(sources: Sequence[str] = (), manners: Manners | None = None) -> pd.DataFrame:
    """Ask every publisher for the smallest true thing: rows, what it said or what failed.

    No address stands in it: the table may be passed on.
    """
    found = []
    for source in _known(sources) or SOURCES:
        work = work_of(manners=manners)
        rows, ok = 0, True
        try:
            rows, said = SOURCES[source].probe(work)
        except TradeflowsError as error:
            ok, said = False, _ADDRESS.sub("another address", error.found)
        took = (datetime.now(UTC) - work.began).total_seconds()
        found.append((source, ok, rows, round(took, 1), said))
    return pd.DataFrame(found, columns=["source", "works", "rows", "seconds", "said"])


def run(
    asked: Sequence[Part] | None = None, *,
    sources: Sequence[str] = ("worldbank", "eurostat", "comtrade"), **named: Any,
) -> Work:  # fmt: skip
    """Fetch what is published and not stored; ``named`` is as in `work_of`.

    ``sources`` are names of `SOURCES`, in order. The first error is raised after every source was
    tried; what was stored stays.
    """
    _known(sources)
    work = work_of(asked, **named)
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
