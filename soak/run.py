"""The long run: hostile input, kills and mutants. `make soak`; ARGS=--short for a minute of it.

Every part writes its counts to ``soak/counts/`` as it goes and takes them up again when it is
stopped; a part that is complete is not run again (``--again`` does). ``soak/table.py`` writes
``docs/faults.md`` from these counts.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import hostile

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "soak" / "counts"
STEP = 2_500
MEMORY = 4 << 30  # bytes of address space that a parser may have in all


def main(given: list[str] | None = None) -> int:
    """Run what is asked for; return 1 if anything unexpected came out."""
    parser = argparse.ArgumentParser(description=__doc__, prog="soak/run.py")
    parser.add_argument("parts", nargs="*", default=["fuzz", "guided", "kills", "mutants"])
    parser.add_argument("--short", action="store_true", help="a minute of it")
    parser.add_argument("--again", action="store_true", help="also what was run before")
    parser.add_argument("--tries", type=int, help="inputs for each parser")
    parser.add_argument("--only", default="", help="parsers, with commas")
    args = parser.parse_args(given)
    names = [n for n in hostile.parsers() if not args.only or n in args.only.split(",")]
    if args.short:
        args.parts, args.again = ["fuzz"], True  # the tests kill a few times themselves
    fine = True
    for part in args.parts:
        tries = args.tries or (500 if args.short else 100_000 if part == "fuzz" else 50_000)
        if part in ("fuzz", "guided"):
            for name in names:
                fine &= _once(f"{part}-{name}", part, name, tries, args.again, args.short)
        elif part == "kills":
            for what in ("put", "refresh", "report"):
                kills = args.tries or 200
                fine &= _once(f"kills-{what}", part, what, kills, args.again, args.short)
        else:
            subprocess.run([sys.executable, ROOT / "soak" / "mutants.py"], check=False)  # noqa: S603
    return 0 if fine else 1


def _once(place: str, part: str, name: str, tries: int, again: bool, short: bool) -> bool:
    """Run one part in a process of its own, unless its counts are there."""
    file = (ROOT / "build" / "soak" if short else OUT) / f"{place}.json"
    if again:
        file.unlink(missing_ok=True)
    if not file.is_file() or json.loads(file.read_text("utf-8"))["tries"] < tries:
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
    """Fuzz one parser within bounds of memory; write the counts down every few thousand inputs."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable(logging.CRITICAL)
    parser = hostile.parsers()[name]
    tally = hostile.Tally(name, "mutation")
    if file.is_file():
        tally = hostile.Tally(**json.loads(file.read_text("utf-8")))
        tally.outcomes = Counter(tally.outcomes)
    while tally.tries < tries:
        seed = int(os.environ.get("SEED", "1")) * 1_000_000 + tally.tries
        more = hostile.fuzz(parser, min(STEP, tries - tally.tries), seed)
        tally.tries += more.tries
        tally.outcomes += more.outcomes
        tally.slowest = max(tally.slowest, more.slowest)
        tally.defects += more.defects
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        tally.peak_mb = max(tally.peak_mb, peak)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(vars(tally), indent=1).replace(str(ROOT), ""), "utf-8")
        part.replace(file)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        one(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
    else:
        sys.exit(main())
