"""Months that a table must have before windows of it are compared."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

from tradeflows.codes.countries import spoken
from tradeflows.errors import PartialPeriodWarning, SchemaMismatch
from tradeflows.periods import Window
from tradeflows.quality.census import Census

__all__ = ["Published", "left_out", "require", "said", "same_length"]

Published = str | Sequence[str] | Mapping[str, str | Sequence[str]] | None


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


def _gaps(
    seen: Census, windows: Sequence[Window], published: Published = None
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the reporters without rows in some months (or years), and which.

    A reporter without any row in the earlier of two windows and without a gap from its first row on
    is new to these goods. Any other gap may be a month that it has not published yet.
    """
    lag = seen.lag
    wanted = sorted({p for window in windows for p in _periods(window, lag)})
    early = set(_periods(min(windows), lag)) if len(windows) > 1 else set(wanted)
    late: dict[str, tuple[str, ...]] = {}
    new: dict[str, tuple[str, ...]] = {}
    for reporter, days in seen.published.items():
        have = {(12 * day.year + day.month - 1) // lag for day in days}
        missing = [p for p in wanted if p not in have | _stated(published, lag, reporter)]
        if missing:
            starts = not early & have and missing[-1] < min(have)
            (new if starts else late)[reporter] = tuple(_spelled(p, lag) for p in missing)
    return late, new


def require(
    seen: Census, windows: Sequence[Window], published: Published = None
) -> dict[str, tuple[str, ...]]:
    """Raise unless the table has every month of the windows, and so has each of its reporters.

    Reporters publish at their own pace: a month that one of them has not published yet is no
    month without trade. One that is new to these goods is taken to have had no trade before, and
    a `PartialPeriodWarning` says so.
    """
    _require_months(seen, windows, published)
    late, new = _gaps(seen, windows, published)
    for reporter, absent in late.items():
        first = Window.parse(absent[0]).first // seen.lag
        window = next(w for w in windows if first in _periods(w, seen.lag))
        raise _absent(absent, window, reporter)
    for reporter, absent in new.items():
        warnings.warn(
            f"reporter {reporter} has no rows for {_few(absent)}: taken for months without trade,"
            " so that all of its trade is new; published= states which months are published",
            PartialPeriodWarning,
            stacklevel=3,
        )
    return new


def left_out(
    seen: Census, windows: Sequence[Window], published: Published = None
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the reporters that lack months, and those new to the goods; all but them must stay."""
    _require_months(seen, windows, published)
    late, new = _gaps(seen, windows, published)
    if seen.published and set(seen.published) <= {*late, *new}:
        require(seen, windows, published)
    return late, new


def said(new: Mapping[str, Sequence[str]], late: Mapping[str, Sequence[str]]) -> str:
    """Say who is taken to have had no trade, and who is left out, for want of which months."""
    words = ""
    for which, lacking in (
        ("Taken for no trade, having no rows", new),
        ("Left out, as a missing month is no zero", late),
    ):
        names = [
            f"{spoken(who)} ({absent[0]}{f' and {len(absent) - 1} more' if absent[1:] else ''})"
            for who, absent in list(lacking.items())[:5]
        ]
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        words += f" {which}: {', '.join(names)}{more}." if names else ""
    return words


def _require_months(seen: Census, windows: Sequence[Window], published: Published = None) -> None:
    """Raise unless every month (or year) of the windows exists in the table, or is published."""
    lag = seen.lag
    have = {(12 * day.year + day.month - 1) // lag for day in seen.value_of}
    have |= _stated(published, lag)
    for window in windows:
        if absent := [_spelled(p, lag) for p in _periods(window, lag) if p not in have]:
            raise _absent(absent, window)


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
    return str(period) if lag == 12 else str(Window(period, period))


def _few(absent: Sequence[str]) -> str:
    return ", ".join(absent[:6]) + (f" and {len(absent) - 6} more" if absent[6:] else "")


def _absent(absent: Sequence[str], window: Window, reporter: str = "") -> SchemaMismatch:
    out = f", or leave {reporter} out" if reporter else ""
    return SchemaMismatch(
        f"no rows{reporter and f' of reporter {reporter}'} for {_few(absent)} of window {window}",
        "every month of the window (annual rows need a column freq = 'A')",
        f"choose a window that ends where the data end, or fetch the months{out}; where they are"
        f" published and nothing was traded, say published='{window}'",
    )
