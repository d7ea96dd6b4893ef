"""`python -m tradeflows.report build` and `python -m tradeflows.report check`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tradeflows.errors import TradeflowsError


def main(given: Sequence[str] | None = None) -> int:
    """Build or check the report and return the exit code.

    Parameters
    ----------
    given : sequence of str, optional
        Arguments; those of the process where not given.

    Returns
    -------
    int
        0 if all is well.
    """
    parser = argparse.ArgumentParser(prog="python -m tradeflows.report", description=__doc__)
    todo = parser.add_subparsers(dest="todo", required=True)
    build = todo.add_parser("build", help="run notebooks that changed and render all pages")
    build.add_argument("--notebooks", type=Path, default=Path("notebooks"))
    check = todo.add_parser("check", help="check the pages that are there")
    for one in (build, check):
        one.add_argument("--out", type=Path, default=Path("reports"))
    args = parser.parse_args(given)
    try:
        return _build(args.notebooks, args.out) if args.todo == "build" else _check(args.out)
    except TradeflowsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the pages of the last build are untouched\n")
        return 130


def _build(notebooks: Path, out: Path) -> int:
    from tradeflows.report.build import build

    start = time.monotonic()
    done = build(notebooks, out)
    if done.wrote:
        what = f"ran {len(done.ran)} notebooks, " if done.ran else ""
        took = time.monotonic() - start
        sys.stderr.write(f"{what}wrote the pages, open {out}/index.html ({took:.0f} s)\n")
    else:
        sys.stderr.write(f"{out} is up to date: nothing to do\n")
    return 0


def _check(out: Path) -> int:
    from tradeflows.report.check import folder

    wrong = folder(out)
    sys.stderr.write("\n".join(wrong or [f"{out}: every page is whole"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
