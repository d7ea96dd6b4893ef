"""Run notebooks: a fresh kernel each, two at a time, no network, progress where somebody looks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
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
from tradeflows.progress import Told, progress
from tradeflows.report import keys
from tradeflows.series import on_one_system
from tradeflows.sources import stored

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


class NotebookFailed(TradeflowsError):
    """A cell of a notebook raised; the pages of the last build stand as they were."""


def run(jobs: Mapping[Path, Path]) -> None:
    """Execute notebooks and write their executed copies."""
    if not jobs:
        return
    with progress("cells") as told:
        results = asyncio.run(_all(jobs, told))
    failed = sorted(r for r in results if r)
    if failed:
        raise NotebookFailed(
            "\n".join(failed),
            "every cell runs",
            "open the notebook with `make lab`; the pages of the last build are untouched",
        )


def pass_on(executed: Mapping[str, Path]) -> None:
    """Collect what executed notebooks state, for the answers and for `tradeflows.judge`."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for page, copy in executed.items():
        for stated in keys.stated(copy):
            name = _name(stated)
            if name in found and found[name]["page"] != page:
                raise SchemaMismatch(
                    f"{page} and {found[name]['page']} both state claim {name[0]}, {name[1]}",
                    "one page for a claim and tier",
                    "take tf.state out of one of them",
                )
            found[name] = stated | {"page": page}
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


def _name(stated: Mapping[str, Any]) -> tuple[str, ...]:
    return stated["claim"], stated["tier"], stated["rules"]


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return []


def lacking(notebook: Path) -> str:
    """Say what a notebook needs and the data folder does not hold; nothing where all is there.

    Where its metadata name ``sources`` one of them suffices; ``published`` says that no generated
    trade may stand for the snapshot's.
    """
    about = keys.about(notebook)
    if about.get("published") and stored.is_generated():
        return "This page reads published trade, and the data folder holds generated trade instead."
    needs = about.get("requires", ())
    ways = [[{**n, **source} for n in needs] for source in about.get("sources", ())]
    said = [_lacking(way) for way in ways or [needs]]
    return "" if "" in said else said[-1]


def _lacking(needs: Sequence[Mapping[str, Any]]) -> str:
    for need in needs:
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


async def _all(jobs: Mapping[Path, Path], told: Told) -> list[str]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(notebook: Path, copy: Path) -> str:
        async with gate:
            return await _run(notebook, copy, told)

    # the longest first, so that none is left to run alone at the end
    order = sorted(jobs, key=lambda path: -path.stat().st_size)
    return list(await asyncio.gather(*(one(path, jobs[path]) for path in order)))


async def _run(notebook: Path, copy: Path, told: Told) -> str:
    """Execute one notebook; return what went wrong, or nothing."""
    nb = nbformat.read(notebook, 4)
    if absent := lacking(notebook):
        _stand_in(nb, absent)
        _write(nb, copy)
        return ""
    done = 0
    total = sum(c.cell_type == "code" and bool(c.source.strip()) for c in nb.cells)
    at = 0

    def started(cell: Any, cell_index: int) -> None:
        nonlocal at
        at = cell_index if cell.cell_type == "code" else at

    def finished(**_: Any) -> None:
        nonlocal done
        done += 1
        told(notebook.stem, done, total - done)

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
        told(notebook.stem, 0, total)
        try:
            await client.async_execute(env={**os.environ, **SETTINGS})
        except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
            return _failure(notebook, nb, at, error)
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


def _failure(notebook: Path, nb: Any, at: int, error: Exception) -> str:
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
