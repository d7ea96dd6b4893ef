"""What a table must have before windows of it are compared: their months, and codes that stay."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from tradeflows.codes import hs
from tradeflows.codes.countries import spoken
from tradeflows.errors import PartialPeriodWarning, RenumberedCodesWarning, SchemaMismatch
from tradeflows.periods import Window
from tradeflows.quality.census import Census
from tradeflows.quality.relation import Relation
from tradeflows.words import amount, few

Published = str | Sequence[str] | Mapping[str, str | Sequence[str]] | None
Lacking = dict[str, tuple[str, ...]]  # the months, or years, that reporters lack
Moves = tuple[tuple[str, str, float], ...]  # the code that goes, the one that comes, USD


def same_length(old: Window, new: Window, lag: int, *, per_month: bool = False) -> tuple[int, int]:
    """Return what each window is divided by: 1, or with ``per_month`` the months it has."""
    months = len(old.whole(lag)), len(new.whole(lag))
    if per_month:
        return months
    if months[0] != months[1]:
        raise SchemaMismatch(
            f"windows of {months[0]} and {months[1]} months ({old} and {new})",
            "as many months on both sides",
            "choose windows of one length; a bridge by path='two-point' with per_month=True"
            " compares averages per month",
        )
    return 1, 1


def require(seen: Census, windows: Sequence[Window], published: Published = None) -> Lacking:
    """Raise unless the table has every month of the windows, and so has each of its reporters.

    Reporters publish at their own pace: a month that one of them has not published yet is no
    month without trade. One that is new to these goods is taken to have had no trade before, and
    a `PartialPeriodWarning` says so.
    """
    late, new = _gaps(seen, windows, published)
    for reporter, absent in late.items():
        first = Window.parse(absent[0]).first // seen.lag
        raise _absent(absent, next(w for w in windows if first in _periods(w, seen.lag)), reporter)
    for reporter, absent in new.items():
        warnings.warn(
            f"reporter {reporter} has no rows for {few(absent, 6)}: taken for months without trade,"
            " so that all of its trade is new; published= states which months are published",
            PartialPeriodWarning,
            stacklevel=3,
        )
    return new


def left_out(
    seen: Census, windows: Sequence[Window], published: Published = None
) -> tuple[Lacking, Lacking]:
    """Return the reporters that lack months, and those new to the goods; all but them must stay."""
    late, new = _gaps(seen, windows, published)
    if seen.published and set(seen.published) <= {*late, *new}:
        require(seen, windows, published)
    return late, new


def _gaps(seen: Census, windows: Sequence[Window], published: Published) -> tuple[Lacking, Lacking]:
    """Return the reporters without rows in some months (or years), and which.

    A month that nobody has is refused. A reporter without any row in the earlier of two windows and
    without a gap from its first row on is new to these goods. Any other gap may be a month that it
    has not published yet.
    """
    lag = seen.lag
    have = _numbers(seen.value_of, lag) | _stated(published, lag)
    for window in windows:
        if absent := [_spelled(p, lag) for p in _periods(window, lag) if p not in have]:
            raise _absent(absent, window)
    wanted = sorted({p for window in windows for p in _periods(window, lag)})
    early = set(_periods(min(windows), lag)) if len(windows) > 1 else set(wanted)
    late: Lacking = {}
    new: Lacking = {}
    for reporter, days in seen.published.items():
        have = _numbers(days, lag)
        missing = [p for p in wanted if p not in have | _stated(published, lag, reporter)]
        if missing:
            starts = not early & have and missing[-1] < min(have)
            (new if starts else late)[reporter] = tuple(_spelled(p, lag) for p in missing)
    return late, new


def said(new: Lacking | Mapping[str, Sequence[str]], late: Mapping[str, Sequence[str]]) -> str:
    """Say who is taken to have had no trade, and who is left out, for want of which months."""
    words = ""
    for which, lacking in (
        ("Taken for no trade, having no rows", new),
        ("Left out, as a missing month is no zero", late),
    ):
        names = [
            f"{spoken(who)} ({absent[0]}{f' and {len(absent) - 1} more' if absent[1:] else ''})"
            for who, absent in lacking.items()
        ]
        words += f" {which}: {few(names)}." if names else ""
    return words


def _numbers(days: Iterable[pd.Timestamp], lag: int) -> set[int]:
    return {(12 * day.year + day.month - 1) // lag for day in days}


def _stated(published: Published, lag: int, reporter: str | None = None) -> set[int]:
    """Return the periods stated to be published: by this reporter, or by any."""
    if published is None:
        return set()
    if isinstance(published, Mapping):
        found = published.values() if reporter is None else [published.get(reporter, ())]
        return {p for windows in found for p in _stated(windows, lag)}
    windows = [published] if isinstance(published, str | int) else published
    return {p for text in windows for p in _periods(Window.parse(text), lag)}


def _periods(window: Window, lag: int) -> range:
    """Return the months of a window as numbers, or with ``lag=12`` the years that it touches."""
    return range(window.first // lag, window.last // lag + 1)


def _spelled(period: int, lag: int) -> str:
    return str(Window(period * lag, period * lag + lag - 1))


def _absent(absent: Sequence[str], window: Window, reporter: str = "") -> SchemaMismatch:
    out = f", or leave {reporter} out" if reporter else ""
    return SchemaMismatch(
        f"no rows{reporter and f' of reporter {reporter}'} for {few(absent, 6)} of window {window}",
        "every month of the window (annual rows need a column freq = 'A')",
        f"choose a window that ends where the data end, or fetch the months{out}; where they are"
        f" published and nothing was traded, say published='{window}'",
    )


def renumbered(
    relation: Relation, windows: Sequence[Window], within: str, now: str = "", step: str = "0"
) -> Moves:
    """Return codes that give way to others of the same goods in a newer HS revision, and say so.

    They are exit and entry in rows that do not name their revision. ``now`` is the SQL of the side
    that comes, by default the later window. Only what reaches a hundredth of the goods' value.
    """
    now = now or windows[1].sql()
    unnamed = " AND code_system IS NULL" if "code_system" in relation.columns else ""
    six = _moves(relation, "left(CAST(code AS VARCHAR), 6)", 6, now, f"({within}){unnamed}", step)
    if not ((six["net"] < 0).any() and (six["net"] > 0).any()):
        return ()
    years = sorted(end // 12 for end in (windows[0].first, windows[1].last))
    first, last = (hs.REVISIONS.index(hs.in_force(max(year, 1988))) for year in years)
    first -= first == last > 0  # some reporters are late
    ends = hs.REVISIONS[first], hs.REVISIONS[last]
    known, kept = hs.families(*ends), hs.codes(ends[0]) & hs.codes(ends[1])
    was, came = (known.drop_duplicates("code", keep=k).set_index("code")["family"]
                 for k in ("first", "last"))  # fmt: skip
    goods = six["code"].map(was).where(six["net"] < 0, six["code"].map(came))
    found = tuple(pair for pair in _pairs(six, goods) if not {*pair[:2]} <= kept)
    if found:
        warnings.warn(
            f"codes renumbered between HS revisions count as exit and entry: {spelled(found)};"
            " tf.concord(trade) brings them to codes that hold the same goods throughout",
            RenumberedCodesWarning,
            stacklevel=4,
        )
    return found


def lines_renumbered(relation: Relation, now: str, within: str, step: str) -> Moves:
    """Return tariff lines that give way to others of the same six digits, as `renumbered` does.

    Lines come and go all the time.
    """
    moves = _moves(relation, "CAST(code AS VARCHAR)", 7, now, within, step)
    return _pairs(moves, moves["code"].str[:6])


def spelled(pairs: Moves) -> str:
    """Say which codes give way to which."""
    return few([f"{a} gives way to {b} ({amount(v, 'USD')})" for a, b, v in pairs], 3)


def _moves(
    relation: Relation, code: str, digits: int, now: str, within: str, step: str
) -> pd.DataFrame:
    """Return codes of so many digits or more: their value, and entry less exit."""
    return relation.frame(
        f"WITH line AS (SELECT {code} AS code, {step} AS step, "  # noqa: S608
        f"sum(CASE WHEN {now} THEN 0 ELSE value_usd END) AS old, "
        f"sum(CASE WHEN {now} THEN value_usd ELSE 0 END) AS new FROM trade WHERE "
        f"({within}) AND regexp_full_match(CAST(code AS VARCHAR), '[0-9]{{{digits},}}') "
        "GROUP BY ALL) SELECT code, sum(greatest(old, new)) AS size, "
        "sum(CASE WHEN old = 0 THEN new WHEN new = 0 THEN -old ELSE 0 END) AS net "
        "FROM line GROUP BY code ORDER BY code"
    )


def _pairs(moves: pd.DataFrame, goods: pd.Series) -> Moves:
    """Return, of codes that hold the same goods, which gives way to which, largest first."""
    found = []
    for _, same in moves.groupby(goods):
        net = same.set_index("code")["net"]
        moved = float(min(net[net > 0].sum(), -net[net < 0].sum()))
        if moved > 0.01 * same["size"].sum():
            found.append((str(net.idxmin()), str(net.idxmax()), moved))
    return tuple(sorted(found, key=lambda pair: (-pair[2], pair[0])))
