"""Run notebooks: a fresh kernel each, two at a time, no network, progress where somebody looks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from tradeflows import store
from tradeflows.claims import judge
from tradeflows.errors import (
    DoubleCountedTotals,
    SchemaMismatch,
    TradeflowsError,
    UnknownCode,
    unwritable,
)
from tradeflows.load import load
from tradeflows.periods import span
from tradeflows.report import keys
from tradeflows.series import on_one_system

__all__ = ["NotebookFailed", "lacking", "pass_on", "run"]

AT_ONCE = 2
CELL_SECONDS = 900
# one thread each: parallel sums of floats differ in their last digits
SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TRADEFLOWS_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# A page shows what a warning says, not the place on this machine that gave it.
_PLAIN_WARNINGS = (
    "import warnings; "
    "warnings.formatwarning = lambda message, *_, **__: f'Beware: {message}\\n'; del warnings"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ARROW = re.compile(r"^-+> *(\d+) ?(.*)$", re.MULTILINE)

Tell = Callable[[str, int, int], None]


class NotebookFailed(TradeflowsError):
    """A cell of a notebook raised; the pages of the last build stand as they were."""


def run(jobs: Mapping[Path, Path]) -> None:
    """Execute notebooks and write their executed copies.

    Parameters
    ----------
    jobs : mapping of Path to Path
        Notebook to the place of its executed copy.

    Raises
    ------
    NotebookFailed
        Names every notebook that failed, the cell, the heading above it and the error.
    """
    if not jobs:
        return
    with _progress({path.stem: _code_cells(path) for path in jobs}) as tell:
        results = asyncio.run(_all(jobs, tell))
    failed = sorted(r for r in results if r)
    if failed:
        raise NotebookFailed(
            "\n".join(failed),
            "every cell runs",
            "open the notebook with `make lab`; the pages of the last build are untouched",
        )


def pass_on(executed: Mapping[str, Path]) -> None:
    """Collect what executed notebooks state, for the answers and for `tradeflows.judge`.

    Parameters
    ----------
    executed : mapping of str to Path
        Name of the page to the executed notebook.

    Raises
    ------
    SchemaMismatch
        Two pages state the same claim at the same tier.
    SourceUnavailable
        The data folder cannot be written.
    """
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for page, copy in executed.items():
        for told in keys.stated(copy):
            name = _name(told)
            if name in found and found[name]["page"] != page:
                raise SchemaMismatch(
                    f"{page} and {found[name]['page']} both state claim {name[0]}, {name[1]}",
                    "one page for a claim and tier",
                    "take tf.state out of one of them",
                )
            found[name] = told | {"page": page}
    file = store.processed() / judge.FILE
    kept = [s for s in _read(file) if s["page"] not in executed and _name(s) not in found]
    if not found and kept == _read(file):
        return
    part = file.with_suffix(f".{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps([*kept, *found.values()], indent=1), "utf-8")
        part.replace(file)
    except OSError as error:
        raise unwritable(file.name, error) from None


def _name(told: Mapping[str, Any]) -> tuple[str, ...]:
    return told["claim"], told["tier"], told["rules"]


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return []


def lacking(notebook: Path) -> str:
    """Say what a notebook needs and the data folder does not hold; nothing where all is there.

    Parameters
    ----------
    notebook : Path
        ``tradeflows.requires`` in its metadata lists what to `load`, or a publisher, and under
        ``bring`` what brings it; with ``whole`` every month of ``months`` must be published.
    """
    for need in keys.about(notebook).get("requires", ()):
        asked = {k: v for k, v in need.items() if k not in ("bring", "whole")}
        if publisher := asked.pop("publisher", ""):
            if not any(raw.publisher == publisher for raw in store.catalogue()):
                return f"This page needs data of {publisher}, which are not there. {need['bring']}"
            continue
        try:
            rows = _rows(asked)
        except UnknownCode as error:
            return f"This page needs data that are not there yet: {error.found}. {need['bring']}"
        there = set(rows["period"])
        if late := [m for m in _months(need) if m not in there]:
            gone = ", ".join(f"{month:%Y-%m}" for month in late)
            return f"This page needs months that are not published yet: {gone}. {need['bring']}"
    return ""


def _months(need: Mapping[str, Any]) -> pd.DatetimeIndex:
    """Return the months that a page needs one and all."""
    return span(need["months"]) if need.get("whole") else pd.DatetimeIndex([])


def _rows(asked: Mapping[str, Any]) -> pd.DataFrame:
    try:
        return load(**asked)
    except DoubleCountedTotals:
        return on_one_system(**{k: v for k, v in asked.items() if k != "table"})


def _stand_in(nb: Any, absent: str) -> None:
    """Leave of a notebook its title, and what it needs."""
    nb.cells = [nb.cells[0], nbformat.v4.new_markdown_cell(absent, id="needs")]


def _code_cells(path: Path) -> int:
    cells = nbformat.read(path, 4).cells
    return sum(c.cell_type == "code" and bool(c.source.strip()) for c in cells)


async def _all(jobs: Mapping[Path, Path], tell: Tell) -> list[str]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(notebook: Path, copy: Path) -> str:
        async with gate:
            return await _run(notebook, copy, tell)

    # the longest first, so that none is left to run alone at the end
    order = sorted(jobs, key=lambda path: -path.stat().st_size)
    return list(await asyncio.gather(*(one(path, jobs[path]) for path in order)))


async def _run(notebook: Path, copy: Path, tell: Tell) -> str:
    """Execute one notebook; return what went wrong, or nothing."""
    nb = nbformat.read(notebook, 4)
    if absent := lacking(notebook):
        _stand_in(nb, absent)
        _write(nb, copy)
        return ""
    done, total = 0, _code_cells(notebook)
    at = 0

    def started(cell: Any, cell_index: int) -> None:
        nonlocal at
        at = cell_index if cell.cell_type == "code" else at

    def finished(**_: Any) -> None:
        nonlocal done
        done += 1
        tell(notebook.stem, done, total)

    # sockets in a private folder: nothing listens on a port, and it works with the network cut
    with tempfile.TemporaryDirectory(prefix="tf-", dir=_short()) as folder:
        kernel = AsyncKernelManager(
            **_sockets(folder),
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        )
        client = NotebookClient(
            nb,
            km=kernel,
            timeout=CELL_SECONDS,
            record_timing=False,
            on_cell_start=started,
            on_cell_executed=finished,
            resources={"metadata": {"path": str(notebook.parent)}},
            extra_arguments=[f"--IPKernelApp.exec_lines={_PLAIN_WARNINGS}"],
        )
        tell(notebook.stem, 0, total)
        try:
            await client.async_execute(env={**os.environ, **SETTINGS})
        except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
            return _told(notebook, nb, at, error)
        finally:
            await _stop(kernel)
    _write(nb, copy)
    return ""


def _short() -> str | None:
    """Return a folder whose name leaves room for that of a socket, 107 letters in all."""
    usual = Path("/tmp")  # noqa: S108 - a private folder is made in it
    return str(usual) if len(tempfile.gettempdir()) > 60 and usual.is_dir() else None


def _sockets(folder: str) -> dict[str, str]:
    return {} if os.name == "nt" else {"transport": "ipc", "ip": str(Path(folder) / "k")}


async def _stop(kernel: Any) -> None:
    if kernel.has_kernel:
        await kernel.shutdown_kernel(now=True)
    kernel.cleanup_connection_file()


def _write(nb: Any, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    part = copy.with_suffix(f".{os.getpid()}.part")
    nbformat.write(nb, part)
    part.replace(copy)


def _told(notebook: Path, nb: Any, at: int, error: Exception) -> str:
    """Say where it failed and why, in a few lines."""
    headings = [
        found[-1].strip()
        for cell in nb.cells[: at + 1]
        if cell.cell_type == "markdown" and (found := re.findall(r"^#+ (.+)$", cell.source, re.M))
    ]
    under = f', under "{headings[-1]}"' if headings else ""
    cell = nb.cells[at]
    where = f"{notebook.name}: cell {at + 1} ({cell.get('id', 'no id')}){under}"
    if isinstance(error, CellExecutionError):
        trace = _COLOURS.sub("", error.traceback)
        arrows = _ARROW.findall(trace.partition("\n\n")[0]) or _ARROW.findall(trace)
        line = f"\n  line {arrows[0][0]}: {arrows[0][1].strip()}" if arrows else ""
        why = f"{error.ename}: {_COLOURS.sub('', error.evalue)}"
        return where + line + "\n  " + why.strip().replace("\n", "\n  ")
    if isinstance(error, CellTimeoutError):
        return f"{where}\n  took longer than {CELL_SECONDS} seconds"
    return f"{where}\n  the kernel died or did not start ({error}); out of memory?"


class _progress:  # noqa: N801 - reads as a statement
    """Bars with cells and time left on a terminal, one line a notebook elsewhere."""

    def __init__(self, cells: Mapping[str, int]) -> None:
        self.cells = cells
        self.bars: Any = None
        self.tasks: dict[str, Any] = {}
        self.start = time.monotonic()

    def __enter__(self) -> Tell:
        if not sys.stderr.isatty():
            return self._line
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.tasks = {s: self.bars.add_task(s, total=n, start=False) for s, n in self.cells.items()}
        self.bars.start()
        return self._bar

    def __exit__(self, *_: object) -> None:
        if self.bars is not None:
            self.bars.stop()

    def _bar(self, stem: str, done: int, total: int) -> None:
        if done == 0:
            self.bars.start_task(self.tasks[stem])
        self.bars.update(self.tasks[stem], completed=done, total=total)

    def _line(self, stem: str, done: int, total: int) -> None:
        if done and done == total:
            took = time.monotonic() - self.start
            sys.stderr.write(f"ran {stem}: {total} cells, {took:.0f} s\n")
            sys.stderr.flush()
