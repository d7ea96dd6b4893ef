"""The long run: hostile input, kills and mutants. `make soak`; ARGS=--short for a minute of it.

Every part writes its counts to ``build/soak/`` when it is done, and a part that is there is not run
again (``--again`` does). ``docs/faults.md`` is written from these counts by ``soak/table.py``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "soak"
MEMORY = 4 << 30  # bytes of address space that a parser may have in all
NAMES = (
    "comtrade-json", "comtrade-lists", "eurostat-csv", "eurostat-words", "workbook", "tuik-csv",
    "baci-zip", "sidecar-yaml", "snapshot-csv", "corrections-yaml", "rules-yaml",
)  # fmt: skip


def main(given: list[str] | None = None) -> int:
    """Run what is asked for; return 1 if anything unexpected came out."""
    parser = argparse.ArgumentParser(description=__doc__, prog="soak/run.py")
    parser.add_argument("parts", nargs="*", default=["fuzz", "guided", "kills", "mutants"])
    parser.add_argument("--short", action="store_true", help="a minute of it")
    parser.add_argument("--again", action="store_true", help="also what was run before")
    parser.add_argument("--tries", type=int, help="inputs for each parser")
    parser.add_argument("--only", default="", help="parsers, with commas")
    args = parser.parse_args(given)
    names = [n for n in NAMES if n in args.only.split(",")] if args.only else list(NAMES)
    if args.short:
        args.parts, args.again = ["fuzz", "kills"], True
    fine = True
    for part in args.parts:
        tries = args.tries or (200 if args.short else 100_000 if part == "fuzz" else 50_000)
        if part in ("fuzz", "guided"):
            for name in names:
                fine &= _once(f"{part}-{name}", part, name, tries, args.again, args.short)
        elif part == "kills":
            for what in ("put", "refresh", "report"):
                kills = args.tries or (3 if args.short else 200)
                fine &= _once(f"kills-{what}", part, what, kills, args.again, args.short)
        else:
            subprocess.run([sys.executable, ROOT / "soak" / "mutants.py"], check=False)  # noqa: S603
    return 0 if fine else 1


def _once(place: str, part: str, name: str, tries: int, again: bool, short: bool) -> bool:
    """Run one part in a process of its own, unless its counts are there."""
    file = OUT / ("short" if short else ".") / f"{place}.json"
    if again or not file.is_file():
        file.unlink(missing_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        script = {"fuzz": "run.py", "guided": "guided.py", "kills": "kills.py"}[part]
        if part == "guided" and find_spec("atheris") is None:
            sys.stderr.write(f"{place}: atheris is not installed, left out\n")
            return True
        worker = [sys.executable, str(ROOT / "soak" / script), *(["one"] if part == "fuzz" else [])]
        began = time.monotonic()
        subprocess.run([*worker, name, str(tries), str(file)], check=False, cwd=ROOT)  # noqa: S603
        took = time.monotonic() - began
        sys.stderr.write(f"{place}: {took:.0f} s\n")
    if not file.is_file():
        sys.stderr.write(f"{place}: DIED, see above\n")
        return False
    told = json.loads(file.read_text("utf-8"))
    words = ", ".join(f"{k} {v:,}" for k, v in sorted(told["outcomes"].items()))
    sys.stderr.write(f"{place}: {told['tries']:,} tries: {words}\n")
    for defect in told["defects"]:
        sys.stderr.write(f"  {defect}\n")
    return not told["defects"]


def one(name: str, tries: int, file: Path) -> None:
    """Fuzz one parser within bounds of memory and write down the counts."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable(logging.CRITICAL)
    import hostile

    tally = hostile.fuzz(hostile.parsers()[name], tries, seed=int(os.environ.get("SEED", "1")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = asdict(tally) | {"peak_mb": peak // 1024}
    file.write_text(re.sub(re.escape(str(ROOT)), "", json.dumps(found, indent=1)), "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        one(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
    else:
        sys.exit(main())
