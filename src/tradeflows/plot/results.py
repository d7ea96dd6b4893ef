"""What results show of themselves: sentence, table and chart, all from this one place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.ask import Answer
from tradeflows.codes.countries import spoken
from tradeflows.counterfactual.difference import EventStudy
from tradeflows.counterfactual.expectation import NAMES, Expectation
from tradeflows.counterfactual.placebo import Placebo
from tradeflows.counterfactual.validation import Validation
from tradeflows.measure.bridge import BARS, Bridge, Envelope
from tradeflows.measure.index import PriceIndex
from tradeflows.measure.intervals import Interval, hull
from tradeflows.measure.mirror import Mirror
from tradeflows.measure.screen import Screen
from tradeflows.measure.volume import Volume
from tradeflows.plot import MIME
from tradeflows.plot.figure import Figure
from tradeflows.plot.rows import ranges, waterfall
from tradeflows.plot.tables import table_html
from tradeflows.plot.time import fan, histogram, lines
from tradeflows.words import Sentence, amount, between, html_text

_LEVEL = 0.05  # of a placebo's p, where a chart says that a case stands out
_ROWS = 10  # longer tables are folded


def show(result: Any, **words: Any) -> Figure | Sentence:
    """Return the chart of a result; its sentence where there is nothing to draw.

    Parameters
    ----------
    result : Answer, Bridge, Envelope, PriceIndex, Screen, Volume, Expectation, Placebo, …
        Other results have no chart of their own.
    **words
        ``title`` and what `finish` takes: name, alt, period, note, origins.

    Examples
    --------
    >>> from tradeflows.measure import bridge
    >>> trade = pd.DataFrame({"period": pd.to_datetime(["2021-01-01", "2022-01-01"]),
    ...     "code": "270900", "value_usd": [1000.0, 1200.0], "net_weight_kg": [100.0, 80.0]})
    >>> show(bridge(trade, "2021-01", "2022-01")).title
    'Change of +200 USD from 2021-01 to 2022-01: price accounts for +450 USD, volume for −250 USD'
    """
    if not (drawn := _drawn(result)):
        return Sentence(result.sentence())
    chart, data, own = drawn
    usual = {"title": str(result.sentence()), "origins": getattr(result, "origins", ())}
    if hasattr(result, "base") and hasattr(result, "current"):
        usual["period"] = f"{result.base} to {result.current}"
    figure: Figure = chart(data, **{**usual, **own, **words})
    return figure


_Drawn = tuple[Callable[..., Figure], Any, dict[str, Any]] | None


@singledispatch
def _drawn(result: Any) -> _Drawn:
    """Return chart, data and words of a result; None where there is nothing to draw."""
    del result
    return None


def _bars(first: Bridge, sentence: object, name: str, title: str, note: str = "") -> dict[str, Any]:
    """Return the words of a bridge, or of several of which one is the first."""
    per_month = "per month" * first.per_month
    return {"name": name, "title": title, "alt": str(sentence), "origins": first.origins,
            "period": f"{first.base} to {first.current}",
            "note": " · ".join(filter(None, (per_month, note)))}  # fmt: skip


@_drawn.register
def _bridged(result: Bridge) -> _Drawn:
    largest = sorted(BARS, key=lambda bar: -abs(getattr(result, bar)))[:2]
    parts = [
        f"{bar} for {_signed(getattr(result, bar))}" for bar in largest if getattr(result, bar)
    ]
    told = f": {', '.join(parts).replace(' for', ' accounts for', 1)}" if parts else ""
    title = f"Change of {_signed(result.change)} from {result.base} to {result.current}{told}"
    return waterfall, result.steps(), _bars(result, result.sentence(), "bridge", title)


@_drawn.register
def _envelope(result: Envelope) -> _Drawn:
    alt = f"{result.first.sentence()} {result.sentence()}"
    title = str(result.sentence()).rstrip(".")
    return waterfall, result.steps(), _bars(result.first, alt, "bridges", title)


@_drawn.register
def _answered(result: Answer) -> _Drawn:
    first = result.first
    price, volume = (between(*result.range(bar), _signed) for bar in ("price", "volume"))
    said = f"price accounts for {price}, volume for {volume}"
    said = "no price for want of weights" if first.untold else said
    title = f"{result.subject}, {first.base} to {first.current}: change of {_signed(first.change)}"
    note = f"bars: Bennet's formula; ranges: {len(result.results)} formulas and paths"
    own = _bars(first, result.sentence(), "own-question-bridge", f"{title}; {said}", note)
    own["note"] = "GENERATED TRADE, NOT DATA · " * result.generated + own["note"]
    return waterfall, result.steps(), own


@_drawn.register
def _mirrored(result: Mirror) -> _Drawn:
    gap = result.imports - result.exports
    who, whom = "Importers'", "exporters'"
    if len(result.pairs) == 1:
        ends = (spoken(str(result.pairs[end].iloc[0])) for end in ("importer", "exporter"))
        who, whom = (f"{name}'s" for name in ends)
    side = "above" if gap > 0 else "below"
    own = {
        "title": f"{who} imports are {amount(abs(gap), 'USD')} {side} {whom} exports, "
        f"{result.window}",
        "note": "right: raises the importer's figure; lines: each bar's range, they do not add up",
        "name": "mirror",
        "alt": str(result.sentence()),
        "period": result.window,
    }
    return waterfall, result.steps(), own


@_drawn.register
def _index(result: PriceIndex) -> _Drawn:
    last, table = result.table.iloc[-1], result.table.set_index("period")[["price", "volume"]]
    title = f"Prices end at {last['price']:.2f}, volume at {last['volume']:.2f} ({result.one})"
    own = {"title": title, "unit": f"index, {result.one}", "name": "price-index"}
    return lines, table, own | {"alt": str(result.sentence())}


@_drawn.register
def _volumes(result: Volume) -> _Drawn:
    known = result.table["volume"].dropna()
    rows = {
        str(name): hull([Interval(x, x) for x in (v, result.value)]) for name, v in known.items()
    }
    note = "from the growth in volume to the growth in value"
    own = {"unit": "share", "name": "volume-by-measure", "marks": {"no growth": 0.0}, "note": note}
    return (ranges, rows, own) if rows else None


@_drawn.register
def _fan(result: Expectation) -> _Drawn:
    if result.outcome == "undetermined":
        return None
    model = NAMES["sarimax"]
    name = "-".join(re.findall(r"[a-z0-9]+", f"expected {result.name} sarimax".lower()))
    return (
        fan,
        result.path.tail(48),
        {
            "title": result.finding,
            "unit": result.unit,
            "name": name,
            "alt": f"{result.sentence()}: actual, median and bands by {model}.",
            "note": f"expected by {model} from the months before {result.event}",
            "events": {"event": result.event},
        },
    )


@_drawn.register
def _quarters(result: EventStudy) -> _Drawn:
    name = f"event-study-{result.destination.lower()}"
    note = f"{result.omitted} = 0; expected: median and bands of the other destinations"
    own = {"unit": "log points", "name": name, "note": note, "events": {"event": result.event}}
    return None if result.reason else (fan, result.table, own)


@_drawn.register
def _placebos(result: Placebo) -> _Drawn:
    finite = result.values.replace([np.inf, -np.inf], np.nan).dropna()  # noqa: PD011 - its name
    if not np.isfinite(result.estimate) or finite.empty:
        return None
    verb = "stands out" if result.p <= _LEVEL else "does not stand out"
    rank = f"rank {result.rank} of {1 + len(result.values)} among {result.name}"
    title = f"{spoken(result.case)} {verb} at {_LEVEL:.0%}: {rank}"
    return (
        histogram,
        finite,
        {
            "title": str(result.sentence()) if result.reason else title,
            "unit": result.unit,
            "mark": {spoken(result.case): result.estimate},
            "name": f"placebo-{'-'.join(result.name.lower().split())}",
            "period": result.window,
            "note": "" if np.isnan(result.p) else f"p = {result.p:.3f}",
        },
    )


@_drawn.register
def _scores(result: Screen) -> _Drawn:
    judged = result.table.dropna(subset="p")
    if judged.empty or pd.isna(result.table["p"].iloc[0]):
        return None
    first, rest = judged.iloc[0], judged.iloc[1:]
    values = rest["score"].set_axis([result.named(r) for r in rest.itertuples()])
    rank = 1 + int((rest["score"] > first["score"]).sum())
    verb = "stands out" if first["stands_out"] else "does not stand out"
    return (
        histogram,
        values if len(values) < 500 else values.reset_index(drop=True),
        {
            "title": f"{result.named(first)} {verb} by growth of listed goods against other goods: "
            f"rank {rank} of {len(judged)}, corrected p {first['q']:.2g}",
            "unit": "excess growth over what is usual for its size",
            "mark": {result.named(first): float(first["score"])},
            "name": "screen",
            "note": f"p = {first['p']:.4f}",
            "counted": "cases",
        },
    )


@_drawn.register
def _alarms(result: Validation) -> _Drawn:
    if result.table.empty:
        return None
    alarms = result.alarms[~result.alarms["foil"]]
    rows = (100 * alarms[["low", "high", "rate"]]).set_axis(["low", "high", "value"], axis=1)
    rows.insert(0, "label", alarms["rule"] + ", " + alarms["truth"])
    marks = {"nominal": 100 * float(alarms["nominal"].iloc[0])}
    note = "simulated; Wilson's 95 % intervals"
    return ranges, rows, {"unit": "%", "name": "false-alarms", "note": note, "marks": marks}


def bundle(result: Any) -> dict[str, Any]:
    """Return what a notebook shows of a result, and what a page carries of its chart."""
    sentence = Sentence(result.sentence())
    table = result.table.reset_index() if result.table.index.name else result.table
    html = [f"<p>{html_text(sentence)}</p>"]
    if len(table):
        listed = table_html(table, label="Table of the result")
        fold = f"<details><summary>Table of {len(table)} rows</summary>{listed}</details>"
        html.append(listed if len(table) <= _ROWS else fold)
    out: dict[str, Any] = {"text/plain": str(sentence)}
    figure = show(result)
    if isinstance(figure, Figure):
        # results have no name: its numbers tell one chart on a page from another
        figure.name += f"-{hashlib.sha256(figure.csv().encode()).hexdigest()[:6]}"
        html.append(figure._repr_html_())
        out[MIME] = figure.parts()
    return out | {"text/html": "".join(html)}


def _signed(x: float) -> str:
    return amount(x, "USD", sign=True)
