"""The additive bridge: change in value = price + volume + entry - exit + unpriced."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.errors import SchemaMismatch
from tradeflows.measure.window import (
    Lacking,
    Moves,
    Published,
    lines_renumbered,
    renumbered,
    require,
    said,
    same_length,
    spelled,
)
from tradeflows.periods import Window, either
from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import keys, month, named, one_or_more, opened, too_large, usable
from tradeflows.result import Result
from tradeflows.words import Sentence, amount, percent

BARS = ("price", "volume", "entry", "exit", "unpriced")
PATHS = ("monthly", "two-point")
UNTOLD = "no usable weight, so that price and volume cannot be told apart"
_SUMS = ["value_base", "value_current", "change", *BARS]
_SQL = files("tradeflows.measure").joinpath("bridge.sql").read_text("utf-8")
# Names that the SQL and the result give to columns of their own.
_TAKEN = {*re.findall(r"AS (\w+)", _SQL), *_SUMS, "step", "period", "month"} - {"DOUBLE"}


def log_mean(v0: str, v1: str) -> str:
    """Return the SQL of (v1 - v0) / ln(v1 / v0) for positive numbers, which is v0 where v1 = v0.

    Near v1 = v0 the quotient is 0 / 0, so the series of x / ln(1 + x), x = (v1 - v0) / v0, takes
    over (Gregory's coefficients).
    """
    x = f"(({v1} - {v0}) / {v0})"
    series = f"{v0} * (1 + {x} * (1.0 / 2 - {x} * (1.0 / 12 - {x} * (1.0 / 24 - {x} * 19 / 720))))"
    return f"(CASE WHEN abs({x}) < 0.001 THEN {series} ELSE ({v1} - {v0}) / ln({v1} / {v0}) END)"


# Price and volume effects of one good, a = p1 q0 and b = p0 q1 (so a - v0 = q0 (p1 - p0) and
# b - v0 = p0 (q1 - q0)).
METHODS = {
    "bennet": ("0.5 * ((a - v0) + (v1 - b))", "0.5 * ((v1 - a) + (b - v0))"),
    "montgomery": tuple(f"{log_mean('v0', 'v1')} * ln({r})" for r in ("a / v0", "q1 / q0")),
    "laspeyres": ("a - v0", "v1 - a"),
    "paasche": ("v1 - b", "b - v0"),
}


@dataclass(frozen=True, eq=False)
class Bridge(Result):
    """What the change in value between two windows consists of, in USD.

    The five bars add up to ``change``. ``entry`` is the value of products without trade on the base
    side and ``exit``, negative or zero, that of products without trade on the current side; a side
    is the whole window, or by the monthly path one month of it. The bridge is accounting: price
    *accounts for* so much, which is not to say that it caused it. With ``per_month`` all amounts
    are averages per month. ``new`` holds the reporters without rows in the earlier window, and the
    months (or years) in which they are taken to have had no trade; ``renumbered`` the codes that
    give way to others of the same goods (tariff lines of their six digits, six digits of the next
    HS revision), with the USD that are exit and entry for it.
    """

    base: str
    current: str
    method: str
    path: str
    by: tuple[str, ...]
    value_base: float
    value_current: float
    change: float
    price: float
    volume: float
    entry: float
    exit: float
    unpriced: float
    priced_share: float
    table: pd.DataFrame = field(repr=False)
    monthly: pd.DataFrame = field(repr=False)
    origins: tuple[str, ...] = field(repr=False, default=())
    per_month: bool = False
    new: Lacking = field(repr=False, default_factory=dict)
    renumbered: Moves = field(repr=False, default=())

    @property
    def untold(self) -> bool:
        """Whether nothing has a price: zeros of price and volume then say nothing."""
        return not self.priced_share and bool(self.unpriced)

    def share(self, bar: str) -> float | None:
        """Return a bar over the change, or None where a share would mislead."""
        part = float(getattr(self, bar))
        if part * self.change <= 0 or abs(self.change) <= 0.1 * self.value_base:
            return None
        return part / self.change

    def sentence(self) -> Sentence:
        """Say in one sentence what accounts for the change."""
        verb = "rose" if self.change > 0 else "fell" if self.change < 0 else "did not change"
        moved = f" by {amount(abs(self.change), 'USD')}" if self.change else ""
        told = [bar for bar in BARS if getattr(self, bar) or (bar == "price" and not self.untold)]
        parts = ", ".join([*[UNTOLD] * self.untold, *map(self._part, told)])
        old, new = (amount(v, "USD") for v in (self.value_base, self.value_current))
        value = "value per month" if self.per_month else "value"
        return Sentence(
            f"From {self.base} to {self.current} the {value} {verb}{moved},"
            f" from {old} to {new}: {parts}.{said(self.new, {})}{self.advice()}"
        )

    def advice(self) -> str:
        """Say which codes give way to others of the same goods, if any do, and what joins them."""
        said = ""
        for inside, where, todo in (
            (True, "inside six digits", "sum to six digits first"),
            (False, "between HS revisions", "tf.concord joins them"),
        ):
            if pairs := tuple(p for p in self.renumbered if (p[0][:6] == p[1][:6]) is inside):
                said += f" Exit and entry offset each other {where}: {spelled(pairs)}; {todo}."
        return said

    def _part(self, bar: str) -> str:
        share = self.share(bar)
        written = amount(float(getattr(self, bar)), "USD")
        if share is not None:
            written += f" ({percent(share)} of the change)"
        name = {
            "price": "price accounts for",
            "volume": "volume for",
            "entry": "goods new to the trade for",
            "exit": "goods gone from it for",
            "unpriced": "goods without a usable quantity for",
        }
        if self.path == "monthly" and len(Window.parse(self.base)) > 1:  # absent in a month only
            missing = "goods without trade in the matching month of"
            name |= {"entry": f"{missing} {self.base} for", "exit": f"{missing} {self.current} for"}
        return f"{name[bar]} {written}"

    def steps(self) -> pd.DataFrame:
        """Return the waterfall as a table: step, value and kind of each bar."""
        rows = [(self.base, self.value_base, "total")]
        rows += [(bar, float(getattr(self, bar)), bar) for bar in BARS]
        rows += [(self.current, self.value_current, "total")]
        return pd.DataFrame(rows, columns=["step", "value", "kind"])


def bridge(
    trade: Any,
    base: str | int = "2021",
    current: str | int = "2022",
    *,
    by: str | Sequence[str] = ("code",),
    method: str = "bennet",
    path: str | None = None,
    quantity: str = "net_weight_kg",
    estimated: str = "unpriced",
    per_month: bool = False,
    published: Published = None,
) -> Bridge:
    r"""Split a change in value into price, volume, entry, exit and what cannot be priced.

    A product is a code from a partner in a flow. With base quantities and prices q0, p0 and
    current ones q1, p1, and L the logarithmic mean:

    ========== ============================== ==============================
    method     price                          volume
    ========== ============================== ==============================
    bennet     (q0 + q1) / 2 (p1 - p0)        (p0 + p1) / 2 (q1 - q0)
    montgomery L(v1, v0) ln(p1 / p0)          L(v1, v0) ln(q1 / q0)
    laspeyres  q0 (p1 - p0)                   p1 (q1 - q0)
    paasche    q1 (p1 - p0)                   p0 (q1 - q0)
    ========== ============================== ==============================

    A product without value in the base is entry, one without value now is exit; neither touches
    price. A product in both whose quantity is missing, estimated or in another unit is unpriced.
    With ``path="monthly"`` all this is said of one month and the month it is set against: a product
    absent in a single month counts there as entry or exit, though it is traded in other months.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows with at least period, code, value_usd and the quantity; or the path of Parquet files
        (a glob works), which stream and may be larger than memory.
    base, current : str or int
        Windows: ``"2022"`` or 2022, ``"2022-03"``, ``"2022-02/2023-01"``.
    by : str or sequence of str
        Groups of the table: columns, or ``chapter``, ``heading``, ``subheading`` of the code.
    method : {"bennet", "montgomery", "laspeyres", "paasche"}
        How price and volume share what both moved.
    path : {"monthly", "two-point"}, optional
        Each month against the same month of the base window, summed; or windows summed first. By
        default monthly, and two-point where all rows are annual.
    quantity : str
        Column of the quantity.
    estimated : {"unpriced", "accepted"}
        Whether weights that the publisher estimated make prices. They come from standard unit
        values, so by default they do not.
    per_month : bool
        Averages per month instead of sums, so that windows may be of unequal length (two-point).
    published : str, sequence of str, or mapping, optional
        Windows that are published, such as ``"2021-01/2022-12"``, of all reporters or by reporter:
        absent rows are zeros there. Without it a gap of a reporter is refused, unless it has no
        rows in the earlier window and none are missing from its first row on: its trade is new,
        and a `PartialPeriodWarning` says that zeros are assumed.

    Returns
    -------
    Bridge
        Bars, the table by group, and the months.

    Raises
    ------
    SchemaMismatch
        Months absent from the table or from one of its reporters, keys that stand twice, windows
        of unequal length, numbers out of range, several flows where ``by`` has no flow.
    DoubleCountedTotals
        Totals beside their parts.

    Warns
    -----
    RenumberedCodesWarning
        Rows that name no HS revision count goods as exit and entry that only changed their code.

    References
    ----------
    Bennet (1920), The Theory of Measurement of Changes in Cost of Living; Montgomery (1937), The
    Mathematical Problem of the Price Index; Balk (2008), Price and Quantity Index Numbers, ch. 4;
    Ang (2015), LMDI decomposition approach.

    Examples
    --------
    >>> trade = pd.DataFrame({
    ...     "period": pd.to_datetime(["2021-01-01", "2022-01-01"] * 2),
    ...     "code": ["270900", "270900", "271600", "271600"],
    ...     "value_usd": [1000.0, 1200.0, 0.0, 210.0],
    ...     "net_weight_kg": [100.0, 80.0, 0.0, 30.0]})
    >>> result = bridge(trade, "2021-01", "2022-01")
    >>> result.change, result.price, result.volume, result.entry
    (410.0, 450.0, -250.0, 210.0)
    """
    options = (by, quantity, estimated, per_month, published)
    return _bridges(
        trade, base, current, (method,), (path or PATHS[0],), path is not None, *options
    )[0]


def _bridges(
    trade: Any,
    base: str | int,
    current: str | int,
    methods: Sequence[str],
    paths: Sequence[str],
    named: bool,
    by: str | Sequence[str] = ("code",),
    quantity: str = "net_weight_kg",
    estimated: str = "unpriced",
    per_month: bool = False,
    published: Published = None,
) -> list[Bridge]:
    """Return a bridge for each path and method; annual rows have one path, if none is named."""
    windows = old, new = _windows(base, current, paths[0] if named else "two-point")
    by, needed = one_or_more(by), ("period", "code", "value_usd", quantity)
    found = []
    with opened(trade, needed) as relation:
        within = either(*windows)
        seen = census(relation, quantity, within, by=by, estimated=estimated)
        if seen.annual and named and "monthly" in paths:
            raise SchemaMismatch(
                "annual rows with path='monthly'", "months", "use path='two-point'"
            )
        for path in paths if named or not seen.annual else ("two-point",):
            _windows(base, current, path)
            same_length(*windows, seen.lag, per_month=per_month and path == "two-point")
            lacking = require(seen, windows, published)
            step = _step(old, new) if path == "monthly" else "0"
            moves = lines_renumbered(relation, new.sql(), within, step)
            moves += renumbered(relation, windows, within, step=step)
            for method in methods:
                query = bridge_sql(
                    relation.columns, base, current, by=by, method=method, path=path,
                    quantity=quantity, estimated=estimated, lag=seen.lag,
                    per_month=per_month,
                )  # fmt: skip
                rows = relation.frame(query).rename(columns={"gone": "exit"})
                if rows["repeats"].max() > 0:
                    unique(relation, within, quantity, seen.lag)
                about = {"origins": seen.origins, "per_month": per_month, "new": lacking,
                         "renumbered": moves}  # fmt: skip
                found.append(_result(rows, windows, by, method, path, **about))
    return found


def _windows(base: str | int, current: str | int, path: str) -> tuple[Window, Window]:
    old, new = Window.parse(base), Window.parse(current)
    if path not in PATHS:
        raise ValueError(f"path={path!r}: expected one of {', '.join(PATHS)}")
    if old.last >= new.first and new.last >= old.first:
        raise ValueError(f"windows {old} and {new} share months: a bridge needs two sides")
    return old, new


def bridge_sql(
    columns: Sequence[str],
    base: str | int = "2021",
    current: str | int = "2022",
    *,
    by: str | Sequence[str] = ("code",),
    method: str = "bennet",
    path: str = "monthly",
    quantity: str = "net_weight_kg",
    estimated: str = "unpriced",
    lag: int = 1,
    of_code: Mapping[str, str] | None = None,
    per_month: bool = False,
) -> str:
    """Return the bridge as DuckDB SQL over a table ``trade`` with these columns."""
    if method not in list(METHODS):  # a list, so that anything may be asked of it
        raise ValueError(f"method={method!r}: expected one of {', '.join(METHODS)}")
    old, new = _windows(base, current, path)
    by = one_or_more(by)
    if taken := [name for name in by if name.lower() in _TAKEN]:
        raise SchemaMismatch(
            f"by={by} names {taken}, which is a name inside the bridge itself",
            f"none of {', '.join(sorted(_TAKEN))}",
            f"rename it, e.g. trade.rename(columns={{{taken[0]!r}: 'my_{taken[0]}'}})",
        )
    derived = dict(of_code or {})
    found = keys(columns, [name for name in by if name not in derived])
    cell = {name: sql for name, sql in found.items() if name in columns}
    derived |= {name: sql for name, sql in found.items() if name not in columns}
    finer = set(cell) > set(by) - set(derived)
    if path == "monthly":
        cell["step"] = _step(old, new)
    months = same_length(old, new, lag, per_month=per_month and path == "two-point")
    over = [f" / {n}" if per_month else "" for n in months]
    unit = named(f"{quantity}_unit") if f"{quantity}_unit" in columns else None
    price, volume = METHODS[method]
    return _SQL.format(
        keys=", ".join(f"{sql} AS {named(name)}" for name, sql in cell.items()),
        pair=named(*cell),
        step_or_nothing="" if path == "monthly" else "0 AS step,",
        unit=f"CASE WHEN value_usd > 0 THEN coalesce({unit}, '') END" if unit else "NULL",
        units="count(DISTINCT unit)" if unit else "1",
        of_code_or_nothing="".join(f"{sql} AS {named(name)}, " for name, sql in derived.items()),
        group=named(*by),
        group_or_nothing="".join(f"{named(name)}, " for name in by),
        per_base=over[0],
        per_current=over[1],
        quantity=usable(columns, quantity, estimated),
        now=new.sql(),
        within=either(old, new),
        parts="part" if path == "monthly" and finer else "effect",
        repeats=f"count(*) - count(DISTINCT {month(lag)})",
        price=price,
        volume=volume,
    )


def _step(old: Window, new: Window) -> str:
    """Return the SQL of the month of its window that a row is of."""
    return f"{month()} - CASE WHEN {new.sql()} THEN {new.first} ELSE {old.first} END"


def _result(
    rows: pd.DataFrame,
    windows: tuple[Window, Window],
    by: tuple[str, ...],
    method: str,
    path: str,
    **about: Any,
) -> Bridge:
    rows["change"] = rows["value_current"] - rows["value_base"]
    if not np.isfinite(rows[_SUMS].to_numpy(float)).all():
        raise too_large("a bar is not a finite number")
    grouped = rows["is_group"] == 1
    table = rows.loc[grouped, [*by, *_SUMS]].sort_values(list(by) or _SUMS[:1], ignore_index=True)
    steps = rows.loc[~grouped].sort_values("step", ignore_index=True)
    total: dict[str, Any] = {n: math.fsum(steps[n]) for n in [*_SUMS, "priced_current"]}
    months = [windows[1].month(int(step)) for step in steps["step"]]
    monthly = steps[_SUMS].assign(period=pd.to_datetime(months))[["period", *_SUMS]]
    priced, now = total.pop("priced_current"), total["value_current"]
    about |= {"priced_share": priced / now if now else 0.0, "table": table}
    about["monthly"] = monthly if path == "monthly" else monthly.iloc[:0]
    base, current = map(str, windows)
    return Bridge(base, current, method, path, by, **total, **about)


@dataclass(frozen=True, eq=False)
class Envelope(Result):
    """The bridges of one change, by method and path."""

    results: dict[tuple[str, str], Bridge] = field(repr=False)

    def __getitem__(self, key: tuple[str, str]) -> Bridge:
        return self.results[key]

    def range(self, bar: str) -> tuple[float, float]:
        """Return the lowest and the highest value of a bar."""
        values = [float(getattr(result, bar)) for result in self.results.values()]
        return min(values), max(values)

    @property
    def table(self) -> pd.DataFrame:
        """One row per bar: lowest and highest value over all methods and paths."""
        rows = [(bar, *self.range(bar)) for bar in BARS]
        return pd.DataFrame(rows, columns=["bar", "low", "high"])

    @property
    def by_method(self) -> pd.DataFrame:
        """One row per method and path: the five bars and the change."""
        rows = [
            (method, path, *(float(getattr(b, bar)) for bar in BARS), b.change)
            for (method, path), b in self.results.items()
        ]
        return pd.DataFrame(rows, columns=["method", "path", *BARS, "change"])

    @property
    def first(self) -> Bridge:
        """The bridge of the first method and path."""
        return next(iter(self.results.values()))

    def steps(self) -> pd.DataFrame:
        """Return the waterfall of the first bridge, with low and high of each bar."""
        nothing = (float("nan"), float("nan"))
        steps, ends = self.first.steps(), {bar: self.range(bar) for bar in BARS}
        steps[["low", "high"]] = [ends.get(kind, nothing) for kind in steps["kind"]]
        return steps

    def sentence(self) -> Sentence:
        """Say between which amounts price lies."""
        if self.first.untold:
            return Sentence(f"{UNTOLD.capitalize()}.")
        low, high = (amount(end, "USD") for end in self.range("price"))
        many = [len(set(names)) for names in zip(*self.results, strict=True)]
        over = ", ".join(
            f"{n} {word}" if n == 1 else f"{n} {word}s"
            for n, word in zip(many, ("formula", "path"), strict=True)
        )
        return Sentence(
            f"Price accounts for {low} to {high} (range over methods: {over}).{self.first.advice()}"
        )


def bridges(
    trade: Any,
    base: str | int = "2021",
    current: str | int = "2022",
    *,
    methods: str | Sequence[str] = ("bennet", "montgomery", "laspeyres", "paasche"),
    paths: str | Sequence[str] | None = None,
    **options: Any,
) -> Envelope:
    """Compute one bridge per method and path.

    Parameters
    ----------
    trade, base, current, **options
        As in `bridge`.
    methods, paths : str or sequence of str
        What the range runs over: by default all methods, and both paths where the rows are monthly.
        Annual rows have the two-point path only.

    Returns
    -------
    Envelope
        All bridges, and the range of each bar.

    Examples
    --------
    >>> trade = pd.DataFrame({"period": pd.to_datetime(["2021-01-01", "2022-01-01"]),
    ...     "code": "270900", "value_usd": [1000.0, 1200.0], "net_weight_kg": [100.0, 80.0]})
    >>> bridges(trade, "2021-01", "2022-01").range("price")
    (400.0, 500.0)
    """
    methods, ways = one_or_more(methods), one_or_more(PATHS if paths is None else paths)
    for name, known, asked in (("methods", METHODS, methods), ("paths", PATHS, ways)):
        if not asked:
            raise ValueError(f"{name}=[]: expected at least one of {', '.join(known)}")
    found = _bridges(trade, base, current, methods, ways, paths is not None, **options)
    return Envelope({(b.method, b.path): b for b in found})
