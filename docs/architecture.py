"""Draw the rooms of the package from its imports, and list its modules: run this file."""

from __future__ import annotations

import ast
import io
import tokenize
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "tradeflows"
PICTURE = Path(__file__).with_name("architecture.svg")
PAGE = PICTURE.with_name("modules.md")
# What turns bytes into verdicts; the rest reads, draws or fetches around it.
CORE = ("errors", "tables", "store", "load", "quality", "measure", "claims")
WIDE, HIGH, STEP, LEFT, TOP = 150, 26, 44, 40, 60


def rooms() -> list[str]:
    """Return the rooms from the first to the last, as the import contract lists them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [layer.split(".")[1] for layer in reversed(layers)]


def imports() -> dict[tuple[str, str], int]:
    """Return how many modules of one room import another."""
    found: dict[tuple[str, str], int] = {}
    known = rooms()
    for file in sorted(PACKAGE.rglob("*.py")):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for other in sorted(_imported(file)):
            if room in known and other in known and other != room:
                found[room, other] = found.get((room, other), 0) + 1
    return found


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = (name.split(".") for name in names)
    return {p[1] for p in parts if p[0] == "tradeflows" and len(p) > 1}


def modules(room: str) -> list[Path]:
    """Return the files of a room."""
    place = PACKAGE / room
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def lines(room: str) -> tuple[int, int]:
    """Return modules and lines of a room."""
    files = modules(room)
    return len(files), sum(len(f.read_text("utf-8").splitlines()) for f in files)


def code(file: Path) -> int:
    """Return the lines of a module that are neither blank, comment nor docstring."""
    text = file.read_text("utf-8")
    idle = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    busy = {n for t in tokens if t.type not in idle for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            busy -= set(range(body[0].lineno, body[0].end_lineno + 1))
    return len(busy - {len(text.splitlines()) + 1})


def _is_text(node: ast.AST) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(getattr(value, "value", None), str)


def listed() -> str:
    """Return the page of modules: what each is, by room in the order of imports."""
    rows, whole, core = [], 0, 0
    for room in rooms():
        for file in modules(room):
            if n := code(file):
                name = file.relative_to(PACKAGE).with_suffix("").as_posix()
                about = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").split("\n")[0]
                rows.append(f"| `{name.removesuffix('/__init__')}` | {about} | {n} |")
                whole, core = whole + n, core + n * (room in CORE)
    every = sum(lines(room)[1] for room in rooms())
    return "\n".join(
        [
            "# Modules",
            "",
            f"{every:,} lines of Python, of which {whole:,} are code; the others are docstrings,"
            " comments and blank. That is more than an afternoon. Start with the rooms that turn"
            f" bytes into verdicts ({', '.join(CORE)}), {core:,} lines of code; the rest fetches,"
            " asks, draws and prints around them, and each module can be read alone.",
            "",
            "Rooms stand in the order of [imports](architecture.svg): a module imports only from"
            " its own room and those above. Written by `python docs/architecture.py`.",
            "",
            "| module | what it is | code |",
            "|---|---|---:|",
            *rows,
            "",
        ]
    )


def drawn() -> str:
    """Return the picture: rooms from left to right, an arc from each room to those it imports."""
    order, found = rooms(), imports()
    y = {room: TOP + n * STEP for n, room in enumerate(order)}
    arcs = []
    for (room, other), count in sorted(found.items()):
        start, end = y[room] + HIGH / 2, y[other] + HIGH / 2
        bend = LEFT + WIDE + 14 + abs(start - end) * 0.55
        arcs.append(
            f'<path d="M{LEFT + WIDE} {start:g} C{bend:g} {start:g} {bend:g} {end:g} '
            f'{LEFT + WIDE + 4} {end:g}" stroke-width="{0.6 + min(count, 12) / 5:.1f}">'
            f"<title>{room} imports {other}: {count} modules</title></path>"
        )
    boxes = []
    for room in order:
        count, length = lines(room)
        words = f"{count} module{'s' * (count > 1)}"
        boxes.append(
            f'<g><rect x="{LEFT}" y="{y[room]}" width="{WIDE}" height="{HIGH}" rx="4"/>'
            f'<text x="{LEFT + 8}" y="{y[room] + 17}">{room}</text>'
            f"<title>{room}: {words}, about {round(length, -2):,} lines</title></g>"
        )
    wide, high = 620, TOP + STEP * len(order)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" '
            'aria-label="Rooms of tradeflows and what they import" font-family="sans-serif" '
            'font-size="13">',
            f'<rect width="{wide}" height="{high}" fill="#fff"/>',
            f'<text x="{LEFT}" y="24" font-weight="bold">Rooms of tradeflows</text>',
            f'<text x="{LEFT}" y="44" fill="#555">An arc leads from a room up to one it imports; '
            "none leads down. Thicker: more modules.</text>",
            '<g fill="none" stroke="#33658a" stroke-opacity=".55">',
            *arcs,
            '</g><g fill="#eef3f7" stroke="#33658a">',
            *(b.replace("<text ", '<text fill="#111" stroke="none" ') for b in boxes),
            "</g></svg>\n",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(drawn(), "utf-8")
    PAGE.write_text(listed(), "utf-8")
