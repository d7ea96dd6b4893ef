"""How far a long job is: a line that is written again on a terminal, now and then one elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Told = Callable[[str, int, int], None]  # a part of the job, how much of it is done, how much left


@contextmanager
def progress(unit: str, *, quiet: bool = False, wait: float = 0.0) -> Iterator[Told]:
    """Show how many calls, cells, … of each part are done and left, after some seconds of wait."""
    start, here = time.monotonic(), sys.stderr.isatty()
    began: dict[str, float] = {}
    said: dict[str, float] = {}

    def told(part: str, done: int, left: int) -> None:
        now = time.monotonic()
        took = now - began.setdefault(part, now)
        early = left and now - said.get(part, -10.0) < (0.2 if here else 10)
        if quiet or early or now - start < wait:
            return
        said[part] = now
        words = f"{part}: {done} {unit} done, {left} left"
        rest = f", about {took / done * left / 60:.1f} minutes" if here and done and left else ""
        sys.stderr.write(f"\r\x1b[K{words}{rest}" + "\n" * (not left) if here else f"{words}\n")
        sys.stderr.flush()

    yield told
