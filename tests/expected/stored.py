"""The stored numbers: written so that a change reads well, read back, compared."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from expected.numbers import Table, Value

FOLDER = Path(__file__).parent
STATEMENTS, BOUNDS = FOLDER / "statements.json", FOLDER / "b2_bounds.json"
FIGURES = FOLDER / "figures"
NEAR = 1e-9  # relative
_ABSENT = object()


def write(file: Path, values: Mapping[str, Value]) -> None:
    """Write values, one name a line, in the order of the names."""
    lines = [
        f"{json.dumps(k)}: {json.dumps(values[k], ensure_ascii=False)}" for k in sorted(values)
    ]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def read(file: Path) -> dict[str, Value]:
    """Return stored values."""
    found: dict[str, Value] = json.loads(file.read_text("utf-8"))
    return found


def write_tables(tables: Mapping[str, Table], folder: Path = FIGURES) -> None:
    """Write a CSV a table; text is quoted, numbers have all their digits, nothing is ``""``."""
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)


def read_tables(folder: Path = FIGURES) -> dict[str, Table]:
    """Return stored tables by name."""
    out = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, quoting=csv.QUOTE_NONNUMERIC))
        out[path.stem] = [[None if cell == "" else cell for cell in row] for row in rows]
    return out


def differences(where: str, old: Mapping[str, Value], new: Mapping[str, Value]) -> list[str]:
    """Say what is not as stored: file, name, value then, value now.

    Parameters
    ----------
    where : str
        Name of the file.
    old, new : mapping

    Returns
    -------
    list of str
        Empty where numbers are the same to `NEAR` and all else is equal.
    """
    pairs = [(k, old.get(k, _ABSENT), new.get(k, _ABSENT)) for k in sorted({*old, *new})]
    return [f"{where}: {k}: {_text(a)} -> {_text(b)}" for k, a, b in pairs if not _same(a, b)]


def table_differences(old: Mapping[str, Table], new: Mapping[str, Table]) -> list[str]:
    """Say which tables of figures, and which of their cells, are not as stored."""
    out = []
    for name in sorted({*old, *new}):
        where = f"figures/{name}.csv"
        if name not in new:
            out.append(f"{where}: no figure of this name is shown any more")
        elif name not in old:
            out.append(f"{where}: a figure that is not stored")
        else:
            out += differences(where, _flat(old[name]), _flat(new[name]))
    return out


def _flat(table: Table) -> dict[str, Any]:
    """Return cells by line of the file and column."""
    head, *rows = table
    cells = {
        f"line {i}, {column}": cell
        for i, row in enumerate(rows, 2)
        for column, cell in zip(head, row, strict=True)
    }
    return {"columns": head, **cells}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, int | float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=NEAR)
    return bool(a == b)


def _text(value: Any) -> str:
    return "absent" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
