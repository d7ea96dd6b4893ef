"""What refreshes and downloads have brought, read with the parser of its publisher."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import pandas as pd

from tradeflows import store, tables
from tradeflows.errors import TradeflowsError
from tradeflows.periods import Window
from tradeflows.sources import (  # noqa: F401 - they register
    baci,
    eurostat,
    parsed,
    tuik,
    worldbank,
)
from tradeflows.sources.comtrade import holding
from tradeflows.sources.registry import reader

__all__ = ["days", "files", "is_generated", "key_of", "read", "released", "table", "verify"]


def files(name: str | None = None) -> list[store.Raw]:
    """Return the raw files in live folders, of one table or of all."""
    return [r for r in store.catalogue() if r.live and name in (None, r.table)]


def days(raw: store.Raw) -> set[str]:
    """Return the days on which what is in a file was released."""
    releases = raw.query.get("releases")
    told = releases.values() if isinstance(releases, dict) else ()
    return {str(release["released"])[:10] for release in told} or {raw.vintage}


def released(raws: Iterable[store.Raw], as_of: str | None = None) -> list[store.Raw]:
    """Return the files that hold something released by a day; all without a day.

    Examples
    --------
    >>> released(store.catalogue(), "2020-01-01")
    []
    """
    return [raw for raw in raws if not as_of or min(days(raw)) <= as_of]


def is_generated(raws: Iterable[store.Raw] | None = None) -> bool:
    """Tell whether any of the files comes from a server that makes its data up."""
    return any(r.query.get("generated") for r in (files() if raws is None else raws))


def read(raw: store.Raw) -> pd.DataFrame:
    """Read one live file as the table its sidecar names.

    Raises
    ------
    UnknownCode
        A folder that belongs to no publisher.
    TradeflowsError
        As the parser of the publisher.
    """
    return reader(raw.id.split("/")[0])(store.read(raw.id), raw)


def verify() -> list[store.Problem]:
    """Read every live file but BACI's with the parser of its publisher; name what it refuses."""
    problems = []
    for raw in (r for r in files() if not r.id.startswith("cepii/")):
        try:
            read(raw)
        except TradeflowsError as error:
            problems.append(store.unread(raw.id, error))
    return problems


def table(
    name: str,
    as_of: str | None = None,
    chosen: Callable[[store.Raw], bool] = lambda _raw: True,
    *,
    keep: Mapping[str, Sequence[str]] | None = None,
    within: Window | None = None,
    places: Collection[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Return the newest rows of everything live of one table; BACI is left to `baci.to_parquet`.

    A file that cannot be read is left out with an `UnreadableFileWarning`.

    Parameters
    ----------
    name : str
        ``trade``, ``prices`` or ``volumes``.
    as_of : str, optional
        ``YYYY-MM-DD``: only what had been released by then.
    chosen : callable, optional
        Files that are read.
    keep : mapping, optional
        Values to keep; only by columns of the table's key, or the newest row might be another.
    within : Window, optional
        Months to keep.
    places : collection of (str, str), optional
        Of UN Comtrade, as in `holding.assemble`.
    """
    read_ = [r for r in files(name) if chosen(r) and not r.id.startswith("cepii/")]
    frames = []
    if name == "trade":
        frames.append(holding.assemble(as_of, read_, keep=keep, within=within, places=places))
    others = [r for r in read_ if not r.id.startswith(holding.FOLDER)]
    for raw in tuik.newest([r for r in others if as_of is None or r.vintage <= as_of]):
        try:
            frames.append(parsed.table(raw, keep, within))
        except TradeflowsError as error:
            store.leave_out(raw.id, error)
    filled = [f for f in frames if not f.empty]
    if not filled:
        return tables.empty(name)
    key = key_of(name)
    whole = pd.concat(filled, ignore_index=True).sort_values([*key, "vintage"], kind="stable")
    return tables.validate(whole.drop_duplicates(key, keep="last"), name, where="live files")


def key_of(name: str) -> list[str]:
    """Return the columns that tell the rows of a table apart, whatever their vintage."""
    return [k for k in tables.TABLES[name].key if k != "vintage"]
