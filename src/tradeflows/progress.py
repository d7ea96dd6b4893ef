"""How far a long job is: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Told", "progress"]

Told = Callable[[str, int, int], None]  # a part of the job, how much of it is done, how much left


@contextmanager
def progress(unit: str, *, quiet: bool = False, wait: float = 0.0) -> Iterator[Told]:
    """Show how many calls, cells, … of each part are done and left, after some seconds of wait."""
    start = time.monotonic()
    if quiet or not sys.stderr.isatty():
        lines = _lines(unit)
        yield lambda *a: None if quiet or time.monotonic() - start < wait else lines(*a)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=28), MofNCompleteColumn(),
        TextColumn(unit), Elapsed(), TextColumn("left"), Remaining(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def told(part: str, done: int, left: int) -> None:
            if time.monotonic() - start < wait:
                return
            if part not in tasks:
                tasks[part] = bars.add_task(part)
            bars.update(tasks[part], completed=done, total=done + left)

        yield told


def _lines(unit: str) -> Told:
    """Write a line a part at its beginning, every ten seconds, and at its end."""
    said: dict[str, float] = {}

    def told(part: str, done: int, left: int) -> None:
        now = time.monotonic()
        if left == 0 or now - said.get(part, -10.0) >= 10:
            said[part] = now
            sys.stderr.write(f"{part}: {done} {unit} done, {left} left\n")
            sys.stderr.flush()

    return told
