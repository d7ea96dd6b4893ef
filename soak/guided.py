"""Coverage-guided fuzzing of one parser: ``soak/guided.py NAME RUNS FILE`` (atheris, libFuzzer).

libFuzzer leaves with ``os._exit``, so the counts are written at the last input.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from tempfile import mkdtemp

import atheris

with atheris.instrument_imports(include=["tradeflows"]):
    import hostile

WORDS = Path(mkdtemp(prefix="tf-")) / "words.dict"


def main(name: str, runs: int, file: Path) -> None:
    """Let libFuzzer look for inputs that reach new lines of a parser."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    parser = hostile.parsers()[name]
    tally = hostile.Tally(name, "coverage-guided")
    seeds = Path(mkdtemp(prefix="tf-"))
    for number, seed in enumerate(parser.seeds):
        (seeds / str(number)).write_bytes(seed)
    escaped = ("".join(f"\\x{b:02x}" for b in word[:60]) for word in hostile.NASTY)
    WORDS.write_text("".join(f'"{word}"\n' for word in escaped), "utf-8")

    def take(data: bytes) -> None:
        began = time.process_time()
        try:
            tally.outcomes[hostile.attempt(parser, parser.pack(data))] += 1
        except Exception as error:
            tally.outcomes["DEFECT"] += 1
            if len(tally.defects) < 20:
                tally.defects.append(f"{type(error).__name__}: {error!s:.200} for {data[:300]!r}")
        tally.slowest = max(tally.slowest, time.process_time() - began)
        tally.tries += 1
        if tally.tries >= runs:
            tally.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            file.write_text(json.dumps(vars(tally), indent=1), "utf-8")
            os._exit(0)  # libFuzzer would take an exit for a crash

    bounds = ["-max_len=8192", "-rss_limit_mb=4096", "-timeout=60", "-verbosity=0", "-seed=1"]
    atheris.Setup(
        ["guided", *bounds, f"-dict={WORDS}", f"-artifact_prefix={seeds}/", str(seeds)], take
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
