"""Run pages for tests: the cells of a notebook, as in a kernel, and what they showed.

Such as::

    page = run("02-energy", SLOPE="0.12")   # the assumption SLOPE, in the cell of that name
    page.statements["b2"].numbers["pi_turnover"]
    page["effect"]                           # what a name stands for when all cells have run
    page.figures["gas-price"].table          # the figure that carries this name
    page.cell("answer").html                 # what one cell shows, by the cell's id

A page that refuses an assumption raises: ``pytest.raises(SourceUnavailable, match="2018")``. With
the same changes, or none, a page runs once in a process, and anew on another data folder.
"""

from __future__ import annotations

import ast
import json
import os
import pickle
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib as mpl
import pandas as pd

import tradeflows as tf
from tradeflows.claims import judge
from tradeflows.claims.judge import Verdict
from tradeflows.claims.rules import Rules
from tradeflows.report import runner

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
ASSUMPTIONS = "assumptions"  # id of the cell that holds what a reader may change


@dataclass(eq=False)
class Cell:
    """A cell of code, its id, and what it showed: the objects, and their HTML.

    ``shown`` leaves out what cannot be pickled, such as a styled table; ``html`` has it, drawn when
    somebody looks. ``tables`` are those behind the figures shown, by the names of the figures.
    """

    id: str
    code: str
    shown: list[Any] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    things: list[Any] = field(default_factory=list, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "html": self.html, "things": []}

    @cached_property
    def html(self) -> str:
        """What the cell shows in JupyterLab."""
        with mpl.rc_context({"backend": "agg"}):
            return "\n".join(map(_html, self.things))

    @property
    def text(self) -> str:
        """What a reader sees, without tags."""
        return re.sub(r"<(style|svg).*?</\1>|<[^>]+>", " ", self.html, flags=re.DOTALL)


@dataclass(eq=False)
class Page:
    """What the cells of a notebook showed, and what its names stood for in the end."""

    name: str
    cells: list[Cell]
    values: dict[str, Any]  # functions and modules are left out

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def cell(self, id_: str) -> Cell:
        """Return the cell of code with an id."""
        return next(cell for cell in self.cells if cell.id == id_)

    @property
    def figures(self) -> dict[str, Any]:
        """Figures by name: shown objects that have a name, a table and an alternative text."""
        shown = [x for cell in self.cells for x in cell.shown]
        return {x.name: x for x in shown if _is_figure(x)}

    @property
    def statements(self) -> dict[str, Verdict]:
        """What the page states, by claim; with ``/panel`` behind it at that tier."""
        tier = {"snapshot": "", "panel": "/panel"}
        return {f"{v.rule.claim}{tier[v.rule.tier]}": v for v in self.under(tf.rules())}

    def under(self, rules: Rules) -> list[Verdict]:
        """Return what the page states under a rules file."""
        return [v for v in self._stated if v.fingerprint == rules.fingerprint]

    @property
    def passed_on(self) -> list[Verdict]:
        """What the page states of the claims' own periods, which the answers read."""
        return [v for v in self._stated if v.of_the_claim]

    @property
    def _stated(self) -> list[Verdict]:
        shown = [x for cell in self.cells for x in cell.shown]
        return [x for x in shown if isinstance(x, Verdict) and x.period]


def read(name: str | Path) -> dict[str, Any]:
    """Return a notebook by the stem of its file."""
    found: dict[str, Any] = json.loads((FOLDER / f"{Path(name).stem}.ipynb").read_text("utf-8"))
    return found


def code(name: str | Path) -> dict[str, str]:
    """Return the code of a notebook, by the ids of its cells."""
    cells = read(name)["cells"]
    return {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] == "code"}


def is_last(name: str | Path) -> bool:
    """Say whether a notebook reads what the others state, and so runs after them."""
    return "reads" in read(name).get("metadata", {}).get("tradeflows", {})


