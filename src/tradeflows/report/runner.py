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
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbconvert.filters.ansi import strip_ansi

from tradeflows import store
from tradeflows.claims import judge
from tradeflows.errors import SchemaMismatch, TradeflowsError, UnknownCode
from tradeflows.load import load
from tradeflows.periods import span
from tradeflows.progress import Told, progress
from tradeflows.series import on_one_system
from tradeflows.sources import stored
from tradeflows.sources.work import replace_file

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
_ARROW = re.compile(r"^-+> *(\d+) ?(.*)$", re.MULTILINE)


class NotebookFailed(TradeflowsError):
    """A cell of a notebook raised; the pages of the last build stand as they were."""


def about(notebook: Path) -> dict[str, Any]:
    """Return what a notebook says of itself under ``tradeflows`` in its metadata."""
    return dict(json.loads(notebook.read_bytes())["metadata"].get("tradeflows", {}))


def run(notebooks: Sequence[Path]) -> dict[str, Any]:
    """Execute notebooks and return them by name."""
    with progress("cells") as told:
        done = asyncio.run(_all(notebooks, told))
    if failed := sorted(why for why in done.values() if isinstance(why, str)):
        raise NotebookFailed(
            "\n".join(failed),
            "every cell runs",
            "open the notebook with `make lab`; the pages of the last build are untouched",
        )
    return done


def pass_on(executed: Mapping[str, Any]) -> None:
    """Collect what executed notebooks state, for the answers and for `tradeflows.judge`."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for page, nb in executed.items():
        outputs = [out.get("data", {}) for cell in nb.cells for out in cell.get("outputs", ())]
        for stated in (data[judge.MIME] for data in outputs if judge.MIME in data):
            name = _name(stated)
            if name in found and found[name]["page"] != page:
                raise SchemaMismatch(
                    f"{page} and {found[name]['page']} both state claim {name[0]}, {name[1]}",
                    "one page for a claim and tier",
                    "take tf.state out of one of them",
                )
            found[name] = stated | {"page": page}
    file = store.processed() / judge.FILE
    held = _read(file)
    kept = [s for s in held if s["page"] not in executed and _name(s) not in found]
    if found or kept != held:
        replace_file(file, json.dumps([*kept, *found.values()], indent=1))


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
    said = about(notebook)
    if said.get("published") and stored.is_generated():
        return "This page reads published trade, and the data folder holds generated trade instead."
    needs = said.get("requires", ())
    ways = [[{**n, **source} for n in needs] for source in said.get("sources", ())]
    without = [_lacking(way) for way in ways or [needs]]
    return "" if "" in without else without[-1]


def _lacking(needs: Sequence[Mapping[str, Any]]) -> str:
    for need in needs:
        asked = {k: v for k, v in need.items() if k not in ("bring", "whole")}
        if publisher := asked.pop("publisher", ""):
            if not any(raw.publisher == publisher for raw in store.catalogue()):
                return f"This page needs data of {publisher}, which are not there. {need['bring']}"
            continue
        table = asked.pop("table")
        try:
            rows = on_one_system(**asked) if table == "trade" else load(table, **asked)
        except UnknownCode:
            return f"This page needs data that are not there yet. {need['bring']}"
        late = set(span(need["months"])) - set(rows["period"].unique()) if need.get("whole") else ()
        if late:
            gone = ", ".join(f"{month:%Y-%m}" for month in sorted(late))
            return f"This page needs months that are not published yet: {gone}. {need['bring']}"
    return ""


async def _all(notebooks: Sequence[Path], told: Told) -> dict[str, Any]:
    """Return the executed notebooks, and in place of one that failed what went wrong."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(notebook: Path) -> Any:
        async with gate:
            return await _run(notebook, told)

    # the longest first, so that none is left to run alone at the end
    order = sorted(notebooks, key=lambda path: -path.stat().st_size)
    done = await asyncio.gather(*map(one, order))
    return {path.stem: nb for path, nb in zip(order, done, strict=True)}


async def _run(notebook: Path, told: Told) -> Any:
    """Execute one notebook and return it; of one that lacks data its title and what it needs."""
    nb = nbformat.read(notebook, 4)
    if absent := lacking(notebook):
        nb.cells = [nb.cells[0], nbformat.v4.new_markdown_cell(absent, id="needs")]
        return nb
    codes = [n for n, c in enumerate(nb.cells) if c.cell_type == "code" and c.source.strip()]
    at = 0

    def started(cell_index: int, **_: Any) -> None:
        nonlocal at
        if cell_index in codes:
            at = cell_index
            done = codes.index(at)
            told(notebook.stem, done, len(codes) - done)

    # sockets in a private folder: nothing listens on a port, and it works with the network cut; its
    # name leaves room for that of a socket, 107 letters in all
    long = len(tempfile.gettempdir()) > 60 and Path("/tmp").is_dir()  # noqa: S108 - a private one
    with tempfile.TemporaryDirectory(prefix="tf-", dir="/tmp" if long else None) as folder:  # noqa: S108
        sockets = {} if os.name == "nt" else {"transport": "ipc", "ip": str(Path(folder) / "k")}
        kernel = AsyncKernelManager(
            **sockets,
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        )
        client = NotebookClient(
            nb,
            km=kernel,
            timeout=CELL_SECONDS,
            record_timing=False,
            on_cell_start=started,
            resources={"metadata": {"path": str(notebook.parent)}},
            extra_arguments=[f"--IPKernelApp.exec_lines={_PLAIN_WARNINGS}"],
        )
        try:
            await client.async_execute(env={**os.environ, **SETTINGS})
            told(notebook.stem, len(codes), 0)
        except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
            return _failure(notebook, nb, at, error)
        finally:
            if kernel.has_kernel:
                await kernel.shutdown_kernel(now=True)
            kernel.cleanup_connection_file()
    return nb


def _failure(notebook: Path, nb: Any, at: int, error: Exception) -> str:
    """Say where it failed and why, in a few lines."""
    cell = nb.cells[at]
    where = f"{notebook.name}: cell {at + 1} ({cell.get('id', 'no id')})"
    if isinstance(error, CellExecutionError):
        trace = strip_ansi(error.traceback)
        arrows = _ARROW.findall(trace.partition("\n\n")[0]) or _ARROW.findall(trace)
        line = f"\n  line {arrows[0][0]}: {arrows[0][1].strip()}" if arrows else ""
        why = f"{error.ename}: {strip_ansi(error.evalue)}"
        return where + line + "\n  " + why.strip().replace("\n", "\n  ")
    if isinstance(error, CellTimeoutError):
        return f"{where}\n  took longer than {CELL_SECONDS} seconds"
    return f"{where}\n  the kernel died or did not start ({error}); out of memory?"
