"""Three small notebooks that use every part of a page, for tests of the report."""

from pathlib import Path

import nbformat
from nbformat import v4

ANSWERS = "00-answers"
DATA = "01-held"
LAST = "02-last"

_FIGURES = """\
import pandas as pd
from tradeflows import plot

months = pd.date_range("2021-01-01", periods=30, freq="MS")
table = pd.DataFrame({"imports": range(30), "exports": range(0, 60, 2)}, index=months) * 1e8
"""
_LINES = """\
plot.lines(
    table, name="rise", title="Both rose", unit="USD", alt="Two rising lines",
    origins=("nobody/knows.csv",), events={"24 Feb 2022: Russia invades Ukraine": "2022-02-24"},
)
"""
_BRIDGE = """\
steps = ["2021", "price", "volume", "2022"]
kinds = ["total", "price", "volume", "total"]
values = [29e9, 20e9, 10e9, 59e9]
table = pd.DataFrame({"step": steps, "value": values, "kind": kinds})
plot.waterfall(table, name="bridge", title="Price did most", unit="USD", alt="A bridge")
"""
_HOSTILE = """\
table = pd.DataFrame({"2022": [1.0, 2.0]}, index=["=cmd()", "<script>alert(1)</script>"])
plot.bars(
    table, name="hostile", title="<script>alert(2)</script>", unit="USD", alt='"><img src=x>',
)
"""
_PROSE = r"""## What moved

Growth splits in logs: $\Delta\ln V = \Delta\ln P + \Delta\ln Q$, and

$$P_F = \sqrt{P_L \cdot P_P}$$

See [what is hidden](01-held.ipynb#What-is-hidden).
"""
_WIDE = """\
from IPython.display import HTML
words = "a sentence that goes on for so long that it must be broken into several lines"
wide = pd.DataFrame({f"column {n}": ["2022-01-01 to 2022-12-31"] * 3 for n in range(7)})
HTML(plot.table_html(wide.assign(words=words), label="A wide table"))
"""
_CARD = """\
from IPython.display import HTML
HTML('<div class="cards"><article class="card grade-supported" id="claim-b1">'
     '<h3 class="card-question">Did it boom?</h3><p class="card-quote">“boomed”</p>'
     '<p class="card-meta">Somebody, Ankara, 20 February 2023</p>'
     '<p class="card-grade"><span aria-hidden="true">✔</span> supported</p>'
     '<p class="card-number">+97 %</p><p class="card-say">It did.</p>'
     '<details><summary>What would change this</summary><p class="box">A revision.</p></details>'
     '</article></div>')
"""


def write(folder: Path) -> Path:
    """Write the notebooks and return their folder."""
    save(
        folder / f"{ANSWERS}.ipynb",
        "# Was it price, or volume?\n\nA claim, and two series.",
        (_FIGURES, "hide-input"),
        _LINES,
        "> **In one sentence.** Price did most, and volume the rest.",
        "## The claims",
        (_CARD, "hide-input"),
        _PROSE,
        _BRIDGE,
    )
    save(
        folder / f"{DATA}.ipynb",
        "# What do the data hold?\n\nTotals, and <b>what is hidden</b> in them.",
        "## What is hidden\n\n| code | words |\n|---|---|\n| 2709 | crude |\n",
        (_FIGURES, "hide-input"),
        "table.head(3)",
        "table.tail(3).style",
        (_WIDE, "hide-input"),
        _HOSTILE,
        "print('said')\n1 + 1",
    )
    save(
        folder / f"{LAST}.ipynb",
        "# And what remains?\n\nNothing.",
        "## Nothing",
        "'<b>plain</b>'",
        ("print('no reader ' + 'sees this')", "hide-output"),
        ("print('nor this')", "hide-cell"),
    )
    return folder


def save(path: Path, *cells: str | tuple[str, str]) -> None:
    """Write one notebook; text that begins with # or > is prose, a tuple is code with a tag."""
    made = []
    for n, cell in enumerate(cells):
        source, tags = (cell, []) if isinstance(cell, str) else (cell[0], [cell[1]])
        prose = source.startswith(("#", ">"))
        one = v4.new_markdown_cell(source) if prose else v4.new_code_cell(source)
        one["id"], one["metadata"] = f"cell-{n}", {"tags": tags}
        made.append(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=made), path)