def run(
    name: str | Path, *, after: Iterable[Page] = (), without: Iterable[str] = (), **changed: str
) -> Page:
    """Run the cells of a notebook, after changes in its cell of assumptions.

    Parameters
    ----------
    name : str or Path
        Stem of the notebook, such as ``"02-energy"``.
    after : iterable of Page
        For a notebook that reads statements: the pages that made them. All others by default.
    without : iterable of str
        Ids of cells that are left out, being slow and beside the point.
    **changed : str
        Code in place of the right-hand side of an assumption: ``SLOPE="0.12"``.

    Raises
    ------
    KeyError
        No cell of assumptions, or none of that name in it.

    A page that needs data which are not there has no cells: the report says what brings them.
    """
    if runner.lacking(FOLDER / f"{Path(name).stem}.ipynb"):
        return Page(Path(name).stem, [], {})
    if not is_last(name):
        made = _run.__wrapped__ if os.environ.get("TRADEFLOWS_DATA") else _run
        return made(Path(name).stem, tuple(sorted(changed.items())), tuple(without))
    others = tuple(after) or tuple(run(path) for path in NOTEBOOKS if not is_last(path))
    stated = [v.statement() | {"page": f"{p.name}.html"} for p in others for v in p.passed_on]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / judge.FILE).write_text(json.dumps(stated), "utf-8")
        with mock.patch("tradeflows.store.processed", return_value=Path(folder)):
            return _run.__wrapped__(Path(name).stem, tuple(sorted(changed.items())))


@cache
def _run(name: str, changed: tuple[tuple[str, str], ...], without: tuple[str, ...] = ()) -> Page:
    import matplotlib.pyplot as plt

    texts = {id_: text for id_, text in code(name).items() if id_ not in without}
    for assumption, value in changed:
        texts[ASSUMPTIONS] = _changed(texts[ASSUMPTIONS], assumption, value)
    space: dict[str, Any] = {"__name__": "__main__"}
    places: list[tuple[Cell, list[Any]]] = []

    def display(*things: Any, display_id: object = None, **_: Any) -> _Place | None:
        here = places[-1][1]  # the cell that runs: a page imports `display` once
        here.extend(map(_Place, things))
        return here[-1] if display_id else None

    with mpl.rc_context({"backend": "agg"}), mock.patch("IPython.display.display", display):
        for id_, text in texts.items():
            cell, shown = Cell(id_, text), list[Any]()
            places.append((cell, shown))
            try:
                _execute(text, space, shown)
            except Exception as error:
                error.add_note(f"in {name}, cell {id_}")
                raise
        plt.close("all")
    for cell, shown in places:
        cell.things = [x.thing for x in shown]
        cell.shown = [x for x in cell.things if _keeps(x)]
        cell.tables = {x.name: x.table for x in cell.things if _is_figure(x)}
    kept = {k: v for k, v in space.items() if not k.startswith("_") and _keeps(v)}
    return Page(name, [cell for cell, _ in places], kept)


def _changed(text: str, assumption: str, value: str) -> str:
    """Give an assumption another value, in a line below its own."""
    names: dict[str, int] = {}
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        found = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        names |= dict.fromkeys(found, int(node.end_lineno or 0))
    lines = text.splitlines()
    lines.insert(names[assumption], f"{assumption} = {value}")
    return "\n".join(lines)


class _Place:
    """What `display` hands out: the place can be filled anew."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def update(self, thing: Any) -> None:
        self.thing = thing


def _execute(text: str, space: dict[str, Any], shown: list[Any]) -> None:
    tree = ast.parse(text)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)  # noqa: S102
    if last is None:
        return
    thing = eval(compile(ast.Expression(last.value), "cell", "eval"), space)  # noqa: S307
    if thing is not None and not text.rstrip().endswith(";"):
        shown.append(_Place(thing))


def _html(thing: Any) -> str:
    for way in ("_repr_html_", "_repr_markdown_"):
        if found := getattr(thing, way, lambda: None)():
            return str(found)
    return str(thing)


def _is_figure(thing: Any) -> bool:
    return all(hasattr(thing, name) for name in ("name", "table", "alt"))


def _keeps(thing: Any) -> bool:
    """Say whether something can be passed from one process to another."""
    if isinstance(thing, pd.DataFrame | pd.Series):
        return True  # as they all can; to try it with large ones takes seconds
    try:
        pickle.dumps(thing)
    except Exception:
        return False
    return True
