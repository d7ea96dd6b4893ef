"""How the numbers come out of the code. The one module to change when the code changes its form.

Everything that leaves it is keyed by claim, tier and name or by the name of a figure, and made of
text, numbers, None and lists of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

import tradeflows as tf
from generated import Judged
from pages import Page
from tradeflows.claims.judge import Verdict
from tradeflows.claims.rules import rules
from tradeflows.measure.intervals import Interval

Value = float | str | None | list[float] | list[str]
Table = list[list[Any]]  # the names of the columns, then the rows

# The worlds on which the panel is judged: scenario and options. Weights of energy are whole where
# nothing is hidden.
WORLDS: dict[str, tuple[str, dict[str, object]]] = {
    "nothing": ("nothing", {}),
    "prices": ("prices", {"hidden": False}),
    "volume": ("volume", {}),
    "entry": ("entry", {}),
    "rerouting": ("rerouting", {}),
    "volume-weights-missing": ("volume", {"missing": 0.6}),
}
_OUTCOMES = {True: "yes", False: "no"}


def of_snapshot(pages: Iterable[Page]) -> dict[str, Value]:
    """Return what every rule reads and says at both tiers where nothing was refreshed.

    Parameters
    ----------
    pages : iterable of Page
        What a page states of a claim's own period goes before what `tradeflows.judge` gathers.
    """
    now = rules().fingerprint
    stated = {
        (v.rule.claim, v.rule.tier): v
        for page in pages
        for v in page.passed_on
        if v.fingerprint == now
    }
    return {
        f"{claim}/{place}/{k}": x
        for claim in rules().claims
        for tier, place in (("snapshot", "snapshot"), ("panel", "panel/absent"))
        for k, x in _of(stated.get((claim, tier)) or tf.judge(claim, tier)).items()
    }


def of_world(name: str, world: Callable[..., Judged]) -> dict[str, Value]:
    """Return what every rule reads and says of a generated world.

    Parameters
    ----------
    name : str
        Of `WORLDS`.
    world : callable
        Takes a scenario and options, returns the world and its verdicts.
    """
    scenario, options = WORLDS[name]
    found = world(scenario, **options)
    out = {
        f"{claim}/panel/{name}/{k}": x
        for claim, verdict in found.verdicts.items()
        for k, x in _of(verdict).items()
    }
    why = {
        f"{claim}/panel/{name}/reasons/{number}": reason
        for claim, reasons in found.reasons.items()
        for number, reason in reasons.items()
    }
    return out | why


def _of(verdict: Verdict) -> dict[str, Value]:
    tests = {n: _OUTCOMES.get(x, str(x)) for n, x in verdict.outcomes.items()}
    open_ = re.findall(r"Not determined: (.+?)\.(?: |$)", verdict.detail)
    return {
        "grade": verdict.grade,
        "say": verdict.say,
        "headline": verdict.headline,
        **{f"numbers/{n}": _ends(x) for n, x in verdict.numbers.items()},
        **{f"tests/{n}": x for n, x in tests.items()},
        **({"reasons": open_} if open_ else {}),
    }


def of_bounds(page: Page) -> dict[str, Value]:
    """Return the interval of claim b2 after each bound, and with each bound left out.

    Parameters
    ----------
    page : Page
        The one on energy.
    """
    names = {
        "hidden_value_2021_usd": "block",
        "gas_2021_usd_per_m3": "gas",
        "crude_2021_usd_per_kg": "crude",
        "price_effect_usd": "effect",
        "pi_turnover": "of_turnover",
        "pi_imports": "of_imports",
        "cost_ratio": "ratio",
    }
    left = {f"after bound {label[0]}": found for label, found in page["left"].items()}
    left["without 1"] = page["no_floor"]
    return {
        f"{which}/{name}": _ends(found.get(column))
        for which, found in left.items()
        for name, column in names.items()
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [float(interval.low), float(interval.high)]


def of_figures(pages: Iterable[Page]) -> dict[str, Table]:
    """Return the table behind every figure that pages show, by the figure's name.

    Parameters
    ----------
    pages : iterable of Page

    Raises
    ------
    ValueError
        Two figures share a name but not their table.
    """
    found: dict[str, Table] = {}
    tables = [t for page in pages for cell in page.cells for t in cell.tables.items()]
    for name, table in tables:
        rows = _rows(table)
        if found.setdefault(name, rows) != rows:
            raise ValueError(f"two figures named {name}, with two tables")
    return found


def _rows(table: pd.DataFrame) -> Table:
    columns = [_cells(table[name]) for name in table]
    return [[str(name) for name in table], *map(list, zip(*columns, strict=True))]


def _cells(values: pd.Series) -> list[Any]:
    kinds = pd.api.types
    if kinds.is_datetime64_any_dtype(values):
        return [*values.dt.strftime("%Y-%m-%d")]
    if kinds.is_numeric_dtype(values) and not kinds.is_bool_dtype(values):
        return [None if pd.isna(x) else x for x in values.tolist()]
    return [None if pd.isna(x) else str(x) for x in values]
