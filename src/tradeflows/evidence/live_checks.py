"""Published figures beside what a refresh brought: agree, disagree or not comparable."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np
import pandas as pd

from tradeflows.evidence.panel import MARK, Panel, goods
from tradeflows.evidence.panel import panel as stored
from tradeflows.periods import span
from tradeflows.plot import Shown
from tradeflows.words import Sentence, amount, percent

__all__ = ["LiveChecks", "run"]

_SCALE = {"bn USD": 1e9, "musd": 1e6, "Mt": 1e9, "kt": 1e6}
_LISTS = {"CHPL45": "2023-09", "CHPL50": "2024-02"}
AGREE, DISAGREE, OTHER = "agree", "disagree", "not comparable"


@dataclass(frozen=True, eq=False)
class LiveChecks:
    """Published figures and ours.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a figure: what, period, published and ours (USD or kg), difference (fraction),
        tolerance, verdict (agree, disagree, not comparable), why.
    reason : str
        Why nothing could be compared, else empty.
    generated : bool
    """

    table: pd.DataFrame = field(repr=False)
    reason: str = ""
    generated: bool = False

    def count(self, verdict: str) -> int:
        """Return how many figures have a verdict."""
        return int((self.table["verdict"] == verdict).sum())

    def sentence(self) -> Sentence:
        """Say how many agree."""
        if self.reason:
            return Sentence(f"No published figure could be compared: {self.reason}.")
        mark = f"{MARK} " if self.generated else ""
        return Sentence(
            f"{mark}Of {len(self.table)} published figures {self.count(AGREE)} agree with the"
            f" refreshed data within their tolerance, {self.count(DISAGREE)} disagree,"
            f" {self.count(OTHER)} are not comparable."
        )

    def shown(self) -> Shown:
        """Show every figure for people."""
        t = self.table
        units = ["kg" if kilo else "USD" for kilo in t["weight"]]
        shown = pd.DataFrame(
            {
                "what": t["what"],
                "period": t["period"],
                "published": [_written(x, u) for x, u in zip(t["published"], units, strict=True)],
                "ours": [_written(x, u) for x, u in zip(t["ours"], units, strict=True)],
                "difference": [
                    "–" if np.isnan(x) else percent(x, sign=True) for x in t["difference"]
                ],
                "tolerance": t["tolerance"],
                "verdict": t["verdict"],
                "why": t["why"],
            }
        )
        return Shown(shown, "Published figures beside refreshed data")

    def _repr_html_(self) -> str:
        if self.reason:
            return self.sentence()._repr_html_()
        return self.sentence()._repr_html_() + self.shown()._repr_html_()


def run(panel: Panel | None = None) -> LiveChecks:
    """Compare every published figure of the list with the refreshed data.

    Parameters
    ----------
    panel : Panel, optional
        That of the data folder by default.

    Returns
    -------
    LiveChecks
        With a ``reason`` and no verdicts but "not comparable" where nothing was refreshed.

    Examples
    --------
    >>> found = run()
    >>> len(found.table)
    53
    """
    data = stored() if panel is None else panel
    with files("tradeflows.evidence").joinpath("live_checks.csv").open("rb") as handle:
        prints = pd.read_csv(handle, dtype=str, keep_default_na=False)
    rows = [{str(k): str(v) for k, v in row.items()} for row in prints.to_dict("records")]
    table = pd.DataFrame([_compared(row, data) for row in rows])
    return LiveChecks(table, data.reason, data.generated)


def _compared(row: dict[str, str], data: Panel) -> dict[str, object]:
    published = float(row["published"]) * _SCALE[row["unit"]]
    weight = row["unit"] in ("Mt", "kt")
    ours, why = _ours(row, data, weight=weight)
    difference = ours / published - 1 if ours is not None else np.nan
    tolerance = _tolerance(row["tolerance"])
    if not why and tolerance is None:
        why = row["tolerance"]
    verdict = OTHER
    if not why and tolerance is not None:
        verdict = AGREE if abs(difference) <= tolerance + 1e-9 else DISAGREE
    if row["product"] in _LISTS and ours is not None:
        why_not = "without goods that cannot be compared across HS revisions"
        row = row | {"note": "; ".join(w for w in (row["note"], why_not) if w)}
    flow = {"X": "exports to", "M": "imports from"}[row["flow"]]
    return {
        "what": f"{row['product']}, {flow} {row['partner']}",
        "period": row["period"],
        "published": published,
        "ours": np.nan if ours is None else ours,
        "difference": difference,
        "tolerance": row["tolerance"],
        "verdict": verdict,
        "why": "; ".join(w for w in (why, row["note"]) if w),
        "weight": weight,
    }


def _ours(row: dict[str, str], data: Panel, *, weight: bool) -> tuple[float | None, str]:
    """Return our figure, or None and the reason why there is none."""
    if data.reason:
        return None, data.reason
    partners = row["partner"].split("+")
    if any(not re.fullmatch("[A-Z]{3}", p) for p in partners):
        return None, f"the panel holds no {row['partner']}"
    months = span(_window(row["period"]))
    gone = months.difference(data.months(row["flow"]))
    if len(gone):
        return None, f"not published: {', '.join(f'{m:%Y-%m}' for m in gone)}"
    rows, missing = _rows(row, data, partners)
    if missing:
        return None, missing
    rows = rows[rows["period"].isin(months)]
    if not weight:
        return float(rows["value_usd"].sum()), ""
    if not rows["weight_status"].eq("reported").all():
        return None, "a weight is missing or estimated"
    return float(rows["net_weight_kg"].sum()), ""


def _rows(row: dict[str, str], data: Panel, partners: list[str]) -> tuple[pd.DataFrame, str]:
    product = row["product"]
    russia = partners == ["RUS"]
    if product == "TOTAL" or re.fullmatch(r"\d\d", product):
        totals = data.totals[data.totals["flow"] == row["flow"]]
        totals = totals[totals["code"] == product]
        known = russia and not totals.empty
        return totals, "" if known else f"the panel holds no {product} of {row['partner']}"
    frame = data.exports if row["flow"] == "X" else data.imports
    frame = frame[frame["partner"].isin(partners)]
    absent = sorted(set(partners) - set(frame["partner"]))
    if absent:
        return frame, f"the panel holds no trade with {', '.join(absent)}"
    return frame[frame["code"].isin(_codes(product, frame))], ""


def _codes(product: str, frame: pd.DataFrame) -> set[str]:
    """Return the panel's codes of a product as the list of figures names it."""
    if product in _LISTS:
        return set(goods(_LISTS[product]))
    code, _, kind = product.partition(" ")
    within = {c for c in frame["code"].unique() if c.startswith(code)}
    return within - {"270112"} if kind == "thermal" else within


def _window(period: str) -> str:
    """Write a period of the list as a window of months.

    Examples
    --------
    >>> [_window(p) for p in ("2022 year", "2022 H1", "2023-01..2023-09", "2022-05")]
    ['2022', '2022-01/2022-06', '2023-01/2023-09', '2022-05']
    """
    if period.endswith(" year"):
        return period[:4]
    if " H" in period:
        first, last = ("01", "06") if period.endswith("1") else ("07", "12")
        return f"{period[:4]}-{first}/{period[:4]}-{last}"
    return period.replace("..", "/")


def _tolerance(text: str) -> float | None:
    """Return the wider tolerance, or none where only the direction was meant.

    Examples
    --------
    >>> _tolerance("10-15 %"), _tolerance("direction only")
    (0.15, None)
    """
    found = re.fullmatch(r"(?:[\d.]+-)?([\d.]+) %", text)
    return float(found[1]) / 100 if found else None


def _written(x: float, unit: str) -> str:
    return "–" if np.isnan(x) else amount(x, unit)
