"""Write the numbers of today in place of the stored ones: only on purpose, with a reason.

The reason stands in CHANGELOG.md; what changed is what ``git diff tests/expected`` shows.
"""

import quiet  # noqa: F401, I001 - first, see there
import tempfile
from pathlib import Path

import pages
from expected import numbers, stored
from generated import SMALL, Judged, judged
from standin import trade


def _world(scenario: str, **options: object) -> Judged:
    with tempfile.TemporaryDirectory() as folder:
        return judged(Path(folder), trade.World(scenario, **{**SMALL, **options}))


def main() -> None:
    """Get every number before the first file is touched."""
    shown = [pages.run(path) for path in pages.NOTEBOOKS]
    statements = numbers.of_snapshot(shown)
    for name in numbers.WORLDS:
        statements |= numbers.of_world(name, _world)
    bounds = numbers.of_bounds(pages.run("02-energy"))
    tables = numbers.of_figures(shown)
    stored.write(stored.STATEMENTS, statements)
    stored.write(stored.BOUNDS, bounds)
    for old in stored.FIGURES.glob("*.csv"):
        old.unlink()
    stored.write_tables(tables)


if __name__ == "__main__":
    main()
