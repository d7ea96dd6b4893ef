"""Draw the rooms of the package from its imports: run this file, and it writes the SVG."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "tradeflows"
PICTURE = Path(__file__).with_name("architecture.svg")
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


def lines(room: str) -> tuple[int, int]:
    """Return modules and lines of a room."""
    place = PACKAGE / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return len(files), sum(len(f.read_text("utf-8").splitlines()) for f in files)


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
        modules, length = lines(room)
        words = f"{modules} module{'s' * (modules > 1)}"
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
