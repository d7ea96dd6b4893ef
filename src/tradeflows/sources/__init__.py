"""One module per publisher, and their readers by the folder that a publisher's raw files lie in."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

import pandas as pd

from tradeflows import store
from tradeflows.errors import UnknownCode

Reader = Callable[[bytes, store.Raw], pd.DataFrame]
_registered: dict[str, Reader] = {}


def register(publisher: str) -> Callable[[Reader], Reader]:
    """Register a reader for what lies in a publisher's folder of raw files.

    Parameters
    ----------
    publisher : str
        The folder, such as ``ruritania`` for ``ruritania/live/prices@2026-01-15.csv``. The last
        reader registered for it counts.

    Returns
    -------
    callable
        A decorator for ``read(data: bytes, raw: store.Raw) -> pandas.DataFrame``: the bytes as they
        came, and their sidecar, to the table that the sidecar names.

    Notes
    -----
    Another package registers its reader as an entry point: ``[project.entry-points.
    "tradeflows.sources"]`` with ``ruritania = "its_package.prices:read"``.

    Examples
    --------
    >>> @register("ruritania")
    ... def read(data, raw):
    ...     return pd.DataFrame()
    >>> reader("ruritania") is read
    True
    """

    def keep(read: Reader) -> Reader:
        _registered[publisher] = read
        return read

    return keep


def reader(publisher: str) -> Reader:
    """Return the reader of a publisher, or say which there are."""
    if publisher in _registered:  # looking through installed packages takes a while
        return _registered[publisher]
    elsewhere = entry_points(group="tradeflows.sources")
    if publisher not in elsewhere.names:
        raise UnknownCode(
            f"no reader for files of {publisher!r}",
            f"one of {', '.join(sorted({*_registered, *elsewhere.names}))}",
            f"write one and put `@sources.register({publisher!r})` above it, or move the file",
        )
    return register(publisher)(elsewhere[publisher].load())
